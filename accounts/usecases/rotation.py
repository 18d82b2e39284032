"""Rotating an access key: make a new one, prove it, make the old one inactive, watch, delete; and back again.

Each step is decided by a person and counts once it has arrived in AWS. The old key works until the new one was opened
and somebody said, or AWS showed, that it works. What is out of order in AWS is looked at again by the worker, at the
moment of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.iam_user_record import on_their_way
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.browser_keys import told_of_browser
from accounts.usecases.first_keys import KEYS_PER_USER
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret

OPEN_ALREADY = "A rotation of {} is open already. Go on with that one."
BOTH_TAKEN = (
    "{} has {} access keys, AWS's limit, so there is no room for a new one. Make the one that is not used inactive, "
    "then delete it."
)
NOT_PROVEN = (
    "Nobody has seen the new key work yet. Prove it, or wait until AWS shows its use; or say why you go on without."
)
STILL_USED = (
    "The old key was used on {:%d %B %Y at %H:%M} UTC, after the new one was in use: something has it still. Change "
    "that, or say why you go on."
)
# What changes a key, and so must arrive before the next change of it is decided.
_OF_KEYS = {Kind.ACCESS_KEY_DEACTIVATED, Kind.ACCESS_KEY_ACTIVATED, Kind.ACCESS_KEY_DELETED, Kind.ROTATION_GIVEN_UP}

State = Rotation.State


@transaction.atomic
def start_rotation(
    *,
    by: Person,
    access_key: AccessKey,
    at: datetime,
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
    browser_key: str = "",
) -> Rotation:
    """Decide that an access key shall be replaced: a second one is made, and its secret sealed for the owner.

    The owner of the IAM user may, and whoever may create access keys for it. `browser_key` is that of the owner's
    browser.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead who is not the owner, as for a first key.
    :raises ValidationError: for a key that does not work, without an owner, while a rotation is open, where AWS has
        no room for a second key, or for a bad `browser_key`.
    """
    iam_user = access_key.iam_user
    access.require_on_own_or(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    check_open(iam_user)
    check_stays(iam_user)
    recipient = recipient_of(iam_user)
    if by != recipient:
        envelope.require_within(by=by, iam_user=iam_user)
    _require_no_other(iam_user)
    _require_works(access_key)
    _require_room(iam_user)
    browser = told_of_browser(browser_key=browser_key, by=by, recipient=recipient)
    rotation = Rotation.objects.create(
        organization=iam_user.organization, account=iam_user.account, iam_user=iam_user, old_key=access_key,
        recipient=recipient, started_by=by, started_at=at,
    )  # fmt: skip
    details = {"access_key_id": access_key.access_key_id, **told_of(recipient), **browser}
    _record(Kind.ROTATION_STARTED, rotation, by=by, at=at, reason=reason, details=details, queue=queue)
    return rotation


@transaction.atomic
def make_old_key_inactive(*, by: Person, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key shall not work any more; it can be made active again until it is deleted.

    A reason lets this be done before the new key was seen to work, or although the old one is still used.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: while nobody opened the new key's secret, and where the new key does not work; without a
        reason, before it was proven, and while the old one is used.
    """
    _require(rotation, by=by)
    _require_state(rotation, State.DELIVERED, State.PROVEN)
    _require_works(rotation.old_key)
    _require_works(_new_key(rotation))
    if not reason.strip():
        _require_proven(rotation)
    details = {"access_key_id": rotation.old_key.access_key_id, "is_override": bool(reason.strip())}
    _record(Kind.ACCESS_KEY_DEACTIVATED, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


@transaction.atomic
def make_old_key_active(*, by: Person, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key shall work again: something was missed.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: where it is not inactive through this rotation, or while its owner is being offboarded.
    """
    _require(rotation, by=by)
    check_stays(rotation.iam_user)
    _require_state(rotation, State.DEACTIVATED)
    details = {"access_key_id": rotation.old_key.access_key_id}
    _record(Kind.ACCESS_KEY_ACTIVATED, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


@transaction.atomic
def delete_old_key(*, by: Person, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key goes for good, after it was watched; with a reason, before.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: where it is not inactive, where the new key does not work, or while it is watched.
    """
    _require(rotation, by=by)
    _require_state(rotation, State.DEACTIVATED)
    _require_works(_new_key(rotation))
    if rotation.is_watched(at=at) and not reason.strip():
        raise ValidationError(
            f"The old key is watched until {rotation.watch_until:%d %B %Y}, so that what misses it can show. "
            "Say why you do not wait."
        )
    details = {"access_key_id": rotation.old_key.access_key_id}
    _record(Kind.ACCESS_KEY_DELETED, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


@transaction.atomic
def give_up_rotation(*, by: Person, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key stays: the new one, which nothing uses yet, is deleted and its secret wiped.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: once the new key is in use, or the old one inactive.
    """
    _require(rotation, by=by)
    _require_state(rotation, State.MADE, State.DELIVERED)
    new_key = _new_key(rotation)
    if new_key.last_used_date is not None:
        raise ValidationError("The new key is in use already. Go on with the rotation.")
    bond = Bond(Purpose.ACCESS_KEY, rotation.iam_user_id, new_key.access_key_id)
    seal.withdraw(SealedSecret.objects.of(rotation.organization).filter(bound_to=str(bond)))
    details = {"access_key_id": new_key.access_key_id}
    _record(Kind.ROTATION_GIVEN_UP, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


def _require(rotation: Rotation, *, by: Person) -> None:
    """Lock the IAM user, then read the rotation again: of two who decide at once, the second sees the first.

    :raises ValidationError: while an earlier step is on its way.
    """
    access.require_on_own_or(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=rotation.iam_user)
    check_open(rotation.iam_user)
    rotation.refresh_from_db()
    if any(entry.kind in _OF_KEYS for entry in on_their_way(rotation.iam_user)):
        raise ValidationError("The step before this one is on its way. Wait for it.")


def _require_state(rotation: Rotation, *states: Rotation.State) -> None:
    if rotation.state not in states:
        raise ValidationError(f"This cannot be done now: {rotation.get_state_display().lower()}.")


def _require_no_other(iam_user: IAMUser) -> None:
    if Rotation.objects.open().filter(iam_user=iam_user).exists():
        raise ValidationError(OPEN_ALREADY.format(iam_user))


def _require_works(access_key: AccessKey) -> None:
    access_key.refresh_from_db()
    if access_key.gone_at is not None:
        raise ValidationError(f"AWS no longer holds {access_key}.")
    if access_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(f"{access_key} is inactive, so nothing works with it.")


def _require_room(iam_user: IAMUser) -> None:
    if any(entry.kind == Kind.ACCESS_KEY_CREATED for entry in on_their_way(iam_user)):
        raise ValidationError(f"An access key of {iam_user} is on its way. Wait for it.")
    present = AccessKey.objects.present().filter(iam_user=iam_user).count()
    if present >= KEYS_PER_USER:
        raise ValidationError(BOTH_TAKEN.format(iam_user, present))


def _require_proven(rotation: Rotation) -> None:
    if rotation.state != State.PROVEN:
        raise ValidationError({"reason": NOT_PROVEN})
    if rotation.old_key_was_used_since:
        raise ValidationError({"reason": STILL_USED.format(rotation.old_key.last_used_date)})


def _new_key(rotation: Rotation) -> AccessKey:
    if rotation.new_key is None:
        raise ValidationError("The new key is on its way. Wait for it.")
    return rotation.new_key


def _record(
    kind: Kind,
    rotation: Rotation,
    *,
    by: Person | None,
    at: datetime,
    details: Mapping[str, object],
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
) -> Entry:
    iam_user = rotation.iam_user
    return record(
        organization=rotation.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "rotation": rotation.pk, **details},
        deliver=carried_to(iam_user, queue=queue),
    )
