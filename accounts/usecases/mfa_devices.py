"""Registering, resynchronizing and removing the MFA devices of an IAM user.

Its owner alone registers and resynchronizes: a device that somebody else registered would be theirs. The two codes
stand nowhere but, encrypted, in the row of the registration, until the delivery has used them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, arns, owners
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import IAMUser, MFADevice, MFARegistration, Person
from accounts.models.iam_user_record import on_their_way
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user, carried_to, require_reason
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret

# IAM and AWS STS quotas: "MFA devices assigned to an IAM user"; not adjustable.
DEVICES_PER_USER = 8
# IAM API reference, EnableMFADevice: "The value must be a string of six digits."
CODE = re.compile(r"\d{6}", re.ASCII)
OPEN_ALREADY = "An MFA device of {} is being registered or resynchronized already. Go on with that, or give it up."
BUSY = "Something else about {} is on its way to AWS. Wait for it: a code is good for about a minute."

State = MFARegistration.State


@transaction.atomic
def start_registration(*, by: Person, iam_user: IAMUser, at: datetime, reason: str = "") -> MFARegistration:
    """Decide that a virtual MFA device shall be made, whose seed is sealed for the owner.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner.
    :raises OutsideEnvelope: for an owner whom only its tags name, when it can do more than the team may have.
    :raises ValidationError: with eight devices, or while another one is being registered.
    """
    access.require_own(by=by, iam_user=iam_user)
    _require_own_still(by=by, iam_user=iam_user)
    check_stays(iam_user)
    _require_none_open(iam_user)
    if MFADevice.objects.filter(iam_user=iam_user).count() >= DEVICES_PER_USER:
        raise ValidationError(f"{iam_user} has {DEVICES_PER_USER} MFA devices, AWS's limit. Remove one first.")
    registration = _begun(by=by, iam_user=iam_user, purpose=MFARegistration.Purpose.REGISTER, at=at)
    details = told_of(recipient_of(iam_user))
    _record(Kind.MFA_REGISTRATION_STARTED, registration, by=by, at=at, reason=reason, details=details)
    return registration


@transaction.atomic
def enable_device(
    *, by: Person, registration: MFARegistration, first_code: str, second_code: str, at: datetime
) -> MFARegistration:
    """Decide that the new device is the IAM user's from now on, by two codes that it showed one after the other.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner who began it.
    :raises ValidationError: for other than two codes, before the QR code was shown, and while anything about the IAM
        user is on its way, since the codes would not wait for it.
    """
    _require_registration(registration, by=by)
    if registration.state != State.SHOWN:
        raise ValidationError(f"Codes cannot be taken now: {registration.get_state_display().lower()}.")
    _keep_codes(registration, first_code, second_code, at=at)
    _record(Kind.MFA_DEVICE_ENABLED, registration, by=by, at=at)
    return registration


@transaction.atomic
def give_up_registration(*, by: Person, registration: MFARegistration, at: datetime, reason: str = "") -> None:
    """Decide that the new device is not wanted: its seed is wiped, and it is deleted in AWS.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner who began it.
    :raises ValidationError: while it is on its way, or once it has ended.
    """
    _require_registration(registration, by=by)
    if registration.state not in (State.MADE, State.SHOWN):
        raise ValidationError(f"This cannot be given up now: {registration.get_state_display().lower()}.")
    end(registration=registration, state=State.GIVEN_UP, by=by, at=at, reason=reason)


@transaction.atomic
def resync_device(
    *, by: Person, mfa_device: MFADevice, first_code: str, second_code: str, at: datetime
) -> MFARegistration:
    """Decide that AWS shall learn how far the device's clock is off, by two codes that it showed one after the other.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner.
    :raises OutsideEnvelope: as for registering one.
    :raises ValidationError: for a passkey, for other than two codes, or while anything about it is on its way.
    """
    iam_user = mfa_device.iam_user
    access.require_own(by=by, iam_user=iam_user)
    _require_own_still(by=by, iam_user=iam_user)
    _require_there(mfa_device)
    if arns.is_passkey(mfa_device.serial_number):
        raise ValidationError("A passkey or security key shows no codes, so there is nothing to resynchronize.")
    _require_none_open(iam_user)
    registration = _begun(
        by=by, iam_user=iam_user, purpose=MFARegistration.Purpose.RESYNC, at=at, state=State.SHOWN,
        serial_number=mfa_device.serial_number,
    )  # fmt: skip
    _keep_codes(registration, first_code, second_code, at=at)
    _record(Kind.MFA_DEVICE_RESYNCED, registration, by=by, at=at)
    return registration


@transaction.atomic
def remove_device(*, by: Person, mfa_device: MFADevice, at: datetime, reason: str) -> None:
    """Decide that the IAM user shall not have this device any more; a virtual one is deleted.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner and whoever may change console access.
    :raises OutsideEnvelope: for a lead and for an owner whom only its tags name, when the IAM user can do more than the
        team may have.
    :raises ValidationError: without a reason, for a lead where the owner's duty is higher, or while it is going.
    """
    iam_user = mfa_device.iam_user
    access.require_on_own_or(by=by, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    require_reason(reason)
    check_open(iam_user)
    if iam_user.owner == by:
        owners.require_believed(by=by, iam_user=iam_user)
    else:
        owners.require_reach(by=by, iam_user=iam_user)
    _require_there(mfa_device)
    record(
        organization=iam_user.organization,
        kind=Kind.MFA_DEVICE_REMOVED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "serial_number": mfa_device.serial_number},
        deliver=carried_to(iam_user),
    )


def end(
    *, registration: MFARegistration, state: str, by: Person | None, at: datetime, reason: str = ""
) -> MFARegistration:
    """Write down that a registration has ended, and have the unused device deleted; who may is the caller's to say."""
    registration.state, registration.ended_at, registration.codes = state, at, ""
    registration.save(update_fields=["state", "ended_at", "codes"])
    bond = Bond(Purpose.MFA_DEVICE, registration.iam_user_id, str(registration.pk))
    seal.withdraw(SealedSecret.objects.of(registration.organization).filter(bound_to=str(bond)))
    _record(Kind.MFA_REGISTRATION_ENDED, registration, by=by, at=at, reason=reason)
    return registration


