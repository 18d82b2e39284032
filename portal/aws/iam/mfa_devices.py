"""MFA devices of IAM users; the seed that ListVirtualMFADevices may carry is never taken over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.aws.calls import Calls
from portal.aws.iam.users import tag_list

# What AWS says of codes that are not two in a row of the device (IAM API reference, EnableMFADevice, Errors).
WRONG_CODES = "InvalidAuthenticationCode"


@dataclass(frozen=True)
class MFADevice:
    """A device that one user has enabled; a virtual one's `serial_number` is an ARN."""

    user_name: str
    serial_number: str
    enable_date: datetime


@dataclass(frozen=True)
class VirtualMFADevice:
    """A virtual device of the account; without a user where nobody has enabled it."""

    serial_number: str
    user_name: str | None
    enable_date: datetime | None


@dataclass(frozen=True)
class NewVirtualMFADevice:
    """A virtual device that AWS has just made: it tells the seed this once, in Base32, and a repr never does."""

    serial_number: str
    base32_string_seed: str = field(repr=False)


class MFADevices(Calls):
    """Operations on MFA devices."""

    def list_mfa_devices(self, *, user_name: str) -> tuple[MFADevice, ...]:
        """:raises NotFound: when there is no such user."""
        return tuple(
            MFADevice(user_name=told["UserName"], serial_number=told["SerialNumber"], enable_date=told["EnableDate"])
            for told in self._all("ListMFADevices", "MFADevices", UserName=user_name)
        )

    def list_virtual_mfa_devices(self) -> tuple[VirtualMFADevice, ...]:
        """All virtual devices of the account, enabled or not; root's device has the user name `root`."""
        return tuple(
            VirtualMFADevice(
                serial_number=told["SerialNumber"],
                user_name=_user_name(told.get("User", {})),
                enable_date=told.get("EnableDate"),
            )
            for told in self._all("ListVirtualMFADevices", "VirtualMFADevices")
        )

    def create_virtual_mfa_device(
        self, *, virtual_mfa_device_name: str, path: str = "/", tags: Mapping[str, str]
    ) -> NewVirtualMFADevice:
        """Sent once; nobody has the device until EnableMFADevice.

        :raises Conflict: when the account has a virtual device of this name.
        """
        told = self._write(
            "CreateVirtualMFADevice", VirtualMFADeviceName=virtual_mfa_device_name, Path=path, Tags=tag_list(tags)
        )["VirtualMFADevice"]
        return NewVirtualMFADevice(
            serial_number=told["SerialNumber"], base32_string_seed=told["Base32StringSeed"].decode()
        )

    def enable_mfa_device(
        self, *, user_name: str, serial_number: str, authentication_code_1: str, authentication_code_2: str
    ) -> None:
        """Let the device be the user's; the codes are two of six digits that it showed one after the other.

        :raises Refused: for other codes, with the code `WRONG_CODES`; for a ninth device.
        :raises Conflict: when a user has the device already.
        :raises NotFound: when there is no such user or virtual device.
        """
        self._write(
            "EnableMFADevice",
            UserName=user_name,
            SerialNumber=serial_number,
            AuthenticationCode1=authentication_code_1,
            AuthenticationCode2=authentication_code_2,
        )

    def resync_mfa_device(
        self, *, user_name: str, serial_number: str, authentication_code_1: str, authentication_code_2: str
    ) -> None:
        """Tell AWS how far off the clock of the user's device is; it may be told twice.

        :raises Refused: for codes that it did not show one after the other, with the code `WRONG_CODES`.
        :raises NotFound: when the user has no such device.
        """
        self._write(
            "ResyncMFADevice",
            UserName=user_name,
            SerialNumber=serial_number,
            AuthenticationCode1=authentication_code_1,
            AuthenticationCode2=authentication_code_2,
        )

    def deactivate_mfa_device(self, *, user_name: str, serial_number: str) -> None:
        """:raises NotFound: when the user has no such device."""
        self._write("DeactivateMFADevice", UserName=user_name, SerialNumber=serial_number)

    def delete_virtual_mfa_device(self, *, serial_number: str) -> None:
        """Delete a device that nobody has enabled.

        :raises NotFound: when there is no such virtual device.
        :raises Conflict: while a user still has it enabled.
        """
        self._write("DeleteVirtualMFADevice", SerialNumber=serial_number)


def _user_name(user: dict[str, str]) -> str | None:
    """ListVirtualMFADevices gives root no UserName but an ARN that ends in :root."""
    if user.get("Arn", "").endswith(":root"):
        return "root"
    return user.get("UserName")
