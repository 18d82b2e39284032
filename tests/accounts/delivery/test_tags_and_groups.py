"""Carrying "Set tags", "Add to group" and "Remove from group": each as often as need be, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases.iam_users import add_iam_user_to_group, remove_iam_user_from_group, tag_iam_user
from portal.aws.iam import IAM
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import Death, deliver_until_quiet, users
from tests.aws.lag import Lag
from tests.aws.server import AWS
from tests.aws.strict import LAGGING_READS, Fault

NAME = "ledger-writer"
CHANGES = ["tag", "add", "remove"]
TAGS = {"stage": "prod", "old": "1", "gatehouse:entry": "b7c5a1de-0000-4000-8000-000000000001"}
AFTERWARDS: dict[str, dict[str, Any]] = {
    "tag": {
        "tags": {"stage": "test", "new": "", "gatehouse:entry": TAGS["gatehouse:entry"]},
        "groups": {"administrators"},
    },
    "add": {"tags": TAGS, "groups": {"administrators", "ledger-writers"}},
    "remove": {"tags": TAGS, "groups": set()},
}
CALLS = {
    "tag": ["AssumeRole", "GetUser", "UntagUser", "TagUser", "GetUser", "ListGroupsForUser"],
    "add": ["AssumeRole", "GetUser", "AddUserToGroup", "GetUser", "ListGroupsForUser"],
    "remove": ["AssumeRole", "GetUser", "RemoveUserFromGroup", "GetUser", "ListGroupsForUser"],
}
FAULTS = (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.DENY, Fault.READ_LAG)

Decide = Callable[[str], None]


@pytest.fixture
def user(aws: AWS, prod: Account, payments: Team, administrators: IAMGroup) -> IAMUser:
    """An IAM user in `administrators`, in AWS and as the portal last read it."""
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName=NAME, Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    iam.add_user_to_group(UserName=NAME, GroupName="administrators")
    told = iam.get_user(UserName=NAME)["User"]
    row = factories.iam_user(
        prod,
        NAME,
        team=payments,
        tags=TAGS,
        user_id=told["UserId"],
        create_date=told["CreateDate"] - timedelta(hours=1),
    )
    factories.group_membership(row, administrators)
    return row


@pytest.fixture
def decide(lena: Person, user: IAMUser, ledger_writers: IAMGroup) -> Decide:
    """Lena decides one of the three."""

    def decide(change: str) -> None:
        at = database_now()
        if change == "tag":
            tag_iam_user(by=lena, iam_user=user, tags={"stage": "test", "new": ""}, at=at)
        elif change == "add":
            add_iam_user_to_group(by=lena, iam_user=user, group_name="ledger-writers", at=at)
        else:
            remove_iam_user_from_group(by=lena, iam_user=user, group_name="administrators", at=at)

    return decide


def assert_it_arrived(aws: AWS, account: Account, change: str) -> None:
    """AWS holds it, and the row says what AWS holds."""
    found = users(aws, account)[NAME]
    assert {"tags": found["tags"], "groups": found["groups"]} == AFTERWARDS[change]
    row = IAMUser.objects.get()
    groups = set(row.group_memberships.values_list("iam_group__group_name", flat=True))
    assert {"tags": row.tags, "groups": groups} == AFTERWARDS[change]


@pytest.mark.parametrize("change", CHANGES)
def test_it_arrives(aws: AWS, prod: Account, decide: Decide, change: str) -> None:
    decide(change)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert [call.operation for call in aws.trace] == CALLS[change]
    assert_it_arrived(aws, prod, change)


@pytest.mark.parametrize(
    ("change", "operation", "nth", "fault"),
    [
        (change, operation, calls[: at + 1].count(operation), fault)
        for change, calls in CALLS.items()
        for at, operation in enumerate(calls)
        for fault in FAULTS
    ],
)
def test_it_gets_over_every_fault(
    aws: AWS, prod: Account, decide: Decide, change: str, operation: str, nth: int, fault: Fault
) -> None:
    decide(change)
    aws.faults.inject(operation, fault, nth=nth)

    delivery = deliver_until_quiet()
    if fault is Fault.DENY:
        assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "denied")
        worker.retry(delivery=delivery)
        delivery = deliver_until_quiet()

    assert delivery.state == Delivery.State.DONE
    assert_it_arrived(aws, prod, change)


@pytest.mark.parametrize(
    ("change", "calls"), [(change, n + 1) for change in CHANGES for n in range(len(CALLS[change]))]
)
def test_it_gets_over_the_death_of_its_worker(
    aws: AWS, prod: Account, decide: Decide, change: str, calls: int, dying: Callable[[int], None]
) -> None:
    decide(change)

    dying(calls)
    with pytest.raises(Death):
        worker.deliver_due()
    Delivery.objects.update(lease_until=database_now() - timedelta(seconds=1))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived(aws, prod, change)


def test_what_was_done_elsewhere_meanwhile_stays(aws: AWS, prod: Account, decide: Decide) -> None:
    decide("tag")
    iam = aws.boto3(prod.account_id)
    iam.tag_user(UserName=NAME, Tags=[{"Key": "foreign", "Value": "stays"}])

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert users(aws, prod)[NAME]["tags"] == AFTERWARDS["tag"]["tags"] | {"foreign": "stays"}
    assert IAMUser.objects.get().tags["foreign"] == "stays"


def test_a_tag_whose_letters_change_case_is_not_lost(aws: AWS, prod: Account, lena: Person, user: IAMUser) -> None:
    """IAM ignores the case of users' tag keys: taking "stage" off after "Stage" was put would leave neither."""
    tag_iam_user(by=lena, iam_user=user, tags={"Stage": "prod", "old": "1"}, at=database_now())

    deliver_until_quiet()

    assert [call.operation for call in aws.trace if "ag" in call.operation] == ["UntagUser", "TagUser"]
    assert users(aws, prod)[NAME]["tags"]["Stage"] == "prod"


