"""Keys, passwords and MFA devices of imported IAM users, and a credential report that may be four hours old."""

from collections.abc import Callable
from datetime import timedelta

from moto.iam.models import AccessKeyLastUsed

from accounts.models import (
    AccessKey,
    Account,
    AccountImport,
    IAMCredential,
    MFADevice,
    Source,
)
from tests.accounts.carrying import rename
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.certificates import certificate

MINUTE = timedelta(minutes=1)

Read = Callable[..., AccountImport]


def test_more_than_two_keys_are_all_there_and_last_use_joins_by_the_time_of_making(
    aws: AWS, bare: Account, read: Read
) -> None:
    iam = aws.boto3(bare.account_id)
    iam.create_user(UserName="mia")
    user = aws.backend(bare.account_id).users["mia"]
    for days in (300, 200, 100):
        user.create_access_key(prefix="AKIA").create_date -= timedelta(days=days)
    for key in user.access_keys:
        aws.backend(bare.account_id).access_keys[key.access_key_id] = key
    used, unused, third = user.access_keys
    used.last_used = AccessKeyLastUsed(
        timestamp=used.create_date + timedelta(days=1), service="s3", region="eu-central-1"
    )
    third.status = "Inactive"

    read(bare)

    keys = {key.access_key_id: key for key in AccessKey.objects.present()}
    assert set(keys) == {used.access_key_id, unused.access_key_id, third.access_key_id}
    found = keys[used.access_key_id]
    assert (found.last_used_service, found.last_used_region) == ("s3", "eu-central-1")
    assert found.last_used_date is not None
    assert found.last_used_date - found.create_date == timedelta(days=1)
    assert found.last_used_source == Source.CREDENTIAL_REPORT
    assert (keys[unused.access_key_id].last_used_date, keys[unused.access_key_id].last_used_service) == (None, "")
    # The report knows two keys of a user: of the third AWS is asked by itself.
    assert keys[third.access_key_id].status == "Inactive"
    assert keys[third.access_key_id].last_used_source == Source.GET_ACCESS_KEY_LAST_USED
    assert len(aws.calls("GetAccessKeyLastUsed")) == 1


def test_two_keys_made_in_the_same_second_are_not_mixed_up(aws: AWS, bare: Account, read: Read) -> None:
    iam = aws.boto3(bare.account_id)
    iam.create_user(UserName="mia")
    for _ in range(2):
        iam.create_access_key(UserName="mia")
    one, other = aws.backend(bare.account_id).users["mia"].access_keys
    other.create_date = one.create_date
    one.last_used = AccessKeyLastUsed(timestamp=one.create_date, service="s3", region="eu-central-1")

    read(bare)

    keys = {key.access_key_id: key for key in AccessKey.objects.all()}
    assert (keys[one.access_key_id].last_used_service, keys[other.access_key_id].last_used_service) == ("s3", "")
    assert {key.last_used_source for key in keys.values()} == {Source.GET_ACCESS_KEY_LAST_USED}


def test_a_deleted_key_is_gone(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    key_id = AccessKey.objects.get().access_key_id
    aws.boto3(full.account_id).delete_access_key(UserName="mia", AccessKeyId=key_id)

    read(full)

    assert AccessKey.objects.get().gone_at is not None


def test_what_the_report_tells_again_is_not_asked_for_again(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    aws.trace.clear()

    read(full)

    assert AccessKey.objects.present().get().last_rotated == AccessKey.objects.get().create_date
    for operation in ("ListAccessKeys", "GetAccessKeyLastUsed", "ListMFADevices", "ListSigningCertificates"):
        assert aws.calls(operation) == []
    assert len(aws.trace) <= 15


def test_a_key_is_listed_again_when_its_status_changed(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    key_id = AccessKey.objects.get().access_key_id
    aws.boto3(full.account_id).update_access_key(UserName="mia", AccessKeyId=key_id, Status="Inactive")
    aws.trace.clear()

    read(full)

    assert AccessKey.objects.get().status == "Inactive"
    assert len(aws.calls("ListAccessKeys")) == 1


def test_a_use_that_the_report_tells_is_written_without_asking(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    (key,) = aws.backend(full.account_id).users["mia"].access_keys
    key.last_used = AccessKeyLastUsed(timestamp=key.create_date, service="sts", region="us-east-1")
    aws.trace.clear()

    read(full)

    row = AccessKey.objects.get()
    assert (row.last_used_service, row.last_used_source) == ("sts", Source.CREDENTIAL_REPORT)
    assert aws.calls("ListAccessKeys") == aws.calls("GetAccessKeyLastUsed") == []


def test_other_credentials_are_read(aws: AWS, full: Account, read: Read) -> None:
    iam = aws.boto3(full.account_id)
    iam.create_service_specific_credential(UserName="mia", ServiceName="codecommit.amazonaws.com")
    signing = iam.upload_signing_certificate(UserName="mia", CertificateBody=certificate("mia"))["Certificate"]

    read(full)

    held = {row.kind: row for row in IAMCredential.objects.all()}
    assert held[IAMCredential.Kind.SERVICE_SPECIFIC_CREDENTIAL].service_name == "codecommit.amazonaws.com"
    assert held[IAMCredential.Kind.SIGNING_CERTIFICATE].credential_id == signing["CertificateId"]

    iam.delete_signing_certificate(UserName="mia", CertificateId=signing["CertificateId"])
    aws.backend(full.account_id).users["mia"].__dict__["service_specific_credentials"] = []
    read(full)
    assert not IAMCredential.objects.exists()


def test_keys_stay_with_their_users_when_names_change_hands(aws: AWS, bare: Account, read: Read) -> None:
    iam = aws.boto3(bare.account_id)
    for name in ("with-key", "without-key"):
        iam.create_user(UserName=name)
    # So that one is not taken for the other by the time at which it was made either.
    aws.backend(bare.account_id).users["without-key"].create_date -= MINUTE
    key_id = iam.create_access_key(UserName="with-key")["AccessKey"]["AccessKeyId"]
    read(bare)
    rename(aws, bare, ("with-key", "without-key"), ("without-key", "with-key"))

    read(bare, new_report=False)

    key = AccessKey.objects.present().get()
    assert (key.access_key_id, key.iam_user.user_name) == (key_id, "without-key")


def test_hardware_mfa_stays_when_the_report_is_older_than_the_name(aws: AWS, bare: Account, read: Read) -> None:
    iam = aws.boto3(bare.account_id)
    iam.create_user(UserName="mia")
    iam.enable_mfa_device(
        UserName="mia", SerialNumber="GAHT12345678", AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    read(bare)
    assert MFADevice.objects.get().serial_number == "GAHT12345678"
    rename(aws, bare, ("mia", "mia-2"))

    read(bare, new_report=False)

    assert MFADevice.objects.get().iam_user.user_name == "mia-2"


def test_a_user_of_the_report_who_is_gone_by_now_stops_nothing(aws: AWS, full: Account, read: Read) -> None:
    iam = aws.boto3(full.account_id)
    iam.create_user(UserName="short-lived")
    iam.enable_mfa_device(
        UserName="short-lived", SerialNumber="GAHT12345678", AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    read(full)
    vars(aws.backend(full.account_id))["users"].pop("short-lived")

    assert read(full, new_report=False).state == AccountImport.State.APPLIED


def test_keys_that_could_not_be_asked_for_stay(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    aws.faults.inject("ListAccessKeys", Fault.ABSENT)

    assert read(full).state == AccountImport.State.APPLIED
    assert AccessKey.objects.present().count() == 1
