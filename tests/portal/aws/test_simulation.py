"""What a role may do, asked of the policy simulator."""

import json
from typing import Any

import pytest

from portal.aws import connect, permissions
from portal.aws.connect import Door
from portal.aws.errors import NotFound
from portal.aws.simulator.simulation import decision
from tests.aws.server import AWS

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gatehouse-portal"
USER = f"arn:aws:iam::{ACCOUNT}:user/mia"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"} | more


@pytest.fixture
def door(aws: AWS) -> Door:
    return aws.account(ACCOUNT)


def put(aws: AWS, *statements: dict[str, Any], name: str = "inline") -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    aws.boto3(ACCOUNT).put_role_policy(RoleName="gatehouse-portal", PolicyName=name, PolicyDocument=document)


def asked(door: Door, *actions: str, on: str = "*") -> dict[str, str]:
    results = connect.iam(door).simulate_principal_policy(
        policy_source_arn=ROLE, action_names=actions, resource_arns=[on]
    )
    assert {result.eval_resource_name for result in results} == {on}
    return {result.eval_action_name: result.eval_decision for result in results}


def test_a_role_without_policies_may_nothing(door: Door) -> None:
    assert asked(door, "iam:GetUser") == {"iam:GetUser": "implicitDeny"}


def test_inline_and_attached_policies_count_together(aws: AWS, door: Door) -> None:
    put(aws, allow("iam:GetUser"))
    outside = aws.boto3(ACCOUNT)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:ListGroups")]})
    arn = outside.create_policy(PolicyName="more", PolicyDocument=document)["Policy"]["Arn"]
    outside.attach_role_policy(RoleName="gatehouse-portal", PolicyArn=arn)

    assert set(asked(door, "iam:GetUser", "iam:ListGroups").values()) == {"allowed"}

    newer = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:GetGroup")]})
    outside.create_policy_version(PolicyArn=arn, PolicyDocument=newer, SetAsDefault=True)
    assert asked(door, "iam:ListGroups", "iam:GetGroup") == {
        "iam:ListGroups": "implicitDeny",
        "iam:GetGroup": "allowed",
    }


def test_a_boundary_must_allow_it_too(aws: AWS, door: Door) -> None:
    put(aws, ALLOW_ALL)
    outside = aws.boto3(ACCOUNT)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("iam:Get*")]})
    arn = outside.create_policy(PolicyName="bound", PolicyDocument=document)["Policy"]["Arn"]
    outside.put_role_permissions_boundary(RoleName="gatehouse-portal", PermissionsBoundary=arn)

    assert asked(door, "iam:GetUser", "iam:CreateUser") == {"iam:GetUser": "allowed", "iam:CreateUser": "implicitDeny"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], "implicitDeny"),
        ([allow("iam:CreateUser")], "allowed"),
        ([allow("IAM:createuser")], "allowed"),
        ([allow("iam:*User")], "allowed"),
        ([allow("iam:Create?ser")], "allowed"),
        ([{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}], "allowed"),
        ([allow("iam:Create.ser")], "implicitDeny"),
        ([allow("iam:CreateUse")], "implicitDeny"),
        ([allow("iam:CreateUser", Resource="arn:aws:iam::111122223333:user/*")], "allowed"),
        ([allow("iam:CreateUser", Resource="arn:aws:iam::111122223333:group/*")], "implicitDeny"),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], "allowed"),
        ([{"Effect": "Allow", "NotAction": ["iam:create*"], "Resource": "*"}], "implicitDeny"),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:iam::*:user/*"}], "implicitDeny"),
        ([ALLOW_ALL, {"Effect": "Deny", "Action": "iam:Create*", "Resource": "*"}], "explicitDeny"),
        ([ALLOW_ALL, {"Effect": "Deny", "Action": "iam:Delete*", "Resource": "*"}], "allowed"),
        ([allow("iam:CreateUser", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], "implicitDeny"),
    ],
)
def test_statements_are_read_as_iam_reads_them(statements: list[dict[str, Any]], expected: str) -> None:
    assert decision(statements, None, "iam:CreateUser", USER) == expected


def test_a_long_answer_is_read_to_its_end(aws: AWS, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.aws.calls.PAGE_SIZE", 7)
    put(aws, allow("iam:Get*"))

    assert len(asked(door, *permissions.READS)) == len(permissions.READS)
    assert len(aws.calls("SimulatePrincipalPolicy")) == -(-len(permissions.READS) // 7)


def test_a_role_that_is_not_there_is_not_found(door: Door) -> None:
    with pytest.raises(NotFound):
        connect.iam(door).simulate_principal_policy(policy_source_arn=f"{ROLE}-2", action_names=["iam:GetUser"])


def test_the_portals_own_policy_allows_all_that_it_asks_about(aws: AWS, door: Door) -> None:
    policy = permissions.role_policy(partition="aws", account_id=ACCOUNT, role_arn=ROLE, with_discovery=True)
    put(aws, *policy["Statement"])

    assert set(asked(door, *permissions.READS, *permissions.DISCOVERY).values()) == {"allowed"}
    assert asked(door, permissions.SELF_TEST, on=ROLE) == {permissions.SELF_TEST: "allowed"}
    for question in permissions.questions_about_changes(partition="aws", account_id=ACCOUNT):
        assert set(asked(door, *question.actions, on=question.resource_arn).values()) == {"allowed"}
    assert asked(door, "iam:CreateUser", on="*") == {"iam:CreateUser": "implicitDeny"}
