"""Enabling and resynchronizing MFA devices: the codes of virtual ones are checked, where moto takes any."""

import re

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.exceptions import EntityAlreadyExists, LimitExceededException, NoSuchEntity, ValidationError
from moto.iam.models import User
from moto.iam.responses import IamResponse

from portal.aws.simulator import leftovers, totp
from portal.aws.simulator.answers import Refusal, RefusedByAWS

# IAM and AWS STS quotas: "MFA devices assigned to an IAM user".
DEVICES_PER_USER = 8
AUTHENTICATION_CODE = re.compile(r"\d{6}", re.ASCII)
# How far a device's clock may be off, in steps of 30 seconds. AWS does not tell its own limits; that resynchronizing
# allows for more is what it is for.
TOLERANCE, LONGEST_DRIFT = 4, 120
WRONG = Refusal(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")


class MFADevices(IamResponse):
    """The operations on MFA devices that moto lacks or is too kind in."""

    def enable_mfa_device(self) -> ActionResult:
        """Refuse a ninth device, one that is in use, and codes that are not two in a row of its own."""
        user, serial_number = self._holder(), self._get_param("SerialNumber")
        if len(user.mfa_devices) >= DEVICES_PER_USER:
            raise LimitExceededException(f"Cannot exceed quota for MFADevicesPerUser: {DEVICES_PER_USER}")
        device = self.backend.virtual_mfa_devices.get(serial_number)
        if device is None and serial_number.startswith("arn:"):
            raise NoSuchEntity(f"VirtualMFADevice with serial number {serial_number} doesn't exist.")
        if device is not None and device.user is not None:
            raise EntityAlreadyExists(f"MFADevice {serial_number} is already in use.")
        self._check_codes(serial_number, TOLERANCE)
        return super().enable_mfa_device()

    def resync_mfa_device(self) -> ActionResult:
        """Moto lacks it."""
        user, serial_number = self._holder(), self._get_param("SerialNumber")
        if serial_number not in user.mfa_devices:
            raise NoSuchEntity(f"MFADevice {serial_number} is not assigned to user {user.name}.")
        self._check_codes(serial_number, LONGEST_DRIFT)
        return EmptyResult()

    def delete_virtual_mfa_device(self) -> ActionResult:
        """Refuse while somebody has it enabled."""
        leftovers.refuse_device(self.backend.virtual_mfa_devices.get(self._get_param("SerialNumber")))
        return super().delete_virtual_mfa_device()

    def _holder(self) -> User:
        return self.backend.get_user(self._get_param("UserName"))

    def _check_codes(self, serial_number: str, steps: int) -> None:
        """Nobody here knows the seed of a hardware device, so any two codes of it do."""
        first, second = (self._get_param(f"AuthenticationCode{place}") or "" for place in (1, 2))
        if not (AUTHENTICATION_CODE.fullmatch(first) and AUTHENTICATION_CODE.fullmatch(second)):
            raise ValidationError("An authentication code must have six digits.")
        device = self.backend.virtual_mfa_devices.get(serial_number)
        if device is None:
            return
        if not totp.are_consecutive(device.base32_string_seed, first, second, at=utcnow(), steps=steps):
            raise RefusedByAWS(WRONG)
