"""Carrying "Create IAM user" to AWS: whatever goes wrong on the way, one user in the end, or a sentence for a human."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, GroupMembership, IAMGroup, IAMUser, Person, Source, Team
from accounts.usecases.iam_users import create_iam_user
from portal.aws import connect
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import Death, age, deliver_until_quiet, users
from tests.aws.server import AWS
from tests.aws.strict import Fault

GROUPS = ["administrators", "ledger-writers"]
PATH = "/portal/acme/payments/"
NAME = "ledger-writer"

# The calls of one creation, in order; the first test below holds it to this list.
CALLS = ["AssumeRole", "CreateUser", "AddUserToGroup", "AddUserToGroup", "GetUser", "ListGroupsForUser"]
STEPS = [(operation, CALLS[: index + 1].count(operation)) for index, operation in enumerate(CALLS)]
# What a human must look at; everything else the portal gets over by itself.
STUCK = {Fault.DENY: "denied", Fault.UNKNOWN: "unknown"}

Decide = Callable[..., IAMUser]


@pytest.fixture
def decide(olive: Person, payments: Team, prod: Account) -> Decide:
    """Olive decides that an application's IAM user shall exist."""

    def decide(**changes: Any) -> IAMUser:
        told: dict[str, Any] = {
            "by": olive,
            "team": payments,
            "account": prod,
            "user_name": NAME,
            "kind": "application",
            "purpose": "Writes the ledger",
            "group_names": GROUPS,
            "tags": {"stage": "prod", "cost-center": "4711"},
            "at": database_now(),
        }
        return create_iam_user(**told | changes)

    return decide


def entry_tag() -> dict[str, str]:
    return {"gatehouse:entry": str(Entry.objects.get(kind="accounts.iam_user.created").pk)}


def assert_it_arrived_once(aws: AWS, account: Account) -> None:
    """One user in AWS, whole; one entry; a row that says what AWS holds."""
    assert users(aws, account) == {
        NAME: {"path": PATH, "tags": {"stage": "prod", "cost-center": "4711"} | entry_tag(), "groups": set(GROUPS)}
    }
    row = IAMUser.objects.get()
    told = aws.boto3(account.account_id).get_user(UserName=NAME)["User"]
    assert (row.user_id, row.create_date, row.arn) == (told["UserId"], told["CreateDate"], told["Arn"])
    assert row.tags == {"stage": "prod", "cost-center": "4711"} | entry_tag()
    assert row.source == Source.GET_USER
    assert set(row.group_memberships.values_list("iam_group__group_name", flat=True)) == set(GROUPS)
    assert Entry.objects.count() == 1


def test_it_makes_the_user_with_tags_and_groups_and_reads_it_back(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.attempts, delivery.error) == (Delivery.State.DONE, 1, "")
    assert_it_arrived_once(aws, prod)
    assert [call.operation for call in aws.trace] == CALLS


def test_it_gives_the_user_its_permissions_boundary(aws: AWS, prod: Account, payments: Team, decide: Decide) -> None:
    outside = aws.boto3(prod.account_id)
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    arn = outside.create_policy(PolicyName="portal-boundary", PolicyDocument=document)["Policy"]["Arn"]
    payments.envelope.permissions_boundary = factories.iam_policy(prod, "portal-boundary", arn=arn)
    payments.envelope.save()
    decide()

    deliver_until_quiet()

    told = outside.get_user(UserName=NAME)["User"]["PermissionsBoundary"]
    assert told["PermissionsBoundaryArn"] == IAMUser.objects.get().permissions_boundary_arn == arn


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(("operation", "nth"), STEPS)
def test_it_gets_over_every_fault_at_every_call(
    aws: AWS, prod: Account, decide: Decide, fault: Fault, operation: str, nth: int
) -> None:
    decide()
    aws.faults.inject(operation, fault, nth=nth)

    delivery = deliver_until_quiet()

    if delivery.state == Delivery.State.STUCK:
        assert fault in STUCK or (operation, fault) in {("AssumeRole", Fault.ABSENT), ("CreateUser", Fault.ABSENT)}
        assert delivery.stuck_kind == STUCK.get(fault, delivery.stuck_kind)
        assert delivery.error[0].isupper()
        assert delivery.error.endswith(".")
        worker.retry(delivery=delivery)
        delivery = deliver_until_quiet()
    assert delivery.state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE])
def test_a_write_whose_answer_was_lost_is_not_sent_again_by_the_library(
    aws: AWS, prod: Account, decide: Decide, fault: Fault
) -> None:
    decide()
    aws.faults.inject("CreateUser", fault)

    worker.deliver_due()

    assert len(aws.calls("CreateUser")) == 1
    assert Delivery.objects.get().state == Delivery.State.WAITING
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert len(aws.calls("CreateUser")) == 2


