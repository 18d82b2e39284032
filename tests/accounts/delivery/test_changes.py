"""Carrying renames, paths, boundaries and policies: in order, of the very user; what AWS refuses is a human's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account, IAMUser, Person, Team
from accounts.usecases.deliveries import give_up
from accounts.usecases.iam_users import create_iam_user, tag_iam_user
from accounts.usecases.iam_users_changes import (
    attach_policy,
    change_boundary,
    change_path,
    detach_policy,
    rename_iam_user,
)
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws.server import AWS
from tests.faults.drifting import document

NAME, NEW = "ledger-writer", "ledger-keeper"

Decide = Callable[..., IAMUser]


@pytest.fixture
def user(aws: AWS, prod: Account, payments: Team) -> IAMUser:
    """An IAM user in AWS and as the portal last read it."""
    told = aws.boto3(prod.account_id).create_user(UserName=NAME)["User"]
    return factories.iam_user(
        prod, NAME, team=payments, user_id=told["UserId"], create_date=told["CreateDate"] - timedelta(hours=1)
    )


@pytest.fixture
def policy(aws: AWS, prod: Account) -> str:
    """A policy in AWS and as the portal last read it."""
    iam = aws.boto3(prod.account_id)
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(document("s3:GetObject")))["Policy"]["Arn"]
    return factories.iam_policy(prod, "reading", document=document("s3:GetObject"), arn=arn).arn


@pytest.fixture
def decide(olive: Person, user: IAMUser) -> Decide:
    """Olive decides something about it."""

    def decide(use_case: Callable[..., IAMUser], **what: Any) -> IAMUser:
        return use_case(by=olive, iam_user=user, at=database_now(), **what)

    return decide


def test_a_chain_of_changes_arrives_in_the_order_in_which_it_was_decided(
    aws: AWS, prod: Account, decide: Decide, user: IAMUser, policy: str
) -> None:
    decide(rename_iam_user, user_name=NEW)
    decide(change_path, path="/elsewhere/")
    decide(attach_policy, policy_arn=policy)
    decide(tag_iam_user, tags={"stage": "prod"})
    decide(rename_iam_user, user_name=f"{NEW}-2")
    decide(change_boundary, policy_arn=policy)
    decide(detach_policy, policy_arn=policy)

    deliver_until_quiet()

    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.DONE}
    row, held = IAMUser.objects.get(), aws.boto3(prod.account_id).get_user(UserName=f"{NEW}-2")["User"]
    assert (row.user_name, row.path, row.user_id, row.attached_policy_arns) == (
        f"{NEW}-2",
        "/elsewhere/",
        user.user_id,
        [],
    )
    assert (held["Arn"], held["UserId"]) == (row.arn, user.user_id)
    assert held["PermissionsBoundary"]["PermissionsBoundaryArn"] == row.permissions_boundary_arn == policy
    assert row.record.attributes.differences(row.record.attributes) == {}


def test_what_is_decided_after_the_rename_arrived_goes_by_the_new_name(
    decide: Decide, user: IAMUser, policy: str
) -> None:
    decide(rename_iam_user, user_name=NEW)
    deliver_until_quiet()
    user.refresh_from_db()
    decide(attach_policy, policy_arn=policy)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.subject) == (Delivery.State.DONE, f"arn:aws:iam::111122223333:user/{NEW}")
    assert IAMUser.objects.get().attached_policy_arns == [policy]


def test_a_creation_with_policies_has_them_at_once(
    aws: AWS, prod: Account, payments: Team, olive: Person, policy: str
) -> None:
    create_iam_user(
        by=olive, team=payments, account=prod, user_name="new", kind="person", policy_arns=[policy], at=database_now()
    )

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert IAMUser.objects.get().attached_policy_arns == [policy]
    attached = aws.boto3(prod.account_id).list_attached_user_policies(UserName="new")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [policy]


def test_a_name_that_somebody_took_in_aws_meanwhile_goes_to_a_human(
    aws: AWS, prod: Account, decide: Decide, user: IAMUser, olive: Person
) -> None:
    decide(rename_iam_user, user_name=NEW)
    aws.boto3(prod.account_id).create_user(UserName=NEW.upper())

    delivery = deliver_until_quiet()

    assert delivery.state == Delivery.State.STUCK
    assert aws.boto3(prod.account_id).get_user(UserName=NAME)["User"]["UserId"] == user.user_id
    give_up(by=olive, delivery=delivery, reason="Taken", at=database_now())
    assert not hasattr(IAMUser.objects.get(), "record")


@pytest.mark.parametrize("use_case", [attach_policy, change_boundary])
def test_a_policy_that_is_gone_from_aws_is_named_to_a_human(
    aws: AWS, prod: Account, decide: Decide, policy: str, use_case: Callable[..., IAMUser]
) -> None:
    decide(use_case, policy_arn=policy)
    aws.boto3(prod.account_id).delete_policy(PolicyArn=policy)

    delivery = deliver_until_quiet()

    assert delivery.state == Delivery.State.STUCK
    assert f"{policy} is not there. Make it in AWS and try again, or give this up." in delivery.error


def test_a_policy_that_somebody_detached_or_deleted_is_what_was_wanted(
    aws: AWS, prod: Account, decide: Decide, policy: str
) -> None:
    IAMUser.objects.update(attached_policy_arns=[policy])
    aws.boto3(prod.account_id).delete_policy(PolicyArn=policy)
    decide(detach_policy, policy_arn=policy)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert IAMUser.objects.get().attached_policy_arns == []


@pytest.mark.parametrize("use_case", [rename_iam_user, attach_policy])
def test_a_user_that_was_deleted_and_made_again_is_not_touched(
    aws: AWS, prod: Account, decide: Decide, policy: str, use_case: Callable[..., IAMUser]
) -> None:
    iam = aws.boto3(prod.account_id)
    iam.delete_user(UserName=NAME)
    iam.create_user(UserName=NAME)
    what = {"user_name": NEW} if use_case is rename_iam_user else {"policy_arn": policy}
    decide(use_case, **what)

    assert deliver_until_quiet().state == Delivery.State.STUCK
    assert [user["UserName"] for user in iam.list_users()["Users"]] == [NAME]
    assert iam.list_attached_user_policies(UserName=NAME)["AttachedPolicies"] == []
