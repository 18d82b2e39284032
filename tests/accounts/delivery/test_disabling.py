"""Carrying "Disable IAM user" and "Enable IAM user": nothing of it works, and what was active works again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import (
    AccessKey,
    Account,
    Drift,
    IAMUser,
    LoginProfile,
    OffboardedIAMUser,
    Offboarding,
    Organization,
    Person,
    Team,
)
from accounts.policy.denial import DENY_ALL, POLICY_NAME
from accounts.usecases.deliveries import give_up
from accounts.usecases.offboarding import follow_offboardings, offboard_person, undo_offboarding
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet, users
from tests.aws.server import AWS
from tests.aws.strict import Call, Fault

NAME = "mia"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture
def keys(aws: AWS, prod: Account, payments: Team, mia: Person) -> list[str]:
    """Mia's IAM user with a password, a boundary and two access keys, of which the first is active."""
    iam = aws.boto3(prod.account_id)
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    user = iam.create_user(UserName=NAME, PermissionsBoundary=boundary)["User"]
    keys = [iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName=NAME, AccessKeyId=keys[1], Status="Inactive")
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    age(aws, prod, NAME)
    made = iam.get_user(UserName=NAME)["User"]["CreateDate"]
    row = factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=made,
        permissions_boundary_arn=boundary,
    )  # fmt: skip
    factories.login_profile(row)
    # The portal last read the first key when it was not active yet, and does not know the second.
    factories.access_key(row, access_key_id=keys[0], status="Inactive")
    return keys


@pytest.fixture
def begun(olive: Person, mia: Person, acme: Organization, keys: list[str]) -> Offboarding:
    return offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=database_now())


def statuses(aws: AWS, account: Account) -> dict[str, str]:
    listed = aws.boto3(account.account_id).list_access_keys(UserName=NAME)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def policies(aws: AWS, account: Account) -> dict[str, Any]:
    iam = aws.boto3(account.account_id)
    names = iam.list_user_policies(UserName=NAME)["PolicyNames"]
    return {name: iam.get_user_policy(UserName=NAME, PolicyName=name)["PolicyDocument"] for name in names}


def has_password(aws: AWS, account: Account) -> bool:
    return bool(vars(aws.backend(account.account_id))["users"][NAME].password)


def writes(aws: AWS) -> list[str]:
    return [call.operation for call in aws.trace if not call.operation.startswith(("Get", "List", "Assume"))]


def undo(by: Person, offboarding: Offboarding) -> None:
    undo_offboarding(by=by, offboarding=offboarding, reason="Stays", at=database_now())


def test_nothing_works_any_more_in_the_safe_order(aws: AWS, prod: Account, begun: Offboarding, keys: list[str]) -> None:
    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.error, delivery.attempts) == ("done", "", 1)
    assert writes(aws) == [
        "UpdateAccessKey",
        "UpdateAccessKey",
        "PutUserPolicy",
        "DeleteLoginProfile",
        "UpdateAccessKey",
        "UpdateAccessKey",
    ]
    assert statuses(aws, prod) == dict.fromkeys(keys, "Inactive")
    assert policies(aws, prod) == {POLICY_NAME: DENY_ALL}
    assert not has_password(aws, prod)


def test_the_boundary_stays_while_the_user_is_there(aws: AWS, prod: Account, begun: Offboarding) -> None:
    deliver_until_quiet()

    user = aws.boto3(prod.account_id).get_user(UserName=NAME)["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/boundary")


def test_the_rows_say_what_aws_holds_and_nothing_drifts(begun: Offboarding, keys: list[str]) -> None:
    deliver_until_quiet()

    row = IAMUser.objects.get()
    assert row.inline_policies == row.record.inline_policies == {POLICY_NAME: DENY_ALL}
    assert set(AccessKey.objects.present().values_list("access_key_id", "status")) == {
        (key, "Inactive") for key in keys
    }
    assert not LoginProfile.objects.exists()
    assert not Drift.objects.exists()


def test_what_was_active_is_what_aws_says_and_not_the_portals_older_reading(
    begun: Offboarding, keys: list[str]
) -> None:
    assert begun.iam_users.get().active_access_key_ids == []

    deliver_until_quiet()

    row = begun.iam_users.get()
    assert (row.active_access_key_ids, row.had_login_profile) == ([keys[0]], True)


def test_a_key_that_is_made_while_it_is_disabled_does_not_stay_active(
    aws: AWS, prod: Account, begun: Offboarding, keys: list[str], aws_server: Any
) -> None:
    """By a session that still works: after the first look at the keys, before the policy is there."""
    iam = aws.boto3(prod.account_id)
    made: list[str] = []

    def make_one(call: Call) -> None:
        if call.operation == "PutUserPolicy" and not made:
            iam.delete_access_key(UserName=NAME, AccessKeyId=keys[1])
            made.append(iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"])

    aws_server.layer.watch = make_one
    try:
        assert deliver_until_quiet().state == "done"
    finally:
        aws_server.layer.watch = None

    assert statuses(aws, prod) == {keys[0]: "Inactive", made[0]: "Inactive"}
    # It was not active before, so that undoing does not make it so.
    assert begun.iam_users.get().active_access_key_ids == [keys[0]]


def test_it_may_run_twice(aws: AWS, prod: Account, begun: Offboarding, keys: list[str]) -> None:
    deliver_until_quiet()
    Delivery.objects.update(state="due", done_at=None)

    assert deliver_until_quiet().state == "done"
    assert begun.iam_users.get().active_access_key_ids == [keys[0]]


def test_where_aws_no_longer_holds_it_nothing_is_left_to_disable(aws: AWS, prod: Account, begun: Offboarding) -> None:
    vars(aws.backend(prod.account_id))["users"].pop(NAME)

    assert deliver_until_quiet().state == "done"
    assert len(aws.calls("GetAccountAuthorizationDetails")) == 1


# Never somebody else's


def test_another_user_of_that_name_is_left_alone(aws: AWS, prod: Account, begun: Offboarding) -> None:
    iam = aws.boto3(prod.account_id)
    vars(aws.backend(prod.account_id))["users"].pop(NAME)
    iam.create_user(UserName=NAME)
    iam.create_access_key(UserName=NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind, writes(aws)) == ("stuck", "conflict", [])


def test_one_that_has_another_name_now_is_not_taken_for_gone(aws: AWS, prod: Account, begun: Offboarding) -> None:
    aws.boto3(prod.account_id).update_user(UserName=NAME, NewUserName="renamed")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "conflict")
    assert "is named renamed now" in delivery.error


