"""Carrying "Revert": AWS follows the record, whatever it has become since, and nobody else's user is touched."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account, Drift, IAMUser, IAMUserRecord, Person, Team
from accounts.usecases import deliveries, iam_users
from accounts.usecases.drift import revert_drift
from portal.aws.iam import IAM
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import deliver_until_quiet, users
from tests.aws.server import AWS, Server
from tests.faults.drifting import CHANGES, DRIFTED, READ, WRITE, document, prepare
from tests.faults.enumerated import NAME, TAGS, House, Picture

each_attribute = pytest.mark.parametrize("attribute", CHANGES)
WHY = "Nobody here decided that"


@pytest.fixture
def house(
    aws: AWS, aws_server: Server, prod: Account, payments: Team, olive: Person, lena: Person, tmp_path: Path
) -> House:
    """Acme's first account."""
    return House(aws, aws_server.layer, prod, payments, olive, lena, tmp_path)


@pytest.fixture
def outside(aws: AWS, prod: Account) -> Any:
    """AWS as somebody else's hands reach it."""
    return aws.boto3(prod.account_id)


def drifted(house: House, attribute: str) -> IAMUser:
    row = prepare(CHANGES[attribute], attribute, house)
    row.refresh_from_db()
    return row


def revert(house: House) -> Delivery:
    revert_drift(by=house.olive, drifts=list(Drift.objects.open()), reason=WHY, at=database_now())
    return deliver_until_quiet()


def as_decided(house: House) -> Picture:
    """What AWS holds of the one user, without what no record says."""
    (user,) = house.picture()["users"].values()
    return {key: user[key] for key in ("path", "tags", "groups", "boundary", "attached", "inline")}


DECIDED = {
    "path": "/",
    "tags": TAGS,
    "groups": ["administrators"],
    "boundary": READ,
    "attached": [READ],
    "inline": {"inline": document("s3:read")},
}


@each_attribute
def test_aws_follows_the_record_and_the_row_follows_aws(house: House, attribute: str) -> None:
    row = drifted(house, attribute)
    assert as_decided(house) != DECIDED or attribute == "user_name"

    assert revert(house).state == Delivery.State.DONE

    assert as_decided(house) == DECIDED
    assert list(house.picture()["users"]) == [NAME]
    row.refresh_from_db()
    assert (row.user_name, row.path, row.peoples_tags) == (NAME, "/", TAGS)
    assert (row.attached_policy_arns, row.inline_policies) == ([READ], {"inline": document("s3:read")})
    assert not Drift.objects.open().exists()


def also_groups(iam: Any) -> None:
    iam.create_group(GroupName="later")
    iam.add_user_to_group(UserName=NAME, GroupName="later")


def also_policies(iam: Any) -> None:
    iam.attach_user_policy(UserName=NAME, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def also_inline(iam: Any) -> None:
    iam.put_user_policy(UserName=NAME, PolicyName="later", PolicyDocument=INLINE)


INLINE = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
LATER: dict[str, Callable[[Any], None]] = {
    "group_names": also_groups,
    "attached_policy_arns": also_policies,
    "inline_policies": also_inline,
}


@pytest.mark.parametrize("attribute", LATER)
def test_what_has_come_since_goes_too(house: House, outside: Any, attribute: str) -> None:
    drifted(house, attribute)
    revert_drift(by=house.olive, drifts=list(Drift.objects.all()), reason=WHY, at=database_now())
    LATER[attribute](outside)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert as_decided(house) == DECIDED


def test_tags_that_have_come_since_go_too_and_the_portals_own_stay(house: House, outside: Any) -> None:
    drifted(house, "tags")
    revert_drift(by=house.olive, drifts=list(Drift.objects.all()), reason=WHY, at=database_now())
    outside.tag_user(UserName=NAME, Tags=[{"Key": "later", "Value": "1"}, {"Key": "gatehouse:other", "Value": "own"}])

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert as_decided(house)["tags"] == {**TAGS, "gatehouse:other": "own"}


def test_a_tag_in_other_letters_is_put_in_awss_own(house: House, outside: Any) -> None:
    """IAM keeps one tag of the two, so to put "stage" beside "Stage" would be one too many."""
    drifted(house, "tags")
    outside.untag_user(UserName=NAME, TagKeys=["stage", "foreign"])
    outside.tag_user(UserName=NAME, Tags=[{"Key": "Stage", "Value": "test"}])

    assert revert(house).state == Delivery.State.DONE
    assert as_decided(house)["tags"] == {"Stage": "prod", "old": "1"}


@each_attribute
def test_what_aws_holds_as_decided_by_then_is_left_so(house: House, outside: Any, attribute: str) -> None:
    drifted(house, attribute)
    revert(house)
    again = factories.drift(
        IAMUser.objects.get(), attribute=attribute, **_values(attribute), state="reverted", ended_at=database_now()
    )
    Delivery.objects.update(state="due", done_at=None)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert as_decided(house) == DECIDED
    assert again.state == "reverted"


def _values(attribute: str) -> dict[str, Any]:
    value = getattr(IAMUserRecord.objects.get(), attribute)
    return {"decided": value, "held": value}


@each_attribute
def test_another_user_of_that_name_is_left_alone(house: House, outside: Any, attribute: str) -> None:
    row = drifted(house, attribute)
    vars(house.aws.backend(house.account.account_id))["users"].pop(row.user_name)
    outside.create_user(UserName=row.user_name)

    delivery = revert(house)

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "another IAM user now" in delivery.error
    (found,) = users(house.aws, house.account).values()
    assert found["groups"] == set()


@each_attribute
def test_one_that_is_gone_is_said_in_words(house: House, attribute: str) -> None:
    row = drifted(house, attribute)
    vars(house.aws.backend(house.account.account_id))["users"].pop(row.user_name)

    delivery = revert(house)

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "cannot be found" in delivery.error


def without_group(iam: Any) -> None:
    iam.delete_group(GroupName="administrators")


def without_policy(iam: Any) -> None:
    iam.delete_user_permissions_boundary(UserName=NAME)
    iam.delete_policy(PolicyArn=READ)


def without_boundary(iam: Any) -> None:
    iam.detach_user_policy(UserName=NAME, PolicyArn=READ)
    iam.delete_policy(PolicyArn=READ)


@pytest.mark.parametrize(
    ("attribute", "lose", "words"),
    [
        ("group_names", without_group, "the group administrators is not there"),
        ("attached_policy_arns", without_policy, "the policy arn:aws:iam::111122223333:policy/read is not there"),
        ("permissions_boundary_arn", without_boundary, "the permissions boundary arn:aws:iam::111122223333:policy"),
    ],
)
def test_what_aws_lost_must_be_made_first(
    house: House, outside: Any, attribute: str, lose: Callable[[Any], None], words: str
) -> None:
    drifted(house, attribute)
    lose(outside)

    delivery = revert(house)

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert words in delivery.error


def test_a_boundary_that_was_put_on_goes(house: House, outside: Any) -> None:
    row = drifted(house, "permissions_boundary_arn")
    outside.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=WRITE)
    IAMUser.objects.filter(pk=row.pk).update(permissions_boundary_arn=WRITE)
    IAMUserRecord.objects.update(permissions_boundary_arn="")
    Drift.objects.update(decided="", held=WRITE)

    assert revert(house).state == Delivery.State.DONE
    assert as_decided(house)["boundary"] == ""


