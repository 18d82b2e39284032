"""What somebody can do to the portal who may write tags in AWS, and nothing else there."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, IAMUser, Person, Team
from accounts.usecases.iam_users import create_iam_user
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from tests.accounts.carrying import age, deliver_until_quiet, users
from tests.aws.server import AWS

NAME, PATH = "big-boss", "/portal/acme/payments/"


@pytest.fixture
def wanted(lena: Person, payments: Team, prod: Account) -> IAMUser:
    """Lena asks for a user of the name that another has already, in the hope of getting hold of that one."""
    return create_iam_user(
        by=lena, team=payments, account=prod, user_name=NAME, kind="person",
        group_names=["ledger-writers"], at=database_now(),
    )  # fmt: skip


def forged(aws: AWS, account: Account, **fields: Any) -> None:
    """A user with the tag that the portal would have given it."""
    tags = [{"Key": "gatehouse:entry", "Value": str(Entry.objects.get().pk)}]
    aws.boto3(account.account_id).create_user(UserName=NAME, Tags=tags, **{"Path": PATH, **fields})


def assert_it_is_left_alone(aws: AWS, account: Account) -> None:
    delivery = deliver_until_quiet()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert users(aws, account)[NAME]["groups"] == set()
    assert not IAMUser.objects.get().is_in_aws


def test_a_user_older_than_the_decision_is_not_adopted(aws: AWS, prod: Account, wanted: IAMUser) -> None:
    forged(aws, prod)
    age(aws, prod, NAME, by=timedelta(minutes=6))

    assert_it_is_left_alone(aws, prod)


def test_a_user_under_another_path_is_not_adopted(aws: AWS, prod: Account, wanted: IAMUser) -> None:
    forged(aws, prod, Path="/admins/")

    assert_it_is_left_alone(aws, prod)


def test_a_user_with_another_boundary_is_not_adopted(aws: AWS, prod: Account, wanted: IAMUser) -> None:
    policy = aws.boto3(prod.account_id).create_policy(
        PolicyName="everything",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    )
    forged(aws, prod, PermissionsBoundary=policy["Policy"]["Arn"])

    assert_it_is_left_alone(aws, prod)
