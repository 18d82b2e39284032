"""A05: an approval is looked at once more before AWS is called; where anything it is bound to changed, nothing is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import requestable
from accounts.models import (
    Account,
    Duty,
    Envelope,
    GroupGrant,
    IAMGroup,
    IAMPolicy,
    IAMUser,
    Membership,
    Person,
    Request,
    Team,
)
from accounts.usecases.requests import approve_request
from portal.ledger import deliver as worker
from portal.ledger.handlers import Outdated, handler_of
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import deliver_until_quiet, users
from tests.accounts.usecases.test_make_request import ask
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME = "ledger-writer"
DOCUMENT = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}

Mutate = Callable[[Request], Any]


@pytest.fixture
def iam_user(aws: AWS, prod: Account, payments: Team, administrators: IAMGroup) -> IAMUser:
    """In AWS, with a boundary; the group that is asked for carries a policy."""
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName=NAME)
    told = iam.get_user(UserName=NAME)["User"]
    carried = factories.iam_policy(prod, "everything", default_version_id="v3", document=DOCUMENT)
    boundary = factories.iam_policy(prod, "boundary", default_version_id="v1", document=DOCUMENT)
    IAMGroup.objects.filter(pk=administrators.pk).update(attached_policy_arns=[carried.arn])
    return factories.iam_user(
        prod,
        NAME,
        team=payments,
        user_id=told["UserId"],
        create_date=told["CreateDate"] - timedelta(hours=1),
        permissions_boundary_arn=boundary.arn,
    )


@pytest.fixture
def approved(olive: Person, lena: Person, iam_user: IAMUser) -> Request:
    """Lena asked for administrators until the day after tomorrow, Olive approved."""
    request = ask(lena, iam_user, until=timezone.now() + timedelta(days=2))
    return approve_request(by=olive, request=request, at=timezone.now())


def test_while_all_is_as_it_was_it_arrives(aws: AWS, prod: Account, approved: Request) -> None:
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert users(aws, prod)[NAME]["groups"] == {"administrators"}
    approved.refresh_from_db()
    assert approved.state == "approved"


def on(model: Any, **changes: Any) -> Mutate:
    return lambda request: model.objects.update(**changes)


def of_policy(name: str, **changes: Any) -> Mutate:
    return lambda request: IAMPolicy.objects.filter(policy_name=name).update(**changes)


def of_group(**changes: Any) -> Mutate:
    return lambda request: IAMGroup.objects.filter(group_name="administrators").update(**changes)


def of_request(**changes: Any) -> Mutate:
    return lambda request: Request.objects.filter(pk=request.pk).update(**changes)


def add_a_policy(request: Request) -> None:
    group = IAMGroup.objects.get(group_name="administrators")
    policy = factories.iam_policy(group.account, "more")
    group.attached_policy_arns = [*group.attached_policy_arns, policy.arn]
    group.save()


def other_team(request: Request) -> None:
    IAMUser.objects.update(team=factories.team(request.organization, "Elsewhere"))


def end_memberships(of: str) -> Mutate:
    return lambda request: Membership.objects.filter(person=getattr(request, of)).update(ended_at=timezone.now())


def end_and_begin_again(request: Request) -> None:
    assert request.decided_by is not None
    Membership.objects.filter(person=request.decided_by).update(ended_at=timezone.now())
    factories.membership(request.decided_by, Duty.OWNER, of=request.organization)


def disable_the_approver(request: Request) -> None:
    assert request.decided_by is not None
    request.decided_by.is_active = False
    request.decided_by.save()


def approve_ones_own(request: Request) -> None:
    """As if the row had been written to by other means; the constraint refuses the person who asked as approver."""
    Request.objects.filter(pk=request.pk).update(made_by=factories.person("else@acme.test"))


MUTATIONS: dict[str, Mutate] = {
    "the IAM user's unique id": on(IAMUser, user_id="AIDAANOTHER"),
    "the IAM user's team": other_team,
    "the IAM user is gone": on(IAMUser, gone_at=factories.READ_AT),
    "the IAM user's path": on(IAMUser, path="/elsewhere/"),
    "the IAM user's boundary": on(IAMUser, permissions_boundary_arn=""),
    "the boundary's document": of_policy("boundary", document={}),
    "the envelope's version": on(Envelope, version=2),
    "the group's unique id": of_group(group_id="AGPAANOTHER"),
    "the group's inline policies": of_group(inline_policies={"more": DOCUMENT}),
    "the group's policies": add_a_policy,
    "the group is gone": of_group(gone_at=factories.READ_AT),
    "the policy's default version": of_policy("everything", default_version_id="v4"),
    "the policy's document": of_policy("everything", document={}),
    "the policy made anew": of_policy("everything", policy_id="ANPAANOTHER"),
    "the change": of_request(change={"group": "ledger-writers", "until": ""}),
    "the expiry": lambda request: of_request(expires_at=request.expires_at + timedelta(days=1))(request),
    "the binding": of_request(binding="1" * 64),
    "the state": of_request(state="withdrawn"),
    "the approver's duty ended": end_memberships("decided_by"),
    "the approver's duty began anew": end_and_begin_again,
    "the approver is disabled": disable_the_approver,
    "the requester's duty ended": end_memberships("made_by"),
    "the requester is disabled": lambda request: Person.objects.filter(pk=request.made_by_id).update(is_active=False),
    "the requester": approve_ones_own,
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_whatever_it_is_bound_to_changes_aws_is_not_called(
    aws: AWS, prod: Account, approved: Request, what: str
) -> None:
    MUTATIONS[what](approved)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert delivery.error.startswith("The portal did not carry it out, and AWS was not asked: ")
    assert list(aws.trace) == []
    assert users(aws, prod)[NAME]["groups"] == set()


def test_what_was_approved_in_time_and_carried_too_late_is_not_done(
    aws: AWS, olive: Person, lena: Person, iam_user: IAMUser
) -> None:
    Membership.objects.update(created_at=factories.READ_AT)
    then = timezone.now() - timedelta(days=8)
    request = ask(lena, iam_user, at=then)
    approve_request(by=olive, request=request, at=then + timedelta(hours=1))

    assert deliver_until_quiet().stuck_kind == "outdated"

    request.refresh_from_db()
    assert (request.state, request.words) == ("lapsed", requestable.TOO_LATE)
    assert list(aws.trace) == []


def test_the_request_lapses_and_its_grant_ends_once(aws: AWS, approved: Request) -> None:
    MUTATIONS["the envelope's version"](approved)

    delivery = deliver_until_quiet()
    worker.retry(delivery=delivery)
    again = deliver_until_quiet()

    approved.refresh_from_db()
    assert (approved.state, approved.words[:19]) == ("lapsed", "What it would chang")
    assert Entry.objects.filter(kind="accounts.request.lapsed").count() == 1
    assert GroupGrant.objects.get().ended_why == "lapsed"
    # Tried again it is refused again, also where all is as it was once more.
    Envelope.objects.update(version=1)
    worker.retry(delivery=again)
    assert deliver_until_quiet().state == Delivery.State.STUCK
    assert list(aws.trace) == []


def test_an_entry_that_says_more_than_was_approved_is_not_carried(aws: AWS, approved: Request) -> None:
    """As if a use-case had written another group, or another IAM user, under the same approval."""
    entry = Entry.objects.get(kind="accounts.iam_user.added_to_group")
    delivery = Delivery.objects.get()
    entry.details = {**entry.details, "group": "ledger-writers"}
    handler = handler_of(entry.kind)

    assert handler is not None
    with pytest.raises(Outdated, match="AWS was not asked"):
        handler.carry(entry, delivery)
    assert list(aws.trace) == []


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.READ_LAG])
@pytest.mark.parametrize("operation", ["GetUser", "AddUserToGroup", "ListGroupsForUser"])
def test_it_gets_over_every_fault(aws: AWS, prod: Account, approved: Request, operation: str, fault: Fault) -> None:
    aws.faults.inject(operation, fault)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert users(aws, prod)[NAME]["groups"] == {"administrators"}
