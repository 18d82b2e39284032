"""Carrying what is decided about MFA devices. Wrong codes are an answer, not a failure: they hold nothing up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from accounts import arns
from accounts.delivery import baseline, held, sealing
from accounts.models import IAMUser, MFADevice, MFARegistration, Source
from accounts.models.mfa_registration import CODES_KEPT
from accounts.models.sealed import Bond, Purpose
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.mfa_devices import WRONG_CODES
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets import keys
from portal.secrets.secret import Secret

UNFIT = "The codes did not fit. Wait until your device shows two new ones, one after the other, and type those."
TOO_LATE = "The codes did not reach AWS in time. Type two new ones."
GONE = "AWS no longer holds this device. Register another one."
NOT_SENT = "Somebody gave it up before AWS had the codes."

State = MFARegistration.State


@dataclass(frozen=True)
class NewDevice:
    """A virtual device that AWS has just made; its seed is told this once."""

    serial_number: str
    seed: Secret


@dataclass(frozen=True)
class Checked:
    """What AWS said to two codes: taken, or `words` why not; where `is_over`, others will not be taken either.

    `known_at` lies behind the call.
    """

    is_taken: bool
    known_at: datetime
    words: str = ""
    is_over: bool = False


def registration_of(entry: Entry) -> MFARegistration:
    """The registration that the entry is a step of."""
    return MFARegistration.objects.filter(organization=entry.organization_id).get(pk=entry.details["registration"])


def carry_start(entry: Entry, delivery: Delivery) -> NewDevice:
    """Make a virtual device whose name nobody else's has; one whose seed was lost on the way is deleted first.

    :raises Outdated: when its recipient is not the owner any more.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    thing = baseline.virtual_mfa_device(iam, name=_name(entry), tags=held.entry_tag(entry))
    sealing.require_recipient_or_clear(entry, iam_user, thing, delivery)
    held.require_same(iam, iam_user)
    device = baseline.make_once(thing, delivery=delivery)
    return NewDevice(device.serial_number, Secret(device.base32_string_seed))


def settle_start(entry: Entry, answer: NewDevice, at: datetime) -> None:
    """The device has its serial number, and its seed waits for the owner."""
    iam_user = held.locked(entry)
    expires_at = at + timedelta(hours=settings.SECRET_HOURS)
    started = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.STARTED)
    started.update(serial_number=answer.serial_number, state=State.MADE, made_at=at, expires_at=expires_at)
    bond = Bond(Purpose.MFA_DEVICE, iam_user.pk, str(entry.details["registration"]))
    sealing.seal_for_recipient(entry, answer.seed, bond, at)


def carry_enabling(entry: Entry, delivery: Delivery) -> Checked:
    """Let the device be the IAM user's; an earlier attempt may have done it.

    :raises errors.Conflict: when it is somebody else's.
    """
    registration, iam_user = registration_of(entry), held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    if _is_enabled(iam, iam_user, registration.serial_number):
        return Checked(is_taken=True, known_at=database_now())
    try:
        return _checked(iam.enable_mfa_device, iam_user, registration, there_since=registration.made_at)
    except errors.Conflict as error:
        # The list may be behind, and show it in a moment.
        raise held.may_not_be_seen_yet(registration.codes_at, error) from None


def settle_enabling(entry: Entry, answer: Checked, at: datetime) -> None:
    """The device has a row, or two other codes are awaited; these are wiped."""
    iam_user = held.locked(entry)
    checking = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.CHECKING)
    if answer.is_taken:
        checking.update(state=State.DONE, ended_at=at, codes="")
        _write_down(entry, iam_user, answer.known_at)
    elif answer.is_over:
        checking.update(state=State.LAPSED, ended_at=at, codes="", words=answer.words)
    else:
        checking.update(state=State.SHOWN, codes="", words=answer.words)


def carry_resync(entry: Entry, delivery: Delivery) -> Checked:
    """Tell AWS how far the device's clock is off; this may be told twice."""
    registration, iam_user = registration_of(entry), held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    rows = MFADevice.objects.filter(iam_user=iam_user, serial_number=registration.serial_number)
    enabled_at = rows.values_list("enable_date", flat=True).first()
    return _checked(iam.resync_mfa_device, iam_user, registration, there_since=enabled_at)


def settle_resync(entry: Entry, answer: Checked, at: datetime) -> None:
    """It has ended, either way; other codes are another decision."""
    held.locked(entry)
    checking = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.CHECKING)
    state = State.DONE if answer.is_taken else State.LAPSED
    checking.update(state=state, ended_at=at, codes="", words=answer.words)


