"""The app on somebody's phone: the codes of a virtual MFA device, and a device enabled with them from outside."""

from datetime import UTC, datetime
from typing import Any

from portal.aws.simulator import totp


def codes(seed: str, *, steps_off: int = 0) -> tuple[str, str]:
    """Two codes in a row, now; with a clock that is so many steps of 30 seconds off."""
    step = totp.step_of(datetime.now(UTC)) + steps_off
    return totp.code(seed, step), totp.code(seed, step + 1)


def enable(iam: Any, user_name: str) -> str:
    """Give the user a virtual device of the same name, past the portal; its serial number."""
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=user_name)["VirtualMFADevice"]
    first, second = codes(made["Base32StringSeed"].decode())
    serial_number: str = made["SerialNumber"]
    iam.enable_mfa_device(
        UserName=user_name, SerialNumber=serial_number, AuthenticationCode1=first, AuthenticationCode2=second
    )
    return serial_number
