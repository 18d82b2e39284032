"""Reading one IAM user: exact, and in a handful of calls."""

from collections.abc import Callable

import pytest

from accounts import importers
from accounts.models import AccessKey, Account, AccountImport, IAMCredential, IAMUser, LoginProfile, MFADevice, Source
from portal.ledger.clock import database_now
from tests.accounts.carrying import rename
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.certificates import certificate

Read = Callable[..., AccountImport]
CALLS = [
    "GetUser",
    "ListGroupsForUser",
    "ListAttachedUserPolicies",
    "ListUserPolicies",
    "GetUserPolicy",
    "GetLoginProfile",
    "ListAccessKeys",
    "GetAccessKeyLastUsed",
    "ListMFADevices",
    "ListSigningCertificates",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
]


@pytest.fixture
def mia_in_aws(full: Account, read: Read) -> IAMUser:
    read(full)
    return IAMUser.objects.get()


def read_one(iam_user: IAMUser) -> AccountImport:
    row = AccountImport.objects.create(
        organization=iam_user.organization, account=iam_user.account, iam_user=iam_user, lease_until=database_now()
    )
    importers.run(row.pk)
    row.refresh_from_db()
    return row


def test_everything_of_the_user_is_read_and_nothing_else(aws: AWS, full: Account, mia_in_aws: IAMUser) -> None:
    iam = aws.boto3(full.account_id)
    iam.tag_user(UserName="mia", Tags=[{"Key": "team", "Value": "platform"}])
    iam.remove_user_from_group(UserName="mia", GroupName="ledger-writers")
    iam.update_access_key(UserName="mia", AccessKeyId=AccessKey.objects.get().access_key_id, Status="Inactive")
    iam.upload_signing_certificate(UserName="mia", CertificateBody=certificate("mia"))
    iam.create_user(UserName="another")
    aws.trace.clear()

    account_import = read_one(mia_in_aws)

    assert (account_import.state, account_import.error) == (AccountImport.State.APPLIED, "")
    mia_in_aws.refresh_from_db()
    assert (mia_in_aws.tags, mia_in_aws.source) == ({"team": "platform"}, Source.GET_USER)
    assert not mia_in_aws.group_memberships.exists()
    key = AccessKey.objects.get()
    assert (key.status, key.last_used_source) == ("Inactive", Source.GET_ACCESS_KEY_LAST_USED)
    assert LoginProfile.objects.get().password_reset_required is False
    assert LoginProfile.objects.get().password_last_changed is not None, "which the report alone tells"
    assert IAMCredential.objects.get().kind == IAMCredential.Kind.SIGNING_CERTIFICATE
    assert not IAMUser.objects.filter(user_name="another").exists()
    assert [call.operation for call in aws.trace if call.operation != "AssumeRole"] == [
        "GetUser",
        "ListGroupsForUser",
        "ListAttachedUserPolicies",
        "ListUserPolicies",
        "GetUserPolicy",
        "ListAccessKeys",
        "ListMFADevices",
        "GetLoginProfile",
        "GetAccessKeyLastUsed",
        "ListSigningCertificates",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
    ]


def test_what_is_not_there_any_more_goes(aws: AWS, full: Account, mia_in_aws: IAMUser) -> None:
    iam = aws.boto3(full.account_id)
    iam.delete_login_profile(UserName="mia")
    iam.delete_access_key(UserName="mia", AccessKeyId=AccessKey.objects.get().access_key_id)
    iam.deactivate_mfa_device(UserName="mia", SerialNumber=MFADevice.objects.get().serial_number)

    read_one(mia_in_aws)

    assert not LoginProfile.objects.exists()
    assert not MFADevice.objects.exists()
    assert not AccessKey.objects.present().exists()


def test_another_name_or_another_user_concludes_nothing(aws: AWS, full: Account, mia_in_aws: IAMUser) -> None:
    rename(aws, full, ("mia", "mia-2"))

    gone = read_one(mia_in_aws)
    aws.boto3(full.account_id).create_user(UserName="mia")
    another = read_one(mia_in_aws)

    for account_import in (gone, another):
        assert account_import.state == AccountImport.State.FAILED
        assert "Refresh the account to see what became of it." in account_import.error
    mia_in_aws.refresh_from_db()
    assert (mia_in_aws.user_name, mia_in_aws.gone_at) == ("mia", None)


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_that_fails_leaves_everything_as_it_was(aws: AWS, mia_in_aws: IAMUser, operation: str) -> None:
    before = IAMUser.objects.values().get(), AccessKey.objects.values().get()
    aws.boto3(mia_in_aws.account.account_id).tag_user(UserName="mia", Tags=[{"Key": "more", "Value": "1"}])
    aws.faults.inject(operation, Fault.DENY)

    account_import = read_one(mia_in_aws)

    assert account_import.state == AccountImport.State.FAILED
    assert operation in account_import.error
    assert (IAMUser.objects.values().get(), AccessKey.objects.values().get()) == before