def carry_ending(entry: Entry, delivery: Delivery) -> datetime | None:
    """Delete the device that nobody uses; where its owner has enabled it past the portal it stays, known at this time.

    :raises errors.Conflict: when somebody else uses it.
    """
    iam_user = held.subject_of(entry)
    iam, serial_number = held.iam_of(iam_user.account), entry.details["serial_number"]
    if _is_enabled(iam, iam_user, serial_number):
        return database_now()
    with suppress(errors.NotFound):
        iam.delete_virtual_mfa_device(serial_number=serial_number)
    return None


def settle_ending(entry: Entry, answer: datetime | None, at: datetime) -> None:
    """A device that is in use after all has a row."""
    if answer is not None:
        _write_down(entry, held.locked(entry), answer)


def carry_removal(entry: Entry, delivery: Delivery) -> datetime:
    """Take the device off the IAM user, and delete it if it is a virtual one; the time since which it is gone."""
    iam_user, serial_number = held.subject_of(entry), entry.details["serial_number"]
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    try:
        iam.deactivate_mfa_device(user_name=iam_user.user_name, serial_number=serial_number)
    except errors.NotFound as error:
        _require_gone(iam_user, serial_number, error)
    if arns.is_virtual_mfa_device(serial_number):
        with suppress(errors.NotFound):
            iam.delete_virtual_mfa_device(serial_number=serial_number)
    return database_now()


def settle_removal(entry: Entry, answer: datetime, at: datetime) -> None:
    """The row goes, unless a later reading has seen the device again."""
    iam_user = held.locked(entry)
    rows = MFADevice.objects.filter(account=iam_user.account, serial_number=entry.details["serial_number"])
    rows.exclude(read_at__gt=answer).delete()


def abandon_start(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """No device comes."""
    started = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.STARTED)
    started.update(state=State.GIVEN_UP, ended_at=at)


def abandon_enabling(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Two other codes are awaited."""
    checking = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.CHECKING)
    checking.update(state=State.SHOWN, codes="", words=NOT_SENT)


def abandon_resync(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """It has ended."""
    checking = MFARegistration.objects.filter(pk=entry.details["registration"], state=State.CHECKING)
    checking.update(state=State.GIVEN_UP, ended_at=at, codes="", words=NOT_SENT)


def _checked(
    send: Callable[..., None], iam_user: IAMUser, registration: MFARegistration, *, there_since: datetime | None
) -> Checked:
    codes = _codes_of(registration)
    if codes is None:
        return Checked(is_taken=False, known_at=database_now(), words=TOO_LATE)
    try:
        send(
            user_name=iam_user.user_name,
            serial_number=registration.serial_number,
            authentication_code_1=codes[0],
            authentication_code_2=codes[1],
        )
    except errors.Refused as error:
        words = UNFIT if error.code == WRONG_CODES else str(error)
        return Checked(is_taken=False, known_at=database_now(), words=words)
    except errors.NotFound as error:
        if isinstance(held.may_not_be_seen_yet(there_since, error), errors.TryLater):
            raise held.later(error) from None
        return Checked(is_taken=False, known_at=database_now(), words=GONE, is_over=True)
    return Checked(is_taken=True, known_at=database_now())


def _codes_of(registration: MFARegistration) -> tuple[str, str] | None:
    """The codes, while they are of use."""
    is_old = registration.codes_at is None or database_now() - registration.codes_at >= CODES_KEPT
    if not registration.codes or is_old:
        return None
    try:
        return registration.decrypted()
    except (keys.Unreadable, keys.UnknownKeyVersion):
        return None


def _is_enabled(iam: IAM, iam_user: IAMUser, serial_number: str) -> bool:
    try:
        devices = iam.list_mfa_devices(user_name=iam_user.user_name)
    except errors.NotFound:
        return False
    return any(device.serial_number == serial_number for device in devices)


def _require_gone(iam_user: IAMUser, serial_number: str, error: errors.NotFound) -> None:
    """A device that was enabled a moment ago may not be shown yet."""
    rows = MFADevice.objects.filter(iam_user=iam_user, serial_number=serial_number)
    not_there = held.may_not_be_seen_yet(rows.values_list("enable_date", flat=True).first(), error)
    if isinstance(not_there, errors.TryLater):
        raise not_there from None


def _write_down(entry: Entry, iam_user: IAMUser, known_at: datetime) -> None:
    MFADevice.objects.get_or_create(
        account=iam_user.account,
        serial_number=entry.details["serial_number"],
        defaults={
            "organization": iam_user.organization,
            "iam_user": iam_user,
            "enable_date": known_at,
            # What EnableMFADevice was sent is what ListMFADevices tells.
            "source": Source.LIST_MFA_DEVICES,
            "read_at": known_at,
        },
    )


def _name(entry: Entry) -> str:
    """The IAM user's name, and enough of the entry's id that nobody else's device has it."""
    return f"{entry.details['user_name']}-{str(entry.pk).replace('-', '')[:12]}"