def test_a_name_that_another_user_has_in_aws_is_a_conflict(house: House, outside: Any) -> None:
    drifted(house, "user_name")
    outside.create_user(UserName=NAME)

    delivery = revert(house)

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert set(house.picture()["users"]) == {NAME, DRIFTED}


def test_a_name_that_another_row_has_here_by_then_asks_for_a_reading(house: House) -> None:
    drifted(house, "user_name")
    revert_drift(by=house.olive, drifts=list(Drift.objects.all()), reason=WHY, at=database_now())
    factories.iam_user(house.account, NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "Refresh the account" in delivery.error
    assert list(house.picture()["users"]) == [DRIFTED]


@each_attribute
def test_what_aws_never_shows_needs_a_human(house: House, monkeypatch: pytest.MonkeyPatch, attribute: str) -> None:
    """As if somebody undid it after each attempt."""
    drifted(house, attribute)
    with monkeypatch.context() as patch:
        for undone in _writes():
            patch.setattr(IAM, undone, lambda self, **named: None)
        delivery = revert(house)

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "does not show the change" in delivery.error


def _writes() -> Iterator[str]:
    prefixes = ("tag_", "untag_", "add_", "remove_", "attach_", "detach_", "put_", "delete_user_p", "update_user")
    return (name for name in dir(IAM) if name.startswith(prefixes))


def test_given_up_the_drift_waits_again_and_the_record_stays(house: House) -> None:
    row = drifted(house, "tags")
    vars(house.aws.backend(house.account.account_id))["users"].pop(row.user_name)
    delivery = revert(house)

    deliveries.give_up(by=house.olive, delivery=delivery, reason="It is gone", at=database_now())

    assert Drift.objects.get().state == Drift.State.OPEN
    assert row.record.attributes.tags == TAGS


def test_what_else_is_open_of_it_is_told_anew_once_something_has_arrived(house: House, outside: Any) -> None:
    row = drifted(house, "tags")
    groups = factories.drift(row, attribute="group_names", decided=["administrators"], held=[])
    revert_drift(by=house.olive, drifts=list(Drift.objects.filter(attribute="tags")), reason=WHY, at=database_now())

    deliver_until_quiet()

    groups.refresh_from_db()
    assert groups.state == Drift.State.ENDED
    outside.get_user(UserName=NAME)


def test_one_that_is_gone_is_made_anew_with_what_can_come_back(house: House) -> None:
    row = drifted(house, "attached_policy_arns")
    Drift.objects.all().delete()
    vars(house.aws.backend(house.account.account_id))["users"].pop(NAME)
    IAMUser.objects.filter(pk=row.pk).update(gone_at=database_now())
    IAMUserRecord.objects.update(permissions_boundary_arn=READ)
    record = IAMUserRecord.objects.get()
    factories.drift(row, kind="gone", attribute="", decided=record.attributes.stored(), held=None)

    assert revert(house).state == Delivery.State.DONE

    anew = IAMUser.objects.present().get()
    held = house.picture()["users"][NAME]
    assert (anew.user_id, anew.user_id != row.user_id) == (held["user_id"], True)
    assert (held["groups"], held["boundary"], held["path"]) == (["administrators"], READ, "/")
    assert anew.peoples_tags == TAGS
    assert held["attached"] == anew.attached_policy_arns == [READ]


def test_one_that_is_deleted_here_is_not_managed_any_more_and_nothing_of_it_waits(house: House) -> None:
    row = drifted(house, "tags")
    iam_users.delete_iam_user(by=house.olive, iam_user=row, reason="Left", at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert not IAMUserRecord.objects.exists()
    assert Drift.objects.get().state == Drift.State.ENDED
