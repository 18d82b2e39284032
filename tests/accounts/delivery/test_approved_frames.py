"""A05 for boundaries and paths: carried as approved, after a lost answer too; not at all where anything changed."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.kinds import Kind
from accounts.models import Account, Envelope, IAMPolicy, IAMUser, Person, Request, Team
from accounts.usecases.requests import approve_request, make_request
from portal.ledger.handlers import Outdated, handler_of
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME = "ledger-writer"
DOCUMENT = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
OUTSIDE = "/elsewhere/"


@pytest.fixture
def policies(aws: AWS, prod: Account) -> dict[str, IAMPolicy]:
    """Two policies in AWS and in the portal's rows: what bounds it, and what it shall be bounded by."""
    iam = aws.boto3(prod.account_id)
    for name in ("boundary", "wide"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(DOCUMENT))
    return {name: factories.iam_policy(prod, name, document=DOCUMENT) for name in ("boundary", "wide")}


@pytest.fixture
def iam_user(aws: AWS, prod: Account, payments: Team, policies: dict[str, IAMPolicy]) -> IAMUser:
    """In AWS, with a boundary."""
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName=NAME, PermissionsBoundary=policies["boundary"].arn)
    told = iam.get_user(UserName=NAME)["User"]
    return factories.iam_user(
        prod,
        NAME,
        team=payments,
        user_id=told["UserId"],
        create_date=told["CreateDate"] - timedelta(hours=1),
        permissions_boundary_arn=policies["boundary"].arn,
    )


def wanted_of(policies: dict[str, IAMPolicy], what: str) -> tuple[Kind, dict[str, str]]:
    return {
        "boundary": (Kind.IAM_USER_BOUNDARY_CHANGED, {"permissions_boundary": policies["wide"].arn}),
        "no boundary": (Kind.IAM_USER_BOUNDARY_CHANGED, {"permissions_boundary": ""}),
        "path": (Kind.IAM_USER_PATH_CHANGED, {"path": OUTSIDE}),
    }[what]


WHAT = ("boundary", "no boundary", "path")
OPERATIONS = {OUTSIDE: "UpdateUser", True: "PutUserPermissionsBoundary", False: "DeleteUserPermissionsBoundary"}


@pytest.fixture
def approved(
    request: pytest.FixtureRequest, olive: Person, lena: Person, iam_user: IAMUser, policies: dict[str, IAMPolicy]
) -> Request:
    """Lena asked, Olive approved."""
    kind, change = wanted_of(policies, request.param)
    asked = make_request(by=lena, kind=kind, about=iam_user, change=change, reason="On call", at=timezone.now())
    return approve_request(by=olive, request=asked, at=timezone.now())


def held(aws: AWS, account: Account) -> tuple[str, str]:
    """Its path and boundary in AWS."""
    user = aws.boto3(account.account_id).get_user(UserName=NAME)["User"]
    return user["Path"], user.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")


def expected(approved: Request) -> tuple[str, str]:
    boundary = IAMPolicy.objects.get(policy_name="boundary").arn
    return approved.change.get("path", "/"), approved.change.get("permissions_boundary", boundary)


@pytest.mark.parametrize("approved", WHAT, indirect=True)
def test_while_all_is_as_it_was_it_arrives(aws: AWS, prod: Account, approved: Request) -> None:
    assert deliver_until_quiet().state == Delivery.State.DONE

    assert held(aws, prod) == expected(approved)
    approved.refresh_from_db()
    assert approved.state == "approved"


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.READ_LAG])
@pytest.mark.parametrize("approved", WHAT, indirect=True)
def test_it_gets_over_every_fault_though_an_import_saw_it_first(
    aws: AWS, prod: Account, approved: Request, fault: Fault
) -> None:
    """What AWS has already by a lost answer is what was approved, and no reason to let the request lapse."""
    operation = OPERATIONS[approved.change.get("path") or bool(approved.change["permissions_boundary"])]
    aws.faults.inject(operation, fault)
    path, boundary = expected(approved)
    IAMUser.objects.update(path=path, permissions_boundary_arn=boundary)

    assert deliver_until_quiet().state == Delivery.State.DONE

    assert held(aws, prod) == expected(approved)
    approved.refresh_from_db()
    assert approved.state == "approved"


Mutate = Callable[[], Any]
MUTATIONS: dict[str, Mutate] = {
    "the IAM user's unique id": lambda: IAMUser.objects.update(user_id="AIDAANOTHER"),
    "the IAM user's boundary": lambda: IAMUser.objects.update(permissions_boundary_arn="arn:aws:iam::1:policy/x"),
    "the IAM user's path": lambda: IAMUser.objects.update(path="/a/third/"),
    "the envelope's version": lambda: Envelope.objects.update(version=2),
    "the change": lambda: Request.objects.update(change={"path": "/", "permissions_boundary": ""}),
    "the state": lambda: Request.objects.update(state="withdrawn"),
    "the requester is disabled": lambda: Person.objects.filter(email="lena@acme.test").update(is_active=False),
    "the approver is disabled": lambda: Person.objects.filter(email="olive@acme.test").update(is_active=False),
}


@pytest.mark.parametrize("what", MUTATIONS)
@pytest.mark.parametrize("approved", WHAT, indirect=True)
def test_whatever_it_is_bound_to_changes_aws_is_not_called(
    aws: AWS, prod: Account, approved: Request, what: str
) -> None:
    MUTATIONS[what]()

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert list(aws.trace) == []


@pytest.mark.parametrize("approved", ["boundary"], indirect=True)
def test_a_policy_that_says_something_else_by_now_bounds_nobody(aws: AWS, approved: Request) -> None:
    IAMPolicy.objects.filter(policy_name="wide").update(document={})

    assert deliver_until_quiet().stuck_kind == "outdated"
    assert list(aws.trace) == []


@pytest.mark.parametrize(
    ("approved", "details"),
    [("no boundary", {"permissions_boundary": "arn:aws:iam::111122223333:policy/wide"}),
     ("boundary", {"permissions_boundary": ""}), ("path", {"path": "/a/third/"}), ("path", {"before": "/a/third/"})],
    indirect=["approved"],
)  # fmt: skip
def test_an_entry_that_says_something_else_is_not_carried(aws: AWS, approved: Request, details: dict[str, str]) -> None:
    """As if a use-case had written something else under the same approval."""
    entry = Entry.objects.get(kind=approved.kind)
    entry.details = {**entry.details, **details}
    handler = handler_of(entry.kind)

    assert handler is not None
    with pytest.raises(Outdated, match="AWS was not asked"):
        handler.carry(entry, Delivery.objects.get())
    assert list(aws.trace) == []
