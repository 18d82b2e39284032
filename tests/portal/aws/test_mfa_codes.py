"""Two codes of an MFA device: the embedded AWS checks them, and the portal tells wrong ones from the rest."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.aws import connect
from portal.aws.errors import Conflict, NotFound, Refused, TryLater, translate
from portal.aws.iam import IAM
from portal.aws.iam.mfa_devices import WRONG_CODES
from portal.aws.simulator import totp
from tests.aws import authenticator
from tests.aws.server import AWS
from tests.aws.strict import Fault

ACCOUNT = "111122223333"
# RFC 6238, appendix B, for SHA-1: the seed, and the last six of the eight digits at these seconds.
SEED = base64.b32encode(b"12345678901234567890").decode()
TABLE = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}


@pytest.fixture
def iam(aws: AWS) -> IAM:
    return connect.iam(aws.account(ACCOUNT))


@pytest.fixture
def mia(aws: AWS) -> Any:
    outside = aws.boto3(ACCOUNT)
    outside.create_user(UserName="mia")
    return outside


def made(iam: IAM, name: str = "phone") -> tuple[str, str]:
    device = iam.create_virtual_mfa_device(virtual_mfa_device_name=name, tags={})
    return device.serial_number, device.base32_string_seed


def enable(iam: IAM, serial_number: str, codes: tuple[str, str]) -> None:
    iam.enable_mfa_device(
        user_name="mia", serial_number=serial_number, authentication_code_1=codes[0], authentication_code_2=codes[1]
    )


def resync(iam: IAM, serial_number: str, codes: tuple[str, str]) -> None:
    iam.resync_mfa_device(
        user_name="mia", serial_number=serial_number, authentication_code_1=codes[0], authentication_code_2=codes[1]
    )


@pytest.mark.parametrize("seconds", TABLE)
def test_the_codes_are_those_of_the_rfc(seconds: int) -> None:
    assert totp.code(SEED, seconds // totp.STEP_SECONDS) == TABLE[seconds]


def test_two_codes_in_a_row_enable_a_device(iam: IAM, mia: Any) -> None:
    serial_number, seed = made(iam)

    enable(iam, serial_number, authenticator.codes(seed))

    assert [device.serial_number for device in iam.list_mfa_devices(user_name="mia")] == [serial_number]
    with pytest.raises(Conflict, match="in use"):
        enable(iam, serial_number, authenticator.codes(seed))


@pytest.mark.parametrize("wrong", ["twice the same", "the wrong way round", "with one between", "old", "made up"])
def test_other_codes_are_refused_as_wrong(iam: IAM, mia: Any, wrong: str) -> None:
    serial_number, seed = made(iam)
    (first, second), (third, _) = authenticator.codes(seed), authenticator.codes(seed, steps_off=2)
    given = {
        "twice the same": (first, first),
        "the wrong way round": (second, first),
        "with one between": (first, third),
        "old": authenticator.codes(seed, steps_off=-60),
        "made up": ("000000", "000001"),
    }

    with pytest.raises(Refused) as raised:
        enable(iam, serial_number, given[wrong])

    assert raised.value.code == WRONG_CODES
    assert iam.list_mfa_devices(user_name="mia") == ()


def test_a_ninth_device_is_refused(iam: IAM, mia: Any) -> None:
    for number in range(8):
        mia.enable_mfa_device(
            UserName="mia",
            SerialNumber=f"GAHT1234567{number}",
            AuthenticationCode1="123456",
            AuthenticationCode2="1" * 6,
        )
    serial_number, seed = made(iam)

    with pytest.raises(Refused, match="MFADevicesPerUser") as raised:
        enable(iam, serial_number, authenticator.codes(seed))
    assert raised.value.code != WRONG_CODES


def test_a_device_whose_clock_is_off_is_resynchronized(iam: IAM, mia: Any) -> None:
    serial_number, seed = made(iam)
    with pytest.raises(NotFound):
        resync(iam, serial_number, authenticator.codes(seed))
    enable(iam, serial_number, authenticator.codes(seed))

    resync(iam, serial_number, authenticator.codes(seed, steps_off=-20))

    with pytest.raises(Refused) as raised:
        resync(iam, serial_number, ("000000", "000001"))
    assert raised.value.code == WRONG_CODES


def test_what_is_not_there_is_not_enabled(iam: IAM, mia: Any) -> None:
    serial_number, seed = made(iam)
    iam.delete_virtual_mfa_device(serial_number=serial_number)

    with pytest.raises(NotFound):
        enable(iam, serial_number, authenticator.codes(seed))


@pytest.mark.parametrize("code", ["12345", "1234567", "12345x", "١٢٣٤٥٦"])
def test_no_error_repeats_a_code(iam: IAM, mia: Any, code: str) -> None:
    serial_number, seed = made(iam)

    with pytest.raises(Refused) as raised:
        enable(iam, serial_number, (code, authenticator.codes(seed)[1]))

    assert code not in str(raised.value)


def test_a_code_that_aws_quotes_is_left_out() -> None:
    quoted = "1 validation error detected: Value '123456' at 'authenticationCode1' failed to satisfy constraint"
    error = ClientError({"Error": {"Code": "ValidationError", "Message": quoted}}, "EnableMFADevice")

    assert "123456" not in str(translate(error, "EnableMFADevice"))


def test_a_lost_answer_is_doubtful(aws: AWS, iam: IAM, mia: Any) -> None:
    serial_number, seed = made(iam)
    aws.faults.inject("EnableMFADevice", Fault.DROP_AFTER)

    with pytest.raises(TryLater) as raised:
        enable(iam, serial_number, authenticator.codes(seed))

    assert raised.value.is_doubtful
    assert len(iam.list_mfa_devices(user_name="mia")) == 1
