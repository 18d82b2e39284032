"""A reading tells whether the portal's boundary is as it was decided: if not, that is an alarm."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Account, AccountImport, Boundary, IAMPolicy, Person
from accounts.usecases.boundaries import change_boundary_policy, create_boundary
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from tests.accounts.carrying import HOUR
from tests.aws.server import AWS

ARN = "arn:aws:iam::111122223333:policy/gatehouse/gatehouse-boundary"
OPEN = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'

Read = Callable[[Account], AccountImport]


@pytest.fixture
def kept(bare: Account, olive: Person) -> Boundary:
    boundary = create_boundary(by=olive, account=bare, at=database_now())
    deliver_due()
    # What was seen a moment ago is not believed to be gone.
    IAMPolicy.objects.update(read_at=database_now() - HOUR)
    return boundary


@pytest.fixture
def iam(aws: AWS, bare: Account) -> Any:
    return aws.boto3(bare.account_id)


def state_after(read: Read, boundary: Boundary) -> str:
    read(boundary.account)
    boundary.refresh_from_db()
    return boundary.state


def test_as_it_was_decided_it_is_kept(read: Read, kept: Boundary) -> None:
    assert state_after(read, kept) == Boundary.State.KEPT


def test_another_default_version_is_an_alarm_until_it_is_as_decided(read: Read, kept: Boundary, iam: Any) -> None:
    iam.create_policy_version(PolicyArn=ARN, PolicyDocument=OPEN, SetAsDefault=True)
    assert state_after(read, kept) == Boundary.State.ALTERED
    since = kept.state_at
    assert state_after(read, kept) == Boundary.State.ALTERED
    assert kept.state_at == since

    iam.set_default_policy_version(PolicyArn=ARN, VersionId="v1")
    assert state_after(read, kept) == Boundary.State.KEPT


def test_another_version_that_is_not_the_default_is_none(read: Read, kept: Boundary, iam: Any) -> None:
    iam.create_policy_version(PolicyArn=ARN, PolicyDocument=OPEN, SetAsDefault=False)

    assert state_after(read, kept) == Boundary.State.KEPT


def test_deleted_it_is_an_alarm(read: Read, kept: Boundary, iam: Any) -> None:
    iam.delete_policy(PolicyArn=ARN)

    assert state_after(read, kept) == Boundary.State.GONE


def test_made_again_by_somebody_else_it_is_an_alarm(read: Read, kept: Boundary, iam: Any) -> None:
    iam.delete_policy(PolicyArn=ARN)
    iam.create_policy(PolicyName="gatehouse-boundary", Path="/gatehouse/", PolicyDocument=json.dumps(kept.document))

    assert state_after(read, kept) == Boundary.State.ALTERED


def test_what_is_on_its_way_is_no_alarm(read: Read, kept: Boundary, olive: Person) -> None:
    kept.refresh_from_db()
    change_boundary_policy(
        by=olive, boundary=kept, accepted=["ssm:StartSession"], protected_roles=[], reason="Work", at=database_now()
    )

    assert state_after(read, kept) == Boundary.State.PENDING


def test_an_account_without_one_is_read_as_before(read: Read, bare: Account) -> None:
    assert read(bare).state == AccountImport.State.APPLIED