@pytest.mark.parametrize("change", CHANGES)
def test_another_user_of_that_name_is_left_alone(aws: AWS, prod: Account, decide: Decide, change: str) -> None:
    decide(change)
    iam = aws.boto3(prod.account_id)
    iam.remove_user_from_group(UserName=NAME, GroupName="administrators")
    iam.delete_user(UserName=NAME)
    iam.create_user(UserName=NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "another IAM user now" in delivery.error
    assert users(aws, prod)[NAME] == {"path": "/", "tags": {}, "groups": set()}


@pytest.mark.parametrize("change", CHANGES)
def test_a_user_that_is_gone_is_said_in_words(aws: AWS, prod: Account, decide: Decide, change: str) -> None:
    decide(change)
    vars(aws.backend(prod.account_id))["users"].pop(NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "ledger-writer cannot be found" in delivery.error


@pytest.mark.parametrize("change", CHANGES)
def test_a_user_that_was_just_made_is_waited_for(aws: AWS, prod: Account, decide: Decide, change: str) -> None:
    decide(change)
    IAMUser.objects.update(create_date=database_now())
    aws.faults.inject("GetUser", Fault.ABSENT)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived(aws, prod, change)


def test_a_group_that_is_gone_is_said_in_words(aws: AWS, prod: Account, decide: Decide) -> None:
    decide("add")
    aws.boto3(prod.account_id).delete_group(GroupName="ledger-writers")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "the group ledger-writers is not there" in delivery.error


@pytest.mark.parametrize("gone", ["membership", "group"])
def test_to_be_out_of_the_group_already_is_what_was_wanted(aws: AWS, prod: Account, decide: Decide, gone: str) -> None:
    decide("remove")
    iam = aws.boto3(prod.account_id)
    iam.remove_user_from_group(UserName=NAME, GroupName="administrators")
    if gone == "group":
        iam.delete_group(GroupName="administrators")

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived(aws, prod, "remove")


def test_an_eleventh_group_is_refused_by_aws_in_its_words(aws: AWS, prod: Account, decide: Decide) -> None:
    decide("add")
    iam = aws.boto3(prod.account_id)
    for number in range(9):
        iam.create_group(GroupName=f"group-{number}")
        iam.add_user_to_group(UserName=NAME, GroupName=f"group-{number}")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "GroupsPerUser" in delivery.error


def test_a_reading_that_is_older_than_the_row_is_not_written_over_it(aws: AWS, prod: Account, decide: Decide) -> None:
    decide("tag")
    newer = database_now() + timedelta(minutes=1)
    IAMUser.objects.update(read_at=newer, tags={"newer": "yes"})

    assert deliver_until_quiet().state == Delivery.State.DONE
    row = IAMUser.objects.get()
    assert (row.read_at, row.tags) == (newer, {"newer": "yes"})


@pytest.mark.parametrize("change", CHANGES)
def test_what_aws_never_shows_needs_a_human(
    aws: AWS, prod: Account, decide: Decide, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if somebody undid it after each attempt."""
    decide(change)
    with monkeypatch.context() as patch:
        for undone in ("tag_user", "untag_user", "add_user_to_group", "remove_user_from_group"):
            patch.setattr(IAM, undone, lambda self, **named: None)
        delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "does not show the change" in delivery.error
    worker.retry(delivery=delivery)
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived(aws, prod, change)


def test_a_membership_that_aws_does_not_show_yet_is_ended_all_the_same(aws: AWS, prod: Account, decide: Decide) -> None:
    aws.boto3(prod.account_id).remove_user_from_group(UserName=NAME, GroupName="administrators")
    aws.faults.lag = Lag.now(prod.account_id, reads=LAGGING_READS)
    aws.boto3(prod.account_id).add_user_to_group(UserName=NAME, GroupName="administrators")
    decide("remove")

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived(aws, prod, "remove")
