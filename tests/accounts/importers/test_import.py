"""Importing an account: what AWS holds stands in the rows afterwards, whole or not at all."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db.models import Model

from accounts import importers
from accounts.models import (
    AccessKey,
    Account,
    AccountImport,
    GroupMembership,
    IAMGroup,
    IAMPolicy,
    IAMRole,
    IAMUser,
    LoginProfile,
    MFADevice,
    Source,
)
from portal.aws import connect
from portal.ledger.clock import database_now
from portal.ledger.models import Entry
from tests.accounts.conftest import ROWS
from tests.aws.server import AWS
from tests.aws.strict import Fault

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
MINUTE = timedelta(minutes=1)
# The calls of one import, as the first test below holds them; many are made at once.
CALLS = [
    "AssumeRole",
    "GenerateCredentialReport",
    "GenerateCredentialReport",
    "GetAccountAuthorizationDetails",
    "GetAccountPasswordPolicy",
    "GetAccountSummary",
    "GetCredentialReport",
    "ListAccessKeys",
    "ListAccountAliases",
    "ListOpenIDConnectProviders",
    "ListSAMLProviders",
    "ListServiceSpecificCredentials",
    "ListVirtualMFADevices",
]
# A user who is gone by then, an account without a policy of its own and a report that has just expired are no failures.
MAY_BE_ABSENT = {"ListAccessKeys", "GetAccountPasswordPolicy", "GetCredentialReport"}

FAILURES = [
    (name, CALLS[: at + 1].count(name), fault)
    for at, name in enumerate(CALLS)
    for fault in (Fault.DENY, Fault.UNKNOWN, Fault.ABSENT)
    if fault != Fault.ABSENT or name not in MAY_BE_ABSENT
]
# The package's own name `run` is the function.
running = import_module("accounts.importers.run")

Read = Callable[..., AccountImport]


def state(*, but: tuple[type[Model], ...] = ()) -> list[list[dict[str, Any]]]:
    """Every row but those of the imports themselves."""
    return [list(model.objects.order_by("pk").values()) for model in ROWS if model not in (AccountImport, *but)]


def test_everything_stands_in_the_rows_with_its_source_and_time(aws: AWS, full: Account, read: Read) -> None:
    before = database_now()

    account_import = read(full)

    assert (account_import.state, account_import.error) == (AccountImport.State.APPLIED, "")
    assert account_import.counts == {
        "iam_users": 1, "new": 1, "gone": 0, "changed": 0, "groups": 1, "roles": 1, "policies": 1, "providers": 0,
    }  # fmt: skip
    told = aws.boto3(full.account_id).get_user(UserName="mia")["User"]
    row = IAMUser.objects.get()
    assert (row.user_name, row.path, row.user_id, row.create_date) == (
        "mia",
        "/people/",
        told["UserId"],
        told["CreateDate"],
    )
    assert row.tags == {"team": "payments"}
    assert row.permissions_boundary_arn.endswith(":policy/ledger-write")
    assert row.attached_policy_arns == [row.permissions_boundary_arn]
    assert row.inline_policies == {"inline": POLICY}
    group = row.group_memberships.get().iam_group
    assert (group.group_name, group.path, group.inline_policies) == ("ledger-writers", "/ledger/", {"inline": POLICY})
    assert group.attached_policy_arns == row.attached_policy_arns
    key = row.access_keys.get()
    assert (key.status, key.source, key.last_used_date) == ("Active", Source.LIST_ACCESS_KEYS, None)
    assert (row.login_profile.source, row.login_profile.password_last_used) == (Source.CREDENTIAL_REPORT, None)
    assert row.mfa_devices.get().serial_number.endswith(":mfa/mia")
    assert IAMPolicy.objects.get().document == POLICY
    assert IAMRole.objects.get().trust_policy["Statement"]
    full.refresh_from_db()
    assert (full.alias, full.state) == ("acme-prod", Account.State.CONNECTED)
    for fact in (row, group, key, IAMPolicy.objects.get(), IAMRole.objects.get(), full):
        assert fact.source
        assert fact.read_at is not None
        assert before <= fact.read_at <= database_now()
    assert full.summary["Users"] == 1
    assert full.password_policy is None
    assert sorted(call.operation for call in aws.trace) == CALLS


def test_reading_again_writes_the_time_of_the_account_alone(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    counts = [model.objects.count() for model in ROWS]
    # The portal's own role was used by this very reading.
    before, first_time = state(but=(Account, IAMRole)), Account.objects.get().read_at

    account_import = read(full)

    assert account_import.counts["new"] == account_import.counts["gone"] == 0
    assert [model.objects.count() for model in ROWS if model is not AccountImport] == [
        count for model, count in zip(ROWS, counts, strict=True) if model is not AccountImport
    ]
    again = Account.objects.get()
    assert again.read_at is not None
    assert first_time is not None
    assert again.read_at > first_time
    assert state(but=(Account, IAMRole)) == before


# Whole or nothing


@pytest.mark.parametrize(("operation", "nth", "fault"), FAILURES)
def test_a_reading_that_fails_anywhere_concludes_nothing(
    aws: AWS, full: Account, read: Read, operation: str, nth: int, fault: Fault
) -> None:
    read(full)
    IAMUser.objects.update(read_at=database_now() - 60 * MINUTE)
    aws.boto3(full.account_id).create_user(UserName="new")
    vars(aws.backend(full.account_id))["users"].pop("mia")
    aws.boto3(full.account_id).create_access_key(UserName="new")
    Account.objects.update(state=Account.State.CONNECTED)
    before = state()
    connect.forget_all()
    aws.faults.inject(operation, fault, nth=nth)

    account_import = read(full)

    assert account_import.state == AccountImport.State.FAILED
    assert operation in account_import.error
    assert account_import.finished_at is not None
    if (operation, fault) == ("AssumeRole", Fault.DENY):
        Account.objects.update(state=Account.State.CONNECTED, state_reason="")
    assert state() == before


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.ERROR_BEFORE, Fault.THROTTLE])
def test_a_reading_is_tried_again_by_itself(aws: AWS, full: Account, read: Read, fault: Fault) -> None:
    aws.faults.inject("GetAccountAuthorizationDetails", fault)

    assert read(full).state == AccountImport.State.APPLIED


def test_an_account_that_cannot_be_entered_says_so_and_keeps_its_users(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    IAMUser.objects.update(read_at=database_now() - 60 * MINUTE)
    connect.forget_all()
    aws.faults.inject("AssumeRole", Fault.DENY)

    read(full)

    full.refresh_from_db()
    assert full.state == Account.State.UNREACHABLE
    assert full.account_id in full.state_reason
    assert IAMUser.objects.present().count() == 1

    read(full)
    full.refresh_from_db()
    assert (full.state, full.state_reason) == (Account.State.CONNECTED, "")


def test_an_account_that_lets_nobody_in_any_more_while_it_is_read_keeps_its_users(
    aws: AWS, full: Account, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(full)
    IAMUser.objects.update(read_at=database_now() - 60 * MINUTE)
    vars(aws.backend(full.account_id))["users"].clear()
    connect.forget_all()
    # Every call enters anew, as one does whose credentials have just ended.
    monkeypatch.setattr(connect, "FRESH_FOR", timedelta(days=1))
    aws.faults.inject("AssumeRole", Fault.DENY, nth=5, times=99)

    account_import = read(full)

    assert (account_import.state, "could not be entered" in account_import.error) == (AccountImport.State.FAILED, True)
    assert IAMUser.objects.present().count() == 1
    full.refresh_from_db()
    assert full.state == Account.State.UNREACHABLE


def test_what_nobody_foresaw_is_stored_as_a_failure(full: Account, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state()

    def break_down(account: Account, snapshot: object) -> None:
        IAMUser.objects.create(organization=account.organization, account=account, user_name="half")
        raise ZeroDivisionError

    monkeypatch.setattr(running, "apply", break_down)

    account_import = read(full)

    assert account_import.state == AccountImport.State.FAILED
    assert "ZeroDivisionError" in account_import.error
    assert state() == before


# Gone, or not


def test_what_aws_no_longer_holds_is_gone_with_all_that_hung_on_it(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    for model in (IAMUser, IAMGroup, IAMPolicy):
        model.objects.update(read_at=database_now() - 6 * MINUTE)
    backend = vars(aws.backend(full.account_id))
    for held in ("users", "groups", "managed_policies", "virtual_mfa_devices"):
        backend[held].clear()

    account_import = read(full)

    assert account_import.counts["gone"] == 1
    assert not IAMUser.objects.present().exists()
    assert not IAMGroup.objects.present().exists()
    assert not AccessKey.objects.present().exists()
    assert IAMPolicy.objects.get().gone_at is not None
    for hanging in (GroupMembership, LoginProfile, MFADevice):
        assert not hanging._default_manager.exists()


def test_what_was_read_a_moment_ago_is_not_gone_yet(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    vars(aws.backend(full.account_id))["users"].clear()

    assert read(full).counts["gone"] == 0
    assert IAMUser.objects.present().count() == 1


def test_a_page_that_fails_makes_nobody_gone(aws: AWS, bare: Account, read: Read, monkeypatch: Any) -> None:
    monkeypatch.setattr("portal.aws.calls.PAGE_SIZE", 2)
    iam = aws.boto3(bare.account_id)
    for number in range(5):
        iam.create_user(UserName=f"user-{number}")
    assert read(bare).counts["iam_users"] == 5
    IAMUser.objects.update(read_at=database_now() - 60 * MINUTE)
    aws.faults.inject("GetAccountAuthorizationDetails", Fault.DENY, nth=2)

    assert read(bare).state == AccountImport.State.FAILED
    assert IAMUser.objects.present().count() == 5


def test_a_name_that_was_made_again_is_another_user(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    IAMUser.objects.update(read_at=database_now() - 6 * MINUTE)
    vars(aws.backend(full.account_id))["users"].clear()
    aws.boto3(full.account_id).create_user(UserName="mia")

    account_import = read(full)

    assert (account_import.counts["new"], account_import.counts["gone"]) == (1, 1)
    old, new = IAMUser.objects.order_by("pk")
    assert (old.is_in_aws, new.is_in_aws) == (False, True)
    assert old.user_id != new.user_id
    assert not new.access_keys.exists()
    assert new.tags == {}


def test_a_name_that_was_made_again_a_moment_ago_waits_for_a_later_import(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    vars(aws.backend(full.account_id))["users"].clear()
    aws.boto3(full.account_id).create_user(UserName="MIA")

    assert read(full).state == AccountImport.State.APPLIED
    assert IAMUser.objects.get().user_name == "mia"

    IAMUser.objects.update(read_at=database_now() - 6 * MINUTE)
    read(full)
    assert IAMUser.objects.present().get().user_name == "MIA"


# One at a time


def test_an_import_runs_once(aws: AWS, full: Account, read: Read) -> None:
    account_import = read(full)
    calls = len(aws.trace)

    importers.run(account_import.pk)

    assert len(aws.trace) == calls


def test_a_reading_that_was_taken_for_dead_is_not_applied(
    aws: AWS, full: Account, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = running.fetch

    def fetch_slowly(*args: Any, **kwargs: Any) -> object:
        snapshot = fetch(*args, **kwargs)
        AccountImport.objects.update(state=AccountImport.State.FAILED, error="Taken for dead.")
        return snapshot

    monkeypatch.setattr(running, "fetch", fetch_slowly)

    account_import = read(full)

    assert (account_import.state, account_import.error) == (AccountImport.State.FAILED, "Taken for dead.")
    assert not IAMUser.objects.exists()
    assert not Entry.objects.exists()
