"""From the hub into an account."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.errors import Denied, Refused, TryLater
from portal.aws.sts import Credentials
from tests.aws.server import AWS
from tests.aws.strict import Fault

ACCOUNT = "111122223333"
OTHER = "222233334444"


def test_it_works_in_the_account_behind_the_door(aws: AWS) -> None:
    door = aws.account(ACCOUNT)

    identity = connect.sts(door).get_caller_identity()

    assert identity.account == ACCOUNT
    assert identity.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/gatehouse-portal/gatehouse"


def test_the_hub_is_itself(aws: AWS) -> None:
    identity = connect.hub_sts().get_caller_identity()

    assert identity.arn == "arn:aws:iam::123456789012:user/gatehouse-hub"


def test_a_wrong_external_id_is_denied_and_names_the_account(aws: AWS) -> None:
    door = aws.account(ACCOUNT)

    with pytest.raises(Denied, match=f"account {ACCOUNT} could not be entered") as denied:
        connect.iam(Door(door.account_id, door.role_arn, "another-one")).list_groups()

    assert denied.value.operation == "AssumeRole"
    assert denied.value.code == "AccessDenied"


def test_a_role_that_is_not_there_is_denied(aws: AWS) -> None:
    door = Door(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/nobody-made-it", "external-id")

    with pytest.raises(Denied, match=ACCOUNT):
        connect.iam(door).list_groups()


@pytest.mark.parametrize(
    "role_arn",
    [
        f"arn:aws:iam::{OTHER}:role/gatehouse-portal",
        f"arn:aws:iam::{ACCOUNT}:user/gatehouse-portal",
        f"arn:aws:iam::{ACCOUNT}:role/",
        f"arn:aws:iam::{ACCOUNT}:role/x\n",
        f"x arn:aws:iam::{ACCOUNT}:role/x",
        "",
    ],
)
def test_a_role_outside_the_account_is_refused_before_any_call(aws: AWS, role_arn: str) -> None:
    aws.account(OTHER)

    with pytest.raises(Refused, match="is not a role in it"):
        connect.iam(Door(ACCOUNT, role_arn, "external-id-of-the-tests"))

    assert aws.trace == []


def test_an_account_is_entered_once_and_again_when_forgotten(aws: AWS) -> None:
    door = aws.account(ACCOUNT)

    connect.iam(door).list_groups()
    connect.iam(door).list_account_aliases()
    connect.sts(door).get_caller_identity()
    assert len(aws.calls("AssumeRole")) == 1

    connect.forget(door)
    connect.iam(door).list_groups()
    assert len(aws.calls("AssumeRole")) == 2


def test_only_the_accounts_last_asked_for_are_kept(aws: AWS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "KEPT_ROOMS", 2)
    first, second, third = (aws.account(f"{number:012}") for number in (1, 2, 3))
    kept, left = connect.iam(first), connect.iam(second)

    connect.iam(first)
    connect.iam(third)

    assert connect.iam(first) is kept
    left.list_groups()
    assert connect.iam(second) is not left


def test_many_threads_enter_once(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    barrier = threading.Barrier(8)

    def look() -> None:
        barrier.wait()
        connect.iam(door).list_groups()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(aws.calls("AssumeRole")) == 1
    assert len(aws.calls("ListGroups")) == 8


def test_two_doors_do_not_share_credentials(aws: AWS) -> None:
    first, second = aws.account(ACCOUNT), aws.account(OTHER)

    accounts = [connect.sts(door).get_caller_identity().account for door in (first, second, first)]

    assert accounts == [ACCOUNT, OTHER, ACCOUNT]


@pytest.mark.parametrize(("minutes", "entered"), [(4, 2), (6, 1)])
def test_credentials_are_renewed_five_minutes_before_they_end(
    aws: AWS, monkeypatch: pytest.MonkeyPatch, minutes: int, entered: int
) -> None:
    door = aws.account(ACCOUNT)
    enter = connect._enter

    def short(door: Door) -> Credentials:
        fresh = enter(door)
        ends = datetime.now(UTC) + timedelta(minutes=minutes)
        return Credentials(fresh.access_key_id, fresh.secret_access_key, fresh.session_token, ends)

    monkeypatch.setattr(connect, "_enter", short)

    connect.iam(door).list_groups()
    connect.iam(door).list_groups()

    assert len(aws.calls("AssumeRole")) == entered


def test_rejected_credentials_are_not_used_again(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    aws.faults.inject("ListGroups", Fault.EXPIRED)

    with pytest.raises(TryLater):
        connect.iam(door).list_groups()
    connect.iam(door).list_groups()

    assert len(aws.calls("AssumeRole")) == 2


def test_a_lost_answer_on_the_way_in_leaves_no_doubt_about_what_was_to_be_done_inside(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    aws.faults.inject("AssumeRole", Fault.DROP_AFTER, times=3)

    with pytest.raises(TryLater, match=f"account {ACCOUNT} could not be entered") as later:
        connect.iam(door).create_user(user_name="ledger-writer", tags={}, permissions_boundary=None)

    assert later.value.is_doubtful is False
    assert len(aws.calls("AssumeRole")) == 3
    assert aws.calls("CreateUser") == []


def test_an_aws_that_is_down_is_for_later(aws: AWS, settings: Any) -> None:
    door = aws.account(ACCOUNT)
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    connect.forget_all()

    with pytest.raises(TryLater, match="could not be reached") as later:
        connect.iam(door).list_groups()

    assert later.value.is_doubtful is False


def test_a_hub_without_credentials_is_denied(aws: AWS, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    door = aws.account(ACCOUNT)
    settings.HUB_ACCESS_KEY_ID = settings.HUB_SECRET_ACCESS_KEY = None
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    connect.forget_all()

    with pytest.raises(Denied, match="no AWS credentials of its own"):
        connect.iam(door).list_groups()


def test_a_session_of_credentials_never_shows_its_secrets(aws: AWS) -> None:
    door = aws.account(ACCOUNT)

    role = connect.hub_sts().assume_role(
        role_arn=door.role_arn, role_session_name="gatehouse", external_id=door.external_id, duration_seconds=900
    )

    assert role.credentials.expiration - datetime.now(UTC) < timedelta(seconds=901)
    assert role.credentials.secret_access_key not in repr(role)
    assert role.credentials.session_token not in repr(role)
