"""IAM's operations, against the embedded AWS over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.iam.models import SigningCertificate

from portal.aws import connect
from portal.aws.errors import AWSError, Conflict, NotFound, Refused, Unknown
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyStatus
from tests.aws import authenticator
from tests.aws.server import AWS

ACCOUNT = "111122223333"
CERTIFICATE_ID = "CERTIFICATEOFMIA00000001"
BOUNDARY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def iam(aws: AWS) -> IAM:
    return connect.iam(aws.account(ACCOUNT))


@pytest.fixture
def outside(aws: AWS) -> Any:
    return aws.boto3(ACCOUNT)


@pytest.fixture
def mia(outside: Any) -> Any:
    outside.create_user(UserName="mia")
    return outside


def test_a_user_is_made_as_asked(iam: IAM, outside: Any) -> None:
    made = iam.create_user(
        user_name="ledger-writer",
        path="/portal/acme/payments/",
        tags={"team": "Payments", "owner": "lena@acme.test"},
        permissions_boundary=BOUNDARY,
    )

    held = outside.get_user(UserName="ledger-writer")["User"]
    assert held["Path"] == "/portal/acme/payments/"
    assert held["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert made == iam.get_user(user_name="ledger-writer")
    assert made.tags == {"team": "Payments", "owner": "lena@acme.test"}
    assert made.arn == f"arn:aws:iam::{ACCOUNT}:user/portal/acme/payments/ledger-writer"
    assert (made.permissions_boundary, made.password_last_used) == (BOUNDARY, None)
    assert made.user_id.startswith("AIDA")
    assert len(made.user_id) == 21
    assert datetime.now(UTC) - made.create_date < timedelta(minutes=1)


def test_a_boundary_that_is_not_there_makes_no_user(iam: IAM, outside: Any) -> None:
    with pytest.raises(NotFound):
        iam.create_user(user_name="x", tags={}, permissions_boundary=f"arn:aws:iam::{ACCOUNT}:policy/nobody-made-it")

    assert outside.list_users()["Users"] == []


def test_tags_are_set_and_taken(iam: IAM, mia: Any) -> None:
    iam.tag_user(user_name="mia", tags={"team": "Payments", "cost": "1"})
    iam.tag_user(user_name="mia", tags={"cost": "2"})
    iam.untag_user(user_name="mia", tag_keys=["team", "never-there"])

    assert iam.list_user_tags(user_name="mia") == {"cost": "2"}


def test_a_boundary_is_put_and_taken(iam: IAM, mia: Any) -> None:
    iam.put_user_permissions_boundary(user_name="mia", permissions_boundary=BOUNDARY)
    assert iam.get_user(user_name="mia").permissions_boundary == BOUNDARY

    iam.delete_user_permissions_boundary(user_name="mia")
    assert iam.get_user(user_name="mia").permissions_boundary is None
    with pytest.raises(NotFound):
        iam.delete_user_permissions_boundary(user_name="mia")


def test_groups_are_joined_and_left(iam: IAM, mia: Any) -> None:
    mia.create_group(GroupName="ledger-readers", Path="/portal/")

    iam.add_user_to_group(group_name="ledger-readers", user_name="mia")
    iam.add_user_to_group(group_name="ledger-readers", user_name="mia")
    assert iam.list_groups_for_user(user_name="mia") == (iam.get_group(group_name="ledger-readers"),)
    assert iam.list_groups()[0].group_id.startswith("AGPA")

    iam.remove_user_from_group(group_name="ledger-readers", user_name="mia")
    assert iam.list_groups_for_user(user_name="mia") == ()
    with pytest.raises(NotFound):
        iam.remove_user_from_group(group_name="ledger-readers", user_name="mia")


def test_an_eleventh_group_is_refused(iam: IAM, mia: Any) -> None:
    for number in range(11):
        mia.create_group(GroupName=f"group-{number}")
    for number in range(10):
        iam.add_user_to_group(group_name=f"group-{number}", user_name="mia")

    with pytest.raises(Refused, match="GroupsPerUser: 10"):
        iam.add_user_to_group(group_name="group-10", user_name="mia")


def test_a_long_list_is_read_to_its_end(aws: AWS, iam: IAM, mia: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.aws.calls.PAGE_SIZE", 2)
    for number in range(5):
        mia.create_group(GroupName=f"group-{number}")

    assert [group.group_name for group in iam.list_groups()] == [f"group-{number}" for number in range(5)]
    assert [call.parameters.get("Marker") for call in aws.calls("ListGroups")] == [None, "2", "4"]


@pytest.mark.parametrize("marker", [None, "", "2"])
def test_a_list_that_is_cut_off_or_goes_in_circles_is_not_believed(
    iam: IAM, monkeypatch: pytest.MonkeyPatch, marker: str | None
) -> None:
    page = {"Groups": [], "IsTruncated": True, "Marker": marker}
    pages = [page] * 3
    monkeypatch.setattr("portal.aws.calls.call", lambda *_, **__: pages.pop())

    with pytest.raises(Unknown, match="cut off"):
        iam.list_groups()


def test_access_keys_are_listed_made_inactive_and_deleted(aws: AWS, iam: IAM, mia: Any) -> None:
    key_id = mia.create_access_key(UserName="mia")["AccessKey"]["AccessKeyId"]

    iam.update_access_key(user_name="mia", access_key_id=key_id, status=AccessKeyStatus.INACTIVE)
    (held,) = iam.list_access_keys(user_name="mia")
    assert (held.access_key_id, held.status) == (key_id, "Inactive")

    iam.delete_access_key(user_name="mia", access_key_id=key_id)
    assert iam.list_access_keys(user_name="mia") == ()
    with pytest.raises(NotFound):
        iam.delete_access_key(user_name="mia", access_key_id=key_id)


def test_the_last_use_of_a_key_is_told(aws: AWS, iam: IAM, mia: Any) -> None:
    key_id = mia.create_access_key(UserName="mia")["AccessKey"]["AccessKeyId"]
    unused = iam.get_access_key_last_used(access_key_id=key_id)
    assert (unused.last_used_date, unused.service_name, unused.region) == (None, None, None)

    secret = aws.backend(ACCOUNT).access_keys[key_id].secret_access_key
    sign_with(aws, key_id, secret).get_user(UserName="mia")

    used = iam.get_access_key_last_used(access_key_id=key_id)
    assert used.user_name == "mia"
    assert used.last_used_date is not None
    assert (used.service_name, used.region) == ("iam", "us-east-1")


def sign_with(aws: AWS, key_id: str, secret: str) -> Any:
    return boto3.client(
        "iam", endpoint_url=aws.url, region_name="us-east-1", aws_access_key_id=key_id, aws_secret_access_key=secret
    )


def test_a_login_profile_is_told_and_deleted(iam: IAM, mia: Any) -> None:
    with pytest.raises(NotFound):
        iam.get_login_profile(user_name="mia")
    mia.create_login_profile(UserName="mia", Password="gatehouse-demo", PasswordResetRequired=True)

    assert iam.get_login_profile(user_name="mia").password_reset_required is True

    iam.delete_login_profile(user_name="mia")
    with pytest.raises(NotFound):
        iam.delete_login_profile(user_name="mia")


def test_mfa_devices_are_told_deactivated_and_deleted(iam: IAM, mia: Any) -> None:
    serial = authenticator.enable(mia, "mia")

    assert [device.serial_number for device in iam.list_mfa_devices(user_name="mia")] == [serial]
    assert [(device.serial_number, device.user_name) for device in iam.list_virtual_mfa_devices()] == [(serial, "mia")]
    with pytest.raises(Conflict):
        iam.delete_virtual_mfa_device(serial_number=serial)

    iam.deactivate_mfa_device(user_name="mia", serial_number=serial)
    assert [device.user_name for device in iam.list_virtual_mfa_devices()] == [None]
    iam.delete_virtual_mfa_device(serial_number=serial)
    assert iam.list_virtual_mfa_devices() == ()


def test_policies_are_told_and_taken_off(iam: IAM, mia: Any) -> None:
    document = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
    )
    mia.put_user_policy(UserName="mia", PolicyName="inline", PolicyDocument=document)
    mia.attach_user_policy(UserName="mia", PolicyArn=BOUNDARY)

    assert iam.list_user_policies(user_name="mia") == ("inline",)
    assert [policy.policy_arn for policy in iam.list_attached_user_policies(user_name="mia")] == [BOUNDARY]

    iam.delete_user_policy(user_name="mia", policy_name="inline")
    iam.detach_user_policy(user_name="mia", policy_arn=BOUNDARY)
    assert iam.list_user_policies(user_name="mia") == ()
    assert iam.list_attached_user_policies(user_name="mia") == ()


def test_service_specific_credentials_are_told_and_deleted(iam: IAM, mia: Any) -> None:
    mia.create_service_specific_credential(UserName="mia", ServiceName="codecommit.amazonaws.com")

    (held,) = iam.list_service_specific_credentials(user_name="mia")
    assert (held.service_name, held.status) == ("codecommit.amazonaws.com", "Active")

    credential_id = held.service_specific_credential_id
    iam.delete_service_specific_credential(user_name="mia", service_specific_credential_id=credential_id)
    assert iam.list_service_specific_credentials(user_name="mia") == ()
    with pytest.raises(NotFound):
        iam.delete_service_specific_credential(user_name="mia", service_specific_credential_id=credential_id)


def test_ssh_keys_and_certificates_are_told_and_deleted(aws: AWS, iam: IAM, mia: Any) -> None:
    mia.upload_ssh_public_key(UserName="mia", SSHPublicKeyBody="ssh-rsa AAAA")
    aws.backend(ACCOUNT).users["mia"].signing_certificates[CERTIFICATE_ID] = signing_certificate()

    (key,) = iam.list_ssh_public_keys(user_name="mia")
    iam.delete_ssh_public_key(user_name="mia", ssh_public_key_id=key.ssh_public_key_id)
    (certificate,) = iam.list_signing_certificates(user_name="mia")
    iam.delete_signing_certificate(user_name="mia", certificate_id=certificate.certificate_id)

    assert iam.list_ssh_public_keys(user_name="mia") == ()
    assert iam.list_signing_certificates(user_name="mia") == ()


def signing_certificate() -> Any:
    return SigningCertificate(CERTIFICATE_ID, "mia", "body")


def with_key(outside: Any, aws: AWS) -> None:
    outside.create_access_key(UserName="mia")


def with_password(outside: Any, aws: AWS) -> None:
    outside.create_login_profile(UserName="mia", Password="gatehouse-demo")


def with_mfa(outside: Any, aws: AWS) -> None:
    authenticator.enable(outside, "mia")


def with_group(outside: Any, aws: AWS) -> None:
    outside.create_group(GroupName="ledger-readers")
    outside.add_user_to_group(GroupName="ledger-readers", UserName="mia")


def with_policy(outside: Any, aws: AWS) -> None:
    outside.attach_user_policy(UserName="mia", PolicyArn=BOUNDARY)


def with_service_credential(outside: Any, aws: AWS) -> None:
    outside.create_service_specific_credential(UserName="mia", ServiceName="codecommit.amazonaws.com")


def with_ssh_key(outside: Any, aws: AWS) -> None:
    outside.upload_ssh_public_key(UserName="mia", SSHPublicKeyBody="ssh-rsa AAAA")


def with_certificate(outside: Any, aws: AWS) -> None:
    aws.backend(ACCOUNT).users["mia"].signing_certificates[CERTIFICATE_ID] = signing_certificate()


@pytest.mark.parametrize(
    "leave",
    [
        with_key,
        with_password,
        with_mfa,
        with_group,
        with_policy,
        with_service_credential,
        with_ssh_key,
        with_certificate,
    ],
)
def test_a_user_with_something_left_is_not_deleted(
    aws: AWS, iam: IAM, mia: Any, leave: Callable[[Any, AWS], None]
) -> None:
    leave(mia, aws)

    with pytest.raises(Conflict, match="Cannot delete entity, must"):
        iam.delete_user(user_name="mia")

    assert iam.get_user(user_name="mia").user_name == "mia"


def test_a_bare_user_is_deleted_once(iam: IAM, mia: Any) -> None:
    iam.delete_user(user_name="mia")

    with pytest.raises(NotFound):
        iam.delete_user(user_name="mia")
    with pytest.raises(NotFound):
        iam.get_user(user_name="mia")


@pytest.mark.parametrize(
    "ask",
    [
        lambda iam: iam.list_access_keys(user_name="nobody"),
        lambda iam: iam.list_groups_for_user(user_name="nobody"),
        lambda iam: iam.list_mfa_devices(user_name="nobody"),
        lambda iam: iam.list_user_tags(user_name="nobody"),
        lambda iam: iam.list_service_specific_credentials(user_name="nobody"),
        lambda iam: iam.tag_user(user_name="nobody", tags={"a": "b"}),
        lambda iam: iam.get_group(group_name="nobody"),
        lambda iam: iam.add_user_to_group(user_name="nobody", group_name="nobody"),
    ],
)
def test_what_is_not_there_is_not_found(iam: IAM, ask: Callable[[IAM], object]) -> None:
    with pytest.raises(AWSError) as raised:
        ask(iam)

    assert type(raised.value) is NotFound