def test_it_converges_however_often_the_answers_are_lost(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    for operation in set(CALLS):
        aws.faults.inject(operation, Fault.DROP_AFTER, times=3)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


@pytest.mark.parametrize("calls", range(1, len(CALLS) + 1))
def test_a_worker_that_dies_after_any_call_is_followed_by_one_that_finishes(
    aws: AWS, prod: Account, decide: Decide, calls: int, dying: Callable[[int], None]
) -> None:
    decide()

    dying(calls)
    with pytest.raises(Death):
        worker.deliver_due()
    assert Delivery.objects.get().state == Delivery.State.CALLING
    Delivery.objects.update(lease_until=database_now() - timedelta(seconds=1))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


# A name that is taken


@pytest.mark.parametrize("path", ["/", PATH])
@pytest.mark.parametrize("name", [NAME, NAME.upper()])
def test_a_user_that_was_made_elsewhere_is_not_adopted(
    aws: AWS, prod: Account, decide: Decide, name: str, path: str
) -> None:
    decide()
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=name, Path=path, Tags=[{"Key": "stage", "Value": "theirs"}])

    delivery = deliver_until_quiet()
    if delivery.state == Delivery.State.WAITING:
        # AWS says that the name is taken and shows nobody of it: a while passes before that counts.
        Delivery.objects.update(baseline=(database_now() - timedelta(minutes=6)).isoformat())
        delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "already exists" in delivery.error
    assert users(aws, prod) == {name: {"path": path, "tags": {"stage": "theirs"}, "groups": set()}}
    assert not IAMUser.objects.get().is_in_aws


def test_a_tag_of_another_entry_does_not_make_it_ours(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    forged = [{"Key": "gatehouse:entry", "Value": "b7c5a1de-0000-4000-8000-000000000001"}]
    # All but the tag is as it was decided.
    aws.boto3(prod.account_id).create_user(UserName=NAME, Path=PATH, Tags=forged)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert users(aws, prod)[NAME]["groups"] == set()


def test_what_an_earlier_attempt_made_is_adopted(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    tags = {"stage": "prod", "cost-center": "4711"} | entry_tag()
    aws.boto3(prod.account_id).create_user(
        UserName=NAME, Path=PATH, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


# What is not there


def test_a_group_that_is_gone_is_said_in_words_and_the_rest_is_finished_later(
    aws: AWS, prod: Account, decide: Decide
) -> None:
    decide()
    outside = aws.boto3(prod.account_id)
    outside.delete_group(GroupName="ledger-writers")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "the group ledger-writers is not there" in delivery.error
    assert not IAMUser.objects.get().is_in_aws

    outside.create_group(GroupName="ledger-writers")
    worker.retry(delivery=delivery)
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert users(aws, prod)[NAME]["groups"] == set(GROUPS)


def test_a_boundary_that_is_gone_is_said_in_words(aws: AWS, prod: Account, payments: Team, decide: Decide) -> None:
    payments.envelope.permissions_boundary = factories.iam_policy(prod, "gone-boundary")
    payments.envelope.save()
    decide()

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "gone-boundary is not there" in delivery.error
    assert users(aws, prod) == {}


@pytest.mark.parametrize("operation", ["GetUser", "AddUserToGroup"])
def test_what_was_just_made_and_is_not_seen_yet_is_waited_for(
    aws: AWS, prod: Account, decide: Decide, operation: str
) -> None:
    decide()
    aws.faults.inject(operation, Fault.ABSENT, times=3)

    worker.deliver_due()

    assert Delivery.objects.get().state == Delivery.State.WAITING
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


def test_what_was_made_long_ago_and_is_not_there_is_not_waited_for(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    aws.faults.inject("AddUserToGroup", Fault.THROTTLE)
    worker.deliver_due()
    age(aws, prod, NAME)
    aws.faults.inject("AddUserToGroup", Fault.ABSENT)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")


def test_a_creation_that_waited_for_hours_still_gives_aws_time(aws: AWS, prod: Account, decide: Decide) -> None:
    decide(at=database_now() - timedelta(hours=5))
    aws.faults.inject("GetUser", Fault.ABSENT)

    assert deliver_until_quiet().state == Delivery.State.DONE


# An account that cannot be entered, and an AWS that is down


def test_an_account_that_cannot_be_entered_is_named(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    Account.objects.update(external_id="another-external-id-than-the-roles")

    delivery = deliver_until_quiet()

    assert delivery.state_in_words(database_now()) == "Stuck: AWS denied it"
    assert delivery.error.startswith("AWS denied AssumeRole: account 111122223333 could not be entered")
    assert users(aws, prod) == {}


def test_while_aws_is_down_it_waits_and_afterwards_it_arrives(
    aws: AWS, prod: Account, decide: Decide, settings: Any
) -> None:
    decide()
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    connect.forget_all()

    worker.deliver_due()

    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.WAITING
    assert delivery.not_before is not None
    assert delivery.not_before > database_now()
    assert "could not be reached" in delivery.error

    settings.AWS_ENDPOINT_URL = aws.url
    connect.forget_all()
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_arrived_once(aws, prod)


# Giving up


def test_given_up_the_row_stands_for_nothing(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    aws.faults.inject("CreateUser", Fault.DENY)
    delivery = deliver_until_quiet()
    at = database_now()

    worker.abandon(delivery=delivery, at=at)

    row = IAMUser.objects.get()
    assert (row.gone_at, row.user_id, row.source) == (at, "", "")
    assert not GroupMembership.objects.exists()


def test_a_group_that_no_import_has_seen_is_written_down(
    aws: AWS, prod: Account, decide: Decide, ledger_writers: IAMGroup
) -> None:
    decide()
    outside = aws.boto3(prod.account_id)
    outside.delete_group(GroupName="ledger-writers")
    made_anew = outside.create_group(GroupName="ledger-writers", Path="/anew/")["Group"]

    deliver_until_quiet()

    row = IAMGroup.objects.get(group_id=made_anew["GroupId"])
    assert (row.arn, row.path) == (made_anew["Arn"], "/anew/")
    assert row.group_memberships.count() == 1
