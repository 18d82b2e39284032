"""Changing a user that is there: its name and path, and the policies on it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from portal.aws import connect
from portal.aws.errors import AWSError, Conflict, NotFound, Refused
from portal.aws.iam import IAM
from tests.aws.server import AWS

ACCOUNT = "111122223333"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}


@pytest.fixture
def iam(aws: AWS) -> IAM:
    return connect.iam(aws.account(ACCOUNT))


@pytest.fixture
def mia(aws: AWS, iam: IAM) -> Any:
    """IAM as seen from outside, with a user that has a tag, a key, a group, a policy and an MFA device."""
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia", Path="/people/", Tags=[{"Key": "team", "Value": "Payments"}])
    outside.create_access_key(UserName="mia")
    outside.create_group(GroupName="ledger-readers")
    outside.add_user_to_group(UserName="mia", GroupName="ledger-readers")
    outside.attach_user_policy(UserName="mia", PolicyArn=READ_ONLY)
    return outside


def test_a_user_with_another_name_and_path_is_the_same_and_keeps_what_it_has(iam: IAM, mia: Any) -> None:
    before = iam.get_user(user_name="mia")

    iam.update_user(user_name="mia", new_user_name="mia.moreau", new_path="/staff/")

    after = iam.get_user(user_name="mia.moreau")
    assert (after.user_id, after.tags) == (before.user_id, {"team": "Payments"})
    assert (after.path, after.arn) == ("/staff/", f"arn:aws:iam::{ACCOUNT}:user/staff/mia.moreau")
    assert [group.group_name for group in iam.list_groups_for_user(user_name="mia.moreau")] == ["ledger-readers"]
    assert [one.policy_arn for one in iam.list_attached_user_policies(user_name="mia.moreau")] == [READ_ONLY]
    with pytest.raises(NotFound):
        iam.get_user(user_name="mia")


def test_a_key_goes_with_its_user(iam: IAM, mia: Any) -> None:
    iam.update_user(user_name="mia", new_user_name="mia.moreau")

    (key,) = iam.list_access_keys(user_name="mia.moreau")
    assert key.user_name == "mia.moreau"
    iam.delete_access_key(user_name="mia.moreau", access_key_id=key.access_key_id)
    assert iam.list_access_keys(user_name="mia.moreau") == ()


def test_the_path_alone_can_change_and_the_letters_of_the_name(iam: IAM, mia: Any) -> None:
    iam.update_user(user_name="mia", new_path="/")
    iam.update_user(user_name="mia", new_user_name="Mia")

    assert (iam.get_user(user_name="Mia").path, iam.get_user(user_name="Mia").tags) == ("/", {"team": "Payments"})


def test_a_name_that_is_taken_is_refused_and_nobody_is_lost(iam: IAM, mia: Any) -> None:
    mia.create_user(UserName="noah")

    with pytest.raises(Conflict, match="already exists"):
        iam.update_user(user_name="mia", new_user_name="NOAH")

    assert {user["UserName"] for user in mia.list_users()["Users"]} == {"mia", "noah"}


@pytest.mark.parametrize("change", [{"new_user_name": "two words"}, {"new_path": "nowhere"}])
def test_a_name_or_path_that_aws_does_not_take_is_refused(iam: IAM, mia: Any, change: dict[str, str]) -> None:
    with pytest.raises(Refused):
        iam.update_user(user_name="mia", **change)

    assert iam.get_user(user_name="mia").path == "/people/"


def test_a_policy_is_attached_once_however_often_that_is_asked(iam: IAM, mia: Any) -> None:
    arn = mia.create_policy(PolicyName="write", PolicyDocument=json.dumps(DOCUMENT))["Policy"]["Arn"]

    iam.attach_user_policy(user_name="mia", policy_arn=arn)
    iam.attach_user_policy(user_name="mia", policy_arn=arn)

    assert {one.policy_arn for one in iam.list_attached_user_policies(user_name="mia")} == {READ_ONLY, arn}
    assert mia.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    iam.detach_user_policy(user_name="mia", policy_arn=arn)
    assert mia.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 0


def test_an_eleventh_policy_is_refused(iam: IAM, mia: Any) -> None:
    for number in range(9):
        arn = mia.create_policy(PolicyName=f"policy-{number}", PolicyDocument=json.dumps(DOCUMENT))["Policy"]["Arn"]
        iam.attach_user_policy(user_name="mia", policy_arn=arn)

    with pytest.raises(Refused, match="PoliciesPerUser: 10"):
        iam.attach_user_policy(user_name="mia", policy_arn="arn:aws:iam::aws:policy/SecurityAudit")


def test_an_inline_policy_is_written_in_place_of_the_one_before(iam: IAM, mia: Any) -> None:
    other = {**DOCUMENT, "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(user_name="mia", policy_name="inline", policy_document=json.dumps(other))
    iam.put_user_policy(user_name="mia", policy_name="inline", policy_document=json.dumps(DOCUMENT))

    assert iam.list_user_policies(user_name="mia") == ("inline",)
    assert iam.get_user_policy(user_name="mia", policy_name="inline") == DOCUMENT


def test_an_inline_policy_that_is_none_or_too_long_is_refused(iam: IAM, mia: Any) -> None:
    long = {**DOCUMENT, "Statement": [*DOCUMENT["Statement"]] * 40}
    for document in ("no policy", json.dumps(long)):
        with pytest.raises(Refused):
            iam.put_user_policy(user_name="mia", policy_name="inline", policy_document=document)

    assert iam.list_user_policies(user_name="mia") == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda iam: iam.update_user(user_name="nobody", new_path="/"),
        lambda iam: iam.attach_user_policy(user_name="nobody", policy_arn=READ_ONLY),
        lambda iam: iam.attach_user_policy(user_name="mia", policy_arn=f"arn:aws:iam::{ACCOUNT}:policy/nobodys"),
        lambda iam: iam.put_user_policy(user_name="nobody", policy_name="inline", policy_document=json.dumps(DOCUMENT)),
        lambda iam: iam.get_user_policy(user_name="mia", policy_name="nobodys"),
    ],
)
def test_what_is_not_there_is_not_found(iam: IAM, mia: Any, ask: Callable[[IAM], object]) -> None:
    with pytest.raises(AWSError) as raised:
        ask(iam)

    assert type(raised.value) is NotFound