def test_a_policy_of_our_name_that_is_not_ours_stays_and_a_human_is_asked(
    aws: AWS, prod: Account, begun: Offboarding
) -> None:
    """The rest is disabled all the same: nobody keeps a key by writing a policy first."""
    iam = aws.boto3(prod.account_id)
    iam.put_user_policy(UserName=NAME, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(POLICY))

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "conflict")
    assert "that the portal did not write" in delivery.error
    assert policies(aws, prod) == {POLICY_NAME: POLICY}
    assert set(statuses(aws, prod).values()) == {"Inactive"}
    assert not has_password(aws, prod)


def test_where_there_is_no_room_for_the_policy_all_else_is_disabled(
    aws: AWS, prod: Account, begun: Offboarding
) -> None:
    iam = aws.boto3(prod.account_id)
    full = {**POLICY, "Statement": [{**POLICY["Statement"][0], "Sid": "x" * 1930}]}  # type: ignore[dict-item]
    iam.put_user_policy(UserName=NAME, PolicyName="full", PolicyDocument=json.dumps(full))

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "refused")
    assert set(statuses(aws, prod).values()) == {"Inactive"}
    assert not has_password(aws, prod)

    follow_offboardings(at=database_now() + timedelta(days=8))
    give_up(by=begun.begun_by, delivery=delivery, reason="It goes now", at=database_now())
    assert deliver_until_quiet().state == "done"
    assert users(aws, prod) == {}


# Undone


def test_exactly_what_was_active_works_again(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding, keys: list[str]
) -> None:
    deliver_until_quiet()
    aws.trace.clear()

    undo(olive, begun)

    assert deliver_until_quiet().state == "done"
    assert writes(aws) == ["UpdateAccessKey", "DeleteUserPolicy"]
    assert statuses(aws, prod) == {keys[0]: "Active", keys[1]: "Inactive"}
    assert policies(aws, prod) == {}
    assert not has_password(aws, prod)
    row = IAMUser.objects.get()
    assert row.inline_policies == row.record.inline_policies == {}
    assert AccessKey.objects.get(access_key_id=keys[0]).status == "Active"
    assert not Drift.objects.exists()


def test_a_key_that_is_gone_meanwhile_is_not_missed(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding, keys: list[str]
) -> None:
    deliver_until_quiet()
    aws.boto3(prod.account_id).delete_access_key(UserName=NAME, AccessKeyId=keys[0])
    undo(olive, begun)

    assert deliver_until_quiet().state == "done"
    assert statuses(aws, prod) == {keys[1]: "Inactive"}


def test_undoing_at_once_waits_for_the_disabling(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding, keys: list[str]
) -> None:
    undo(olive, begun)

    assert deliver_until_quiet().state == "done"
    assert statuses(aws, prod) == {keys[0]: "Active", keys[1]: "Inactive"}
    assert policies(aws, prod) == {}


def test_what_was_disabled_half_way_and_given_up_is_enabled_whole(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding, keys: list[str]
) -> None:
    aws.faults.inject("DeleteLoginProfile", Fault.DENY)
    delivery = deliver_until_quiet()
    assert delivery.state == "stuck"
    give_up(by=olive, delivery=delivery, reason="They stay", at=database_now())
    undo(olive, begun)

    assert deliver_until_quiet().state == "done"
    assert statuses(aws, prod) == {keys[0]: "Active", keys[1]: "Inactive"}
    assert policies(aws, prod) == {}
    assert OffboardedIAMUser.objects.get().active_access_key_ids == [keys[0]]


def test_a_policy_of_our_name_that_somebody_has_changed_is_not_taken_off(
    aws: AWS, prod: Account, olive: Person, begun: Offboarding
) -> None:
    deliver_until_quiet()
    iam = aws.boto3(prod.account_id)
    iam.put_user_policy(UserName=NAME, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(POLICY))
    undo(olive, begun)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "conflict")
    assert policies(aws, prod) == {POLICY_NAME: POLICY}
    assert set(statuses(aws, prod).values()) == {"Inactive"}


def test_in_the_end_it_goes(aws: AWS, prod: Account, begun: Offboarding) -> None:
    deliver_until_quiet()
    late = database_now() + timedelta(days=8)

    follow_offboardings(at=late)
    worker.deliver_due()
    follow_offboardings(at=late)

    assert users(aws, prod) == {}
    begun.refresh_from_db()
    assert begun.state == "concluded"
