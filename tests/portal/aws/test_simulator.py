"""The embedded AWS refuses what AWS refuses."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from moto.core.utils import utcnow
from moto.sts.models import sts_backends

from portal.aws import connect
from portal.aws.simulator import demo, hub, keys, trust
from portal.aws.simulator.demo_accounts import document as document_allowing
from portal.aws.simulator.trust import Caller
from tests.aws.server import AWS, EXTERNAL_ID
from tests.aws.strict import Fault

ACCOUNT = "111122223333"
HUB = Caller(arn="arn:aws:iam::123456789012:user/gatehouse-hub", account_id="123456789012", external_id="right")


def client(aws: AWS, service: str, key_id: str, token: str | None = None) -> Any:
    """Of whoever has the key and, where anybody does, its secret."""
    make: Any = boto3.client
    found = keys.owner(key_id)
    secret = found[1].secret_access_key if found else "any"
    return make(
        service,
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def refusal_of(ask: Any, **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        ask(**parameters)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_an_unknown_key_is_refused(aws: AWS) -> None:
    sts = client(aws, "sts", "AKIANOBODYHASTHISKEY")

    assert refusal_of(sts.get_caller_identity) == ("InvalidClientTokenId", 403)


@pytest.mark.parametrize("path", ["/", "/moto-api/reset", "/moto-api/data.json"])
def test_what_nobody_signed_is_refused(aws: AWS, path: str) -> None:
    aws.boto3(ACCOUNT).create_user(UserName="mia")

    answer = requests.post(f"{aws.url}{path}", data={"Action": "DeleteUser", "UserName": "mia"}, timeout=10)

    assert answer.status_code == 403
    assert "MissingAuthenticationToken" in answer.text
    assert aws.boto3(ACCOUNT).get_user(UserName="mia")


def test_an_inactive_key_is_refused_and_works_again_when_active(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    key_id = outside.create_access_key(UserName="mia")["AccessKey"]["AccessKeyId"]
    sts = client(aws, "sts", key_id)
    assert sts.get_caller_identity()["Arn"].endswith("user/mia")

    outside.update_access_key(UserName="mia", AccessKeyId=key_id, Status="Inactive")
    assert refusal_of(sts.get_caller_identity) == ("InvalidClientTokenId", 403)

    outside.update_access_key(UserName="mia", AccessKeyId=key_id, Status="Active")
    assert sts.get_caller_identity()["Account"] == ACCOUNT


def test_a_deleted_key_is_refused(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    key_id = outside.create_access_key(UserName="mia")["AccessKey"]["AccessKeyId"]
    outside.delete_access_key(UserName="mia", AccessKeyId=key_id)

    assert refusal_of(client(aws, "sts", key_id).get_caller_identity) == ("InvalidClientTokenId", 403)


def test_an_ended_session_is_refused(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    connect.iam(door).list_groups()
    (session,) = sts_backends[ACCOUNT]["aws"].assumed_roles
    session.expiration = utcnow() - timedelta(seconds=1)

    assert refusal_of(client(aws, "iam", session.access_key_id).list_users) == ("ExpiredToken", 403)


def test_ended_sessions_are_forgotten(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    connect.iam(door).list_groups()
    (ended,) = sts_backends[ACCOUNT]["aws"].assumed_roles
    ended.expiration = utcnow() - timedelta(seconds=1)

    connect.forget(door)
    connect.iam(door).list_groups()

    assert ended not in sts_backends[ACCOUNT]["aws"].assumed_roles
    assert len(sts_backends[ACCOUNT]["aws"].assumed_roles) == 1
    assert ended.access_key_id not in aws.backend(ACCOUNT).access_keys


def test_a_status_that_aws_does_not_know_is_refused(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    key_id = outside.create_access_key(UserName="mia")["AccessKey"]["AccessKeyId"]

    code, _ = refusal_of(outside.update_access_key, UserName="mia", AccessKeyId=key_id, Status="Paused")

    assert code == "ValidationError"


@pytest.mark.parametrize(
    ("given", "code", "status"),
    [
        ({"UserName": "a b"}, "ValidationError", 400),
        ({"UserName": "a/c"}, "ValidationError", 400),
        ({"UserName": "é"}, "ValidationError", 400),
        ({"UserName": "x" * 65}, "ValidationError", 400),
        ({"UserName": "x", "Path": "nopath"}, "ValidationError", 400),
        ({"UserName": "x", "Path": "/no end"}, "ValidationError", 400),
        ({"UserName": "MIA"}, "EntityAlreadyExists", 409),
        ({"UserName": "x", "Tags": [{"Key": str(n), "Value": ""} for n in range(51)]}, "ValidationError", 400),
        ({"UserName": "x", "PermissionsBoundary": "arn:aws:iam::aws:policy/NoSuchThing"}, "NoSuchEntity", 404),
    ],
)
def test_a_user_that_aws_refuses_is_refused(aws: AWS, given: dict[str, Any], code: str, status: int) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")

    assert refusal_of(outside.create_user, **given) == (code, status)
    assert [user["UserName"] for user in outside.list_users()["Users"]] == ["mia"]


@pytest.mark.parametrize("name", ["x", "x" * 64, "a+b=c,d.e@f-g_h"])
def test_a_name_that_aws_takes_is_taken(aws: AWS, name: str) -> None:
    assert aws.boto3(ACCOUNT).create_user(UserName=name)["User"]["UserName"] == name


def test_groups_and_policies_in_use_are_not_deleted(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    document = json.dumps(document_allowing("s3:GetObject"))
    arn = outside.create_policy(PolicyName="ledger-read", PolicyDocument=document)["Policy"]["Arn"]
    outside.create_group(GroupName="ledger-readers")
    outside.attach_group_policy(GroupName="ledger-readers", PolicyArn=arn)

    assert refusal_of(outside.delete_group, GroupName="ledger-readers") == ("DeleteConflict", 409)
    assert refusal_of(outside.delete_policy, PolicyArn=arn) == ("DeleteConflict", 409)
    assert refusal_of(outside.create_group, GroupName="Ledger-Readers") == ("EntityAlreadyExists", 409)


def test_tags_have_a_limit(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia", Tags=[{"Key": str(number), "Value": ""} for number in range(50)])

    outside.tag_user(UserName="mia", Tags=[{"Key": "1", "Value": "again"}])
    assert refusal_of(outside.tag_user, UserName="mia", Tags=[{"Key": "50", "Value": ""}]) == ("LimitExceeded", 409)


def test_a_third_service_specific_credential_is_refused(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    given = {"UserName": "mia", "ServiceName": "codecommit.amazonaws.com"}
    outside.create_service_specific_credential(**given)
    outside.create_service_specific_credential(**given)

    assert refusal_of(outside.create_service_specific_credential, **given) == ("LimitExceeded", 409)


def test_a_missing_operation_says_so(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)

    given = {"OldPassword": "one-password", "NewPassword": "another-password"}
    assert refusal_of(outside.change_password, **given) == ("NotImplemented", 501)


@pytest.mark.parametrize(
    ("session_name", "seconds"),
    [("a b", 3600), ("é" * 2, 3600), ("gatehouse", 3601), ("gatehouse", 43200)],
)
def test_a_session_outside_the_limits_is_refused(aws: AWS, session_name: str, seconds: int) -> None:
    door = aws.account(ACCOUNT)
    given = {"RoleArn": door.role_arn, "ExternalId": EXTERNAL_ID, "DurationSeconds": seconds}
    sts = client(aws, "sts", hub.HUB_ACCESS_KEY_ID)

    code, _ = refusal_of(sts.assume_role, RoleSessionName=session_name, **given)

    assert code == "ValidationError"


def test_a_chained_role_lasts_an_hour_at_most(aws: AWS) -> None:
    first = connect.hub_sts().assume_role(
        role_arn=aws.account(ACCOUNT).role_arn, role_session_name="gatehouse", external_id=EXTERNAL_ID
    )
    second = aws.account("222233334444", trust=demo._trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    aws.backend("222233334444").get_role("gatehouse-portal").max_session_duration = "43200"
    held = first.credentials
    sts = client(aws, "sts", held.access_key_id, held.session_token)
    given = {"RoleArn": second.role_arn, "RoleSessionName": "chained"}

    assert sts.assume_role(**given, DurationSeconds=3600)["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert refusal_of(sts.assume_role, **given, DurationSeconds=3601)[0] == "ValidationError"


def statement(**changes: Any) -> dict[str, Any]:
    ours: dict[str, Any] = demo.portal_trust("right")["Statement"][0]
    return ours | changes


@pytest.mark.parametrize(
    ("statements", "is_trusted"),
    [
        (statement(), True),
        ([statement()], True),
        (statement(Action=["sts:TagSession", "sts:AssumeRole"]), True),
        (statement(Action="sts:*"), True),
        (statement(Principal="*"), True),
        (statement(Principal={"AWS": ["123456789012"]}), True),
        (statement(Principal={"AWS": HUB.arn}), True),
        (statement(Condition={}), True),
        (statement(Condition={"StringEquals": {"sts:ExternalId": ["other", "right"]}}), True),
        (statement(Condition={"StringLike": {"sts:ExternalId": "rig*"}}), True),
        (statement(Condition={"StringEquals": {"sts:ExternalId": "wrong"}}), False),
        (statement(Condition={"StringEquals": {"sts:ExternalId": "RIGHT"}}), False),
        (statement(Condition={"StringNotEquals": {"sts:ExternalId": "wrong"}}), False),
        (statement(Condition={"StringEquals": {"aws:SourceVpc": "right"}}), False),
        (statement(Action="sts:AssumeRoleWithSAML"), False),
        (statement(Principal={"AWS": "arn:aws:iam::999999999999:root"}), False),
        (statement(Principal={"Service": "ec2.amazonaws.com"}), False),
        ([statement(), statement(Effect="Deny", Principal="*")], False),
        ([], False),
    ],
)
def test_a_trust_policy_is_read_as_aws_reads_it(statements: Any, is_trusted: bool) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})

    assert trust.is_trusted(document, HUB) is is_trusted


def test_without_an_external_id_the_role_stays_shut(aws: AWS) -> None:
    door = aws.account(ACCOUNT)
    sts = client(aws, "sts", hub.HUB_ACCESS_KEY_ID)

    given = {"RoleArn": door.role_arn, "RoleSessionName": "gatehouse"}

    assert refusal_of(sts.assume_role, **given) == ("AccessDenied", 403)
    assert refusal_of(sts.assume_role, **given, ExternalId="wrong") == ("AccessDenied", 403)


def test_the_layer_breaks_the_call_that_was_named_and_shows_no_secret(aws: AWS) -> None:
    iam = connect.iam(aws.account(ACCOUNT))
    iam.create_user(user_name="mia", tags={}, permissions_boundary=None)
    aws.faults.inject("GetUser", Fault.DENY, nth=2)

    iam._write("CreateLoginProfile", UserName="mia", Password="canary-password")
    iam.get_user(user_name="mia")
    with pytest.raises(Exception, match="AWS denied GetUser"):
        iam.get_user(user_name="mia")
    iam.get_user(user_name="mia")

    assert [call.account_id for call in aws.calls("GetUser")] == [ACCOUNT] * 3
    assert aws.calls("CreateLoginProfile")[0].parameters["UserName"] == "mia"
    assert "canary-password" not in repr(aws.trace)
    aws.boto3(ACCOUNT).list_users()
    assert aws.calls("ListUsers") == [], "looking from outside leaves no trace"


def test_a_root_key_is_root_and_assumes_no_role(aws: AWS) -> None:
    aws.account(ACCOUNT, trust=demo.portal_trust("right"))
    root = keys.make_root_key(hub.HUB_ACCOUNT_ID)
    sts = client(aws, "sts", root.access_key_id)

    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:root"
    told = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/gatehouse-portal", "RoleSessionName": "x1", "ExternalId": "right"}
    assert refusal_of(sts.assume_role, **told) == ("AccessDenied", 403)


ROLE: dict[str, Any] = {
    "account_id": ACCOUNT,
    "role_name": "gatehouse-portal",
    "path": "/security/",
    "trust": demo.portal_trust("right"),
    "policy": document_allowing("iam:GetUser"),
}


def test_a_role_is_put_in_place_and_mended(aws: AWS) -> None:
    outside = aws.boto3(ACCOUNT)

    for changes in ({}, {"trust": demo.portal_trust("another"), "policy": document_allowing("iam:ListUsers")}):
        assert requests.post(f"{aws.url}/gatehouse/role", json=ROLE | changes, timeout=10).status_code == 200

    (role,) = outside.list_roles()["Roles"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/security/gatehouse-portal"
    assert role["RoleId"].startswith("AROA")
    assert role["AssumeRolePolicyDocument"] == demo.portal_trust("another")
    (name,) = outside.list_role_policies(RoleName="gatehouse-portal")["PolicyNames"]
    found = outside.get_role_policy(RoleName="gatehouse-portal", PolicyName=name)
    assert found["PolicyDocument"] == document_allowing("iam:ListUsers")


def test_a_form_of_another_page_puts_nothing_in_place(aws: AWS) -> None:
    text = json.dumps(ROLE)
    bodies: list[dict[str, Any]] = [{"data": text}, {"data": text, "headers": {"Content-Type": "text/plain"}}]

    for body in bodies:
        assert requests.post(f"{aws.url}/gatehouse/role", timeout=10, **body).status_code == 404
    assert not aws.backend(ACCOUNT).roles
