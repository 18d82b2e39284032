"""IAM's operations that tell a secret, once: it arrives, and shows in no repr."""

from typing import Any

import pytest

from portal.aws import connect
from portal.aws.errors import Conflict, NotFound, Refused, TryLater
from portal.aws.iam import IAM
from tests.aws.server import AWS
from tests.aws.strict import Fault

ACCOUNT = "111122223333"


@pytest.fixture
def iam(aws: AWS) -> IAM:
    return connect.iam(aws.account(ACCOUNT))


@pytest.fixture
def mia(aws: AWS) -> Any:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    return outside


def test_an_access_key_is_made_with_its_secret(iam: IAM, mia: Any) -> None:
    made = iam.create_access_key(user_name="mia")

    [held] = mia.list_access_keys(UserName="mia")["AccessKeyMetadata"]
    assert (made.access_key_id, made.create_date) == (held["AccessKeyId"], held["CreateDate"])
    assert (made.user_name, made.status) == ("mia", "Active")
    assert len(made.secret_access_key) == 40
    assert made.secret_access_key not in repr(made)


def test_a_third_access_key_is_refused(iam: IAM, mia: Any) -> None:
    for _ in range(2):
        mia.create_access_key(UserName="mia")

    with pytest.raises(Refused, match="AccessKeysPerUser"):
        iam.create_access_key(user_name="mia")


def test_a_login_profile_is_made_once(iam: IAM, mia: Any) -> None:
    made = iam.create_login_profile(user_name="mia", password="correct horse battery", password_reset_required=True)

    assert made == iam.get_login_profile(user_name="mia")
    assert made.password_reset_required
    with pytest.raises(Conflict):
        iam.create_login_profile(user_name="mia", password="correct horse battery", password_reset_required=False)


def test_a_login_profile_is_given_another_password(aws: AWS, iam: IAM, mia: Any) -> None:
    mia.create_login_profile(UserName="mia", Password="gatehouse-demo", PasswordResetRequired=False)

    for _ in range(2):
        iam.update_login_profile(user_name="mia", password="correct horse battery", password_reset_required=True)

    assert aws.backend(ACCOUNT).users["mia"].password == "correct horse battery"
    assert iam.get_login_profile(user_name="mia").password_reset_required is True
    assert "correct horse battery" not in str(aws.trace)


def test_whoever_has_no_password_is_given_no_other(iam: IAM, mia: Any) -> None:
    with pytest.raises(NotFound):
        iam.update_login_profile(user_name="mia", password="correct horse battery", password_reset_required=True)


def test_a_password_that_was_changed_a_moment_ago_is_changed_later(aws: AWS, iam: IAM, mia: Any) -> None:
    mia.create_login_profile(UserName="mia", Password="gatehouse-demo")
    aws.faults.inject("UpdateLoginProfile", Fault.BUSY)

    with pytest.raises(TryLater) as raised:
        iam.update_login_profile(user_name="mia", password="correct horse battery", password_reset_required=True)

    assert not raised.value.is_doubtful


def test_a_virtual_mfa_device_is_made_with_its_seed(iam: IAM, mia: Any) -> None:
    made = iam.create_virtual_mfa_device(virtual_mfa_device_name="mia", tags={"gatehouse:entry": "1"})

    assert made.serial_number == f"arn:aws:iam::{ACCOUNT}:mfa/mia"
    assert made.base32_string_seed
    assert made.base32_string_seed not in repr(made)
    with pytest.raises(Conflict):
        iam.create_virtual_mfa_device(virtual_mfa_device_name="mia", tags={})


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE])
def test_a_lost_answer_makes_no_second_key(aws: AWS, iam: IAM, mia: Any, fault: Fault) -> None:
    aws.faults.inject("CreateAccessKey", fault)

    with pytest.raises(TryLater) as raised:
        iam.create_access_key(user_name="mia")

    assert raised.value.is_doubtful
    assert len(mia.list_access_keys(UserName="mia")["AccessKeyMetadata"]) == 1


def test_nobody_gets_nothing(iam: IAM) -> None:
    with pytest.raises(NotFound):
        iam.create_access_key(user_name="nobody")
    with pytest.raises(NotFound):
        iam.create_login_profile(user_name="nobody", password="correct horse battery", password_reset_required=True)
