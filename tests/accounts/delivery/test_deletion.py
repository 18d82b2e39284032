"""Carrying "Delete IAM user": nothing of it works first, then all of it goes, from wherever it was left."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import (
    AccessKey,
    Account,
    GroupMembership,
    IAMGroup,
    IAMUser,
    LoginProfile,
    MFADevice,
    Person,
    Team,
)
from accounts.usecases.iam_users import delete_iam_user
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.carrying import Death, age, deliver_until_quiet, users
from tests.aws import authenticator
from tests.aws.server import AWS
from tests.aws.strict import Fault
from tests.certificates import certificate

NAME = "leaver"
MFA = "arn:aws:iam::111122223333:mfa/leaver"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
STUCK = {Fault.DENY: "denied", Fault.UNKNOWN: "unknown"}
# The writes of one deletion in order, as the first test below holds them.
WRITES = [
    "UpdateAccessKey",
    "UpdateAccessKey",
    "PutUserPolicy",
    "DeleteLoginProfile",
    "DeleteAccessKey",
    "DeleteAccessKey",
    "DeleteSigningCertificate",
    "DeleteSSHPublicKey",
    "DeleteServiceSpecificCredential",
    "DeactivateMFADevice",
    "DeleteUserPolicy",
    "DetachUserPolicy",
    "RemoveUserFromGroup",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DeleteUser",
    "DeleteVirtualMFADevice",
]
READS = [
    "AssumeRole",
    "GetUser",
    "ListMFADevices",
    "ListAccessKeys",
    "ListSigningCertificates",
    "ListSSHPublicKeys",
    "ListServiceSpecificCredentials",
    "ListUserPolicies",
    "ListAttachedUserPolicies",
    "ListGroupsForUser",
]
STEPS = [(operation, WRITES[: index + 1].count(operation)) for index, operation in enumerate(WRITES)]

Decide = Callable[[], Delivery]


@pytest.fixture
def leaver(aws: AWS, prod: Account, payments: Team, ledger_writers: IAMGroup) -> IAMUser:
    """An IAM user on which everything hangs that can hang on one, in AWS and as the portal last read it."""
    iam = aws.boto3(prod.account_id)
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=POLICY)["Policy"]["Arn"]
    attached = iam.create_policy(PolicyName="attached", PolicyDocument=POLICY)["Policy"]["Arn"]
    user = iam.create_user(UserName=NAME, PermissionsBoundary=boundary)["User"]
    keys = [iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName=NAME, AccessKeyId=keys[1], Status="Inactive")
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    authenticator.enable(iam, NAME)
    iam.upload_signing_certificate(UserName=NAME, CertificateBody=certificate(NAME))
    iam.upload_ssh_public_key(UserName=NAME, SSHPublicKeyBody="ssh-rsa AAAA")
    iam.create_service_specific_credential(UserName=NAME, ServiceName="codecommit.amazonaws.com")
    iam.put_user_policy(UserName=NAME, PolicyName="inline", PolicyDocument=POLICY)
    iam.attach_user_policy(UserName=NAME, PolicyArn=attached)
    iam.add_user_to_group(UserName=NAME, GroupName="ledger-writers")
    age(aws, prod, NAME)
    row = factories.iam_user(
        prod, NAME, team=payments, user_id=user["UserId"], create_date=iam.get_user(UserName=NAME)["User"]["CreateDate"]
    )
    for key in keys:
        factories.access_key(row, access_key_id=key)
    factories.login_profile(row)
    factories.mfa_device(row, serial_number=MFA)
    factories.group_membership(row, ledger_writers)
    return row


@pytest.fixture
def decide(lena: Person, leaver: IAMUser) -> Decide:
    """Lena decides that the user shall go."""

    def decide() -> Delivery:
        delete_iam_user(by=lena, iam_user=leaver, reason="Left the company", at=database_now())
        return Delivery.objects.get()

    return decide


def assert_all_of_it_is_gone(aws: AWS, account: Account) -> None:
    iam = aws.boto3(account.account_id)
    assert users(aws, account) == {}
    assert iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.get_group(GroupName="ledger-writers")["Users"] == []
    row = IAMUser.objects.get()
    assert not row.is_in_aws
    for hanging in (LoginProfile, MFADevice, GroupMembership):
        assert not hanging._default_manager.exists()
    assert not AccessKey.objects.present().exists()
    assert AccessKey.objects.count() == 2


def writes(aws: AWS) -> list[str]:
    return [call.operation for call in aws.trace if not call.operation.startswith(("Get", "List", "Assume"))]


def test_everything_goes_in_the_safe_order(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.attempts) == (Delivery.State.DONE, 1)
    assert writes(aws) == WRITES
    assert {call.operation for call in aws.trace} == {*WRITES, *READS}
    assert {call.parameters["Status"] for call in aws.calls("UpdateAccessKey")} == {"Inactive"}
    assert_all_of_it_is_gone(aws, prod)
    assert IAMUser.objects.get().gone_at == delivery.done_at


@pytest.mark.parametrize(
    ("operation", "nth", "fault"),
    [
        *((*step, fault) for step in STEPS for fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.BUSY, Fault.DENY)),
        *((operation, 1, fault) for operation in READS for fault in (Fault.EXPIRED, Fault.UNKNOWN)),
    ],
)
def test_left_anywhere_it_is_finished_the_next_time(
    aws: AWS, prod: Account, decide: Decide, operation: str, nth: int, fault: Fault
) -> None:
    decide()
    aws.faults.inject(operation, fault, nth=nth)

    delivery = deliver_until_quiet()

    if delivery.state == Delivery.State.STUCK:
        assert delivery.stuck_kind == STUCK[fault]
        worker.retry(delivery=delivery)
        delivery = deliver_until_quiet()
    assert delivery.state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)


@pytest.mark.parametrize("calls", range(1, len(WRITES) + len(READS) + 1))
def test_a_worker_that_dies_after_any_call_leaves_nothing_behind(
    aws: AWS, prod: Account, decide: Decide, calls: int, dying: Callable[[int], None]
) -> None:
    decide()

    dying(calls)
    with pytest.raises(Death):
        worker.deliver_due()
    assert Delivery.objects.get().state == Delivery.State.CALLING
    Delivery.objects.update(lease_until=database_now() - timedelta(seconds=1))

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)


@pytest.mark.parametrize(("operation", "nth"), STEPS[:-2])
def test_what_aws_does_not_find_the_first_time_goes_the_second(
    aws: AWS, prod: Account, decide: Decide, operation: str, nth: int
) -> None:
    decide()
    aws.faults.inject(operation, Fault.ABSENT, nth=nth)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.attempts <= 2) == (Delivery.State.DONE, True)
    assert_all_of_it_is_gone(aws, prod)


def test_a_user_that_was_deleted_elsewhere_is_gone(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    vars(aws.backend(prod.account_id))["users"].pop(NAME)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert not IAMUser.objects.get().is_in_aws
    assert len(aws.calls("GetAccountAuthorizationDetails")) == 1


# Never somebody else


def test_another_user_of_that_name_is_left_alone(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    iam = aws.boto3(prod.account_id)
    vars(aws.backend(prod.account_id))["users"].pop(NAME)
    iam.create_user(UserName=NAME)
    iam.create_access_key(UserName=NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "deleted and made again outside the portal" in delivery.error
    assert writes(aws) == []
    assert iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"][0]["Status"] == "Active"


def test_a_user_that_has_another_name_now_is_not_taken_for_gone(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    aws.boto3(prod.account_id).update_user(UserName=NAME, NewUserName="renamed")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "leaver is named renamed now" in delivery.error
    assert IAMUser.objects.get().is_in_aws
    assert writes(aws) == []


def test_what_was_just_made_and_is_not_seen_is_not_taken_for_gone(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    IAMUser.objects.update(create_date=database_now())
    aws.faults.inject("GetUser", Fault.ABSENT, times=2)

    worker.deliver_due()

    assert Delivery.objects.get().state == Delivery.State.WAITING
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)


def test_two_readings_that_differ_are_not_believed(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    aws.faults.inject("GetUser", Fault.ABSENT)

    worker.deliver_due()

    assert Delivery.objects.get().state == Delivery.State.WAITING
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)


# What is hung on it meanwhile


def test_what_was_hung_on_it_meanwhile_goes_with_the_next_attempt(aws: AWS, prod: Account, decide: Decide) -> None:
    decide()
    iam = aws.boto3(prod.account_id)
    held = aws.faults.hang("DeleteUserPermissionsBoundary")
    hung: list[Any] = []

    def hang_a_key_on_it() -> None:
        held.reached.wait(20)
        hung.append(iam.create_access_key(UserName=NAME))
        held.release()

    thread = threading.Thread(target=hang_a_key_on_it)
    thread.start()
    worker.deliver_due()
    thread.join()

    assert len(hung) == 1
    assert Delivery.objects.get().state == Delivery.State.WAITING
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)


def test_what_is_hung_on_it_again_and_again_needs_a_human(
    aws: AWS, prod: Account, decide: Decide, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide()
    with monkeypatch.context() as patch:
        # As if somebody put an SSH key on it after each look.
        patch.setattr(aws.backend(prod.account_id), "get_all_ssh_public_keys", lambda user_name: [])
        delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert "must delete SSH public keys first" in delivery.error
    assert len(aws.calls("DeleteUser")) == delivery.attempts > 1

    worker.retry(delivery=delivery)
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert_all_of_it_is_gone(aws, prod)
