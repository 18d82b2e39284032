"""Carrying the portal's own boundary: whatever goes wrong, one policy whose default version says what was decided."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account, Boundary, IAMPolicy, Person, Source
from accounts.usecases.boundaries import change_boundary_policy, create_boundary, restore_boundary
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from tests.accounts.carrying import Death, deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault

ARN = "arn:aws:iam::111122223333:policy/gatehouse/gatehouse-boundary"
CREATION = ["AssumeRole", "GetPolicy", "CreatePolicy", "GetPolicy", "GetPolicyVersion"]
CHANGE = [
    "AssumeRole", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "CreatePolicyVersion", "GetPolicy",
    "GetPolicyVersion",
]  # fmt: skip
STEPS = [
    *(("create", name, CREATION[: place + 1].count(name)) for place, name in enumerate(CREATION)),
    *(("change", name, 1) for name in CHANGE if name not in CREATION),
]
OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def kept(aws: AWS, prod: Account, olive: Person) -> Boundary:
    """The boundary, as it was decided and as AWS holds it."""
    boundary = create_boundary(by=olive, account=prod, at=database_now())
    worker.deliver_due()
    aws.trace.clear()
    boundary.refresh_from_db()
    return boundary


def decide(decision: str, olive: Person, prod: Account) -> None:
    if decision == "create":
        create_boundary(by=olive, account=prod, at=database_now())
        return
    create_boundary(by=olive, account=prod, at=database_now())
    worker.deliver_due()
    change(olive, Boundary.objects.get(), accepted=["ssm:StartSession"])


def change(olive: Person, boundary: Boundary, **what: Any) -> None:
    given: dict[str, Any] = {"accepted": [], "protected_roles": [], "reason": "Their work"}
    change_boundary_policy(by=olive, boundary=boundary, at=database_now(), **given | what)


def held(aws: AWS) -> dict[str, Any]:
    """What the default version says in AWS."""
    iam = aws.boto3("111122223333")
    version = iam.get_policy(PolicyArn=ARN)["Policy"]["DefaultVersionId"]
    document: dict[str, Any] = iam.get_policy_version(PolicyArn=ARN, VersionId=version)["PolicyVersion"]["Document"]
    return document


def assert_it_is_kept(aws: AWS) -> None:
    """One policy in AWS; its row and the boundary's say what AWS holds, and that is what was decided."""
    boundary = Boundary.objects.get()
    assert held(aws) == boundary.document
    policy = aws.boto3("111122223333").get_policy(PolicyArn=ARN)["Policy"]
    row = IAMPolicy.objects.get(arn=ARN)
    assert (row.policy_id, row.default_version_id) == (policy["PolicyId"], policy["DefaultVersionId"])
    assert (row.document, row.source) == (boundary.document, Source.GET_POLICY)
    assert (boundary.policy, boundary.state) == (row, Boundary.State.KEPT)


def test_it_makes_the_policy_and_reads_it_back(aws: AWS, prod: Account, olive: Person) -> None:
    create_boundary(by=olive, account=prod, at=database_now())

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.attempts, delivery.error) == (Delivery.State.DONE, 1, "")
    assert [call.operation for call in aws.trace] == CREATION
    assert_it_is_kept(aws)


def test_a_change_is_a_new_default_version(aws: AWS, olive: Person, kept: Boundary) -> None:
    change(olive, kept, accepted=["ssm:StartSession"])

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert [call.operation for call in aws.trace] == CHANGE[1:]
    assert "ssm:StartSession" not in json.dumps(held(aws))
    assert_it_is_kept(aws)


def test_a_sixth_version_takes_the_place_of_the_oldest(aws: AWS, olive: Person, kept: Boundary) -> None:
    for number in range(7):
        change(olive, kept, protected_roles=[f"arn:aws:iam::111122223333:role/role-{number}"])
        assert deliver_until_quiet().state == Delivery.State.DONE

    versions = aws.boto3("111122223333").list_policy_versions(PolicyArn=ARN)["Versions"]
    assert {version["VersionId"] for version in versions} == {"v4", "v5", "v6", "v7", "v8"}
    assert_it_is_kept(aws)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(("decision", "operation", "nth"), STEPS)