def _require_own_still(*, by: Person, iam_user: IAMUser) -> None:
    """Lock the IAM user and read it again: it may have another owner by now."""
    check_open(iam_user)
    access.require_own(by=by, iam_user=iam_user)
    owners.require_believed(by=by, iam_user=iam_user)


def _require_registration(registration: MFARegistration, *, by: Person) -> None:
    """Lock the IAM user, then read the registration again: of two who decide at once, the second sees the first."""
    iam_user = registration.iam_user
    access.require_own(by=by, iam_user=iam_user)
    check_open(iam_user)
    access.require_own(by=by, iam_user=iam_user)
    registration.refresh_from_db()
    if registration.owner_id != by.pk:
        raise ValidationError("Somebody else began this. Give it up, and register a device of your own.")


def _require_none_open(iam_user: IAMUser) -> None:
    if MFARegistration.objects.open().filter(iam_user=iam_user).exists():
        raise ValidationError(OPEN_ALREADY.format(iam_user))


def _require_there(mfa_device: MFADevice) -> None:
    """AWS held it when it was last read, and it is not being removed."""
    if not MFADevice.objects.filter(pk=mfa_device.pk).exists():
        raise ValidationError(f"{mfa_device} is removed already.")
    going = [entry for entry in on_their_way(mfa_device.iam_user) if entry.kind == Kind.MFA_DEVICE_REMOVED]
    if any(entry.details["serial_number"] == mfa_device.serial_number for entry in going):
        raise ValidationError(f"{mfa_device} is being removed already.")


def _begun(
    *, by: Person, iam_user: IAMUser, purpose: str, at: datetime, state: str = State.STARTED, serial_number: str = ""
) -> MFARegistration:
    return MFARegistration.objects.create(
        organization=iam_user.organization,
        account=iam_user.account,
        iam_user=iam_user,
        owner=by,
        purpose=purpose,
        state=state,
        serial_number=serial_number,
        started_at=at,
        expires_at=at + timedelta(hours=settings.SECRET_HOURS),
    )


def _keep_codes(registration: MFARegistration, first_code: str, second_code: str, *, at: datetime) -> None:
    for field, code in (("first_code", first_code), ("second_code", second_code)):
        if not CODE.fullmatch(code):
            raise ValidationError({field: "A code has six digits, such as 012345."})
    if first_code == second_code:
        raise ValidationError({"second_code": "These are the same. Wait until your device shows the next code."})
    if on_their_way(registration.iam_user):
        raise ValidationError(BUSY.format(registration.iam_user))
    registration.state, registration.codes_at, registration.words = State.CHECKING, at, ""
    registration.codes = registration.encrypted(first_code, second_code)
    registration.save(update_fields=["state", "codes", "codes_at", "words"])


def _record(
    kind: Kind,
    registration: MFARegistration,
    *,
    by: Person | None,
    at: datetime,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    iam_user = registration.iam_user
    told = {"user_name": iam_user.user_name, "registration": registration.pk}
    device = {"serial_number": registration.serial_number} if registration.serial_number else {}
    record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={**told, **device, **(details or {})},
        deliver=carried_to(iam_user),
    )