def test_it_gets_over_every_fault_at_every_call(
    aws: AWS, prod: Account, olive: Person, fault: Fault, decision: str, operation: str, nth: int
) -> None:
    decide(decision, olive, prod)
    aws.faults.inject(operation, fault, nth=nth)

    delivery = deliver_until_quiet()

    if delivery.state == Delivery.State.STUCK:
        assert fault in {Fault.DENY, Fault.UNKNOWN, Fault.ABSENT}
        assert delivery.error.endswith(".")
        worker.retry(delivery=delivery)
        delivery = deliver_until_quiet()
    assert delivery.state == Delivery.State.DONE
    assert_it_is_kept(aws)


@pytest.mark.parametrize(
    ("decision", "calls"), [("create", count + 1) for count in range(4)] + [("change", count + 1) for count in range(6)]
)
def test_a_worker_that_dies_after_any_call_is_followed_by_one_that_finishes(
    aws: AWS, prod: Account, olive: Person, decision: str, calls: int, dying: Callable[[int], None]
) -> None:
    decide(decision, olive, prod)

    dying(calls)
    with pytest.raises(Death):
        worker.deliver_due()
    Delivery.objects.filter(state="calling").update(lease_until=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_is_kept(aws)


def test_a_policy_that_somebody_else_made_is_left_alone(aws: AWS, prod: Account, olive: Person) -> None:
    aws.boto3(prod.account_id).create_policy(
        PolicyName="gatehouse-boundary", Path="/gatehouse/", PolicyDocument=json.dumps(OPEN)
    )
    create_boundary(by=olive, account=prod, at=database_now())

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, Delivery.StuckKind.CONFLICT)
    assert "the portal did not make it" in delivery.error
    assert held(aws) == OPEN


def test_a_tag_of_another_entry_does_not_make_it_the_portals(aws: AWS, prod: Account, olive: Person) -> None:
    create_boundary(by=olive, account=prod, at=database_now())
    tags = [{"Key": "gatehouse:entry", "Value": "00000000-0000-4000-8000-000000000000"}]
    aws.boto3(prod.account_id).create_policy(
        PolicyName="gatehouse-boundary", Path="/gatehouse/", PolicyDocument=json.dumps(OPEN), Tags=tags
    )

    assert deliver_until_quiet().stuck_kind == Delivery.StuckKind.CONFLICT
    assert held(aws) == OPEN


def test_what_was_altered_is_restored(aws: AWS, olive: Person, kept: Boundary) -> None:
    iam = aws.boto3("111122223333")
    iam.create_policy_version(PolicyArn=ARN, PolicyDocument=json.dumps(OPEN), SetAsDefault=True)
    kept.tell(Boundary.State.ALTERED, at=database_now())
    restore_boundary(by=olive, boundary=kept, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_it_is_kept(aws)


def test_what_was_deleted_is_made_again(aws: AWS, olive: Person, kept: Boundary) -> None:
    iam = aws.boto3("111122223333")
    iam.delete_policy(PolicyArn=ARN)
    IAMPolicy.objects.update(gone_at=database_now())
    kept.tell(Boundary.State.GONE, at=database_now())
    restore_boundary(by=olive, boundary=kept, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert Boundary.objects.get().state == Boundary.State.KEPT
    assert held(aws) == Boundary.objects.get().document
    assert IAMPolicy.objects.filter(arn=ARN).count() == 2
    assert Boundary.objects.get().policy == IAMPolicy.objects.present().get(arn=ARN)


def test_a_creation_that_is_given_up_leaves_no_boundary(aws: AWS, prod: Account, olive: Person) -> None:
    create_boundary(by=olive, account=prod, at=database_now())
    aws.faults.inject("CreatePolicy", Fault.DENY, times=9)
    delivery = deliver_until_quiet()

    worker.abandon(delivery=delivery, at=database_now())

    assert not Boundary.objects.exists()
    assert Entry.objects.exists()


def test_a_change_that_is_given_up_is_an_alarm(aws: AWS, olive: Person, kept: Boundary) -> None:
    change(olive, kept, accepted=["ssm:StartSession"])
    aws.faults.inject("CreatePolicyVersion", Fault.DENY, times=9)
    delivery = deliver_until_quiet()

    worker.abandon(delivery=delivery, at=database_now())

    kept.refresh_from_db()
    assert kept.is_alarming
