"""Rotating an access key: make a new one, prove it, make the old one inactive, watch, delete; and back again.

Each step is decided by a person and counts once it has arrived in AWS. The old key works until the new one was opened
and somebody said, or AWS showed, that it works. What is out of order in AWS is looked at again by the worker, at the
moment of the call. A step that is stuck gives way to the next decision, so that nobody needs a duty to go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope, owners
from accounts.access import Permission
from accounts.delivery import baseline
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, KeyDestination, Person, Rotation
from accounts.models.iam_user_record import on_their_way
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.browser_keys import told_of_browser
from accounts.usecases.first_keys import KEYS_PER_USER, MAKING_ONE
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.standing import check_open, check_stays
from accounts.usecases.stuck_steps import OF_KEYS, let_stuck_steps_give_way
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
ON_ITS_WAY = "The step before this one is on its way. Wait for it."
IN_USE = (
    "The new key is in use already. Go on with the rotation; or say why it ends here, with both keys left as they are."
)
IN_DOUBT = (
    "AWS may have made a key of which nobody knows the secret. Ask an owner or an admin of your organization to look "
    "at the delivery that is stuck."
)
# What changes keys, and so must arrive before the next change of them is decided.
_CHANGES = OF_KEYS - MAKING_ONE
# While these last, the old key is what works.
_BEFORE_THE_SWITCH = (Rotation.State.STARTED, Rotation.State.MADE, Rotation.State.DELIVERED, Rotation.State.PROVEN)

State = Rotation.State


@transaction.atomic
def start_rotation(
    *,
    by: Person | None,
    access_key: AccessKey,
    at: datetime,
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
    browser_key: str = "",
) -> Rotation:
    """Decide that an access key shall be replaced: a second one is made, and its secret sealed for the owner.

    The owner of the IAM user may, and whoever may create access keys for it; nobody, where it has a schedule.
    `browser_key` is that of the owner's browser.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead who is not the owner, as for a first key; for an owner whom its tags
        alone name, where it can do more than its team may have.
    :raises ValidationError: for a key that does not work, without an owner, while a rotation is open, where AWS has
        no room for a second key, or for a bad `browser_key`.
    """
    iam_user = access_key.iam_user
    _require_may(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    _require_startable(access_key, by=by, at=at)
    recipient = recipient_of(iam_user)
    destination = KeyDestination.objects.filter(iam_user=iam_user).first()
    # What its application reads by itself, nobody's browser could.
    key_of_browser = "" if destination else browser_key
    browser = told_of_browser(browser_key=key_of_browser, by=by, recipient=recipient)
    rotation = Rotation.objects.create(
        organization=iam_user.organization, account=iam_user.account, iam_user=iam_user, old_key=access_key,
        recipient=recipient, started_by=by, started_at=at,
        destination=destination,
    )  # fmt: skip
    details = {"access_key_id": access_key.access_key_id, **told_of(recipient), **browser}
    _record(Kind.ROTATION_STARTED, rotation, by=by, at=at, reason=reason, details=details, queue=queue)
    return rotation


@transaction.atomic
def make_old_key_inactive(*, by: Person | None, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key shall not work any more; it can be made active again until it is deleted.

    A reason lets this be done before the new key was seen to work, or although the old one is still used; where neither
    is so, it overrides nothing, and the worker looks for a use of the old key once more.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: while nobody opened the new key's secret, and where the new key does not work; without a
        reason, before it was proven, and while the old one is used.
    """
    _require(rotation, by=by, at=at)
    _require_state(rotation, State.DELIVERED, State.PROVEN)
    _require_works(rotation.old_key)
    _require_works(_new_key(rotation))
    objection = _objection(rotation)
    if objection and not reason.strip():
        raise ValidationError({"reason": objection})
    details = {"access_key_id": rotation.old_key.access_key_id, "is_override": bool(objection)}
    _record(Kind.ACCESS_KEY_DEACTIVATED, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


@transaction.atomic
def make_old_key_active(*, by: Person, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key shall work again: something was missed.

    What somebody made inactive past the portal, its owner alone does not take back: there may have been a reason.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead, where it was made inactive past the portal and can do more than the
        team may have.
    :raises ValidationError: where it is not inactive, or while its owner is being offboarded.
    """
    _require(rotation, by=by, at=at)
    check_stays(rotation.iam_user)
    if _require_inactive(rotation):
        access.require_on_iam_user(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=rotation.iam_user)
        envelope.require_within(by=by, iam_user=rotation.iam_user)
    details = {"access_key_id": rotation.old_key.access_key_id}
    _record(Kind.ACCESS_KEY_ACTIVATED, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


@transaction.atomic
def delete_old_key(*, by: Person | None, rotation: Rotation, at: datetime, reason: str = "") -> Rotation:
    """Decide that the old key goes for good, after it was watched; with a reason, before.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: where it is not inactive, where the new key does not work, or while it is watched.
    """
    _require(rotation, by=by, at=at)
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

    With a reason also once the new key is in use: then both stay as they are, and the rotation is over.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: while the new key is on its way, once the old one is inactive, and without a reason once
        the new one is in use.
    """
    _require(rotation, by=by, at=at)
    _require_state(rotation, *_BEFORE_THE_SWITCH)
    if rotation.state == State.STARTED:
        return _give_up_start(rotation, by=by, at=at, reason=reason)
    new_key = _new_key(rotation)
    if rotation.state == State.PROVEN or new_key.last_used_date is not None:
        return _leave_both(rotation, by=by, at=at, reason=reason)
    _require_works(rotation.old_key)
    bond = Bond(Purpose.ACCESS_KEY, rotation.iam_user_id, new_key.access_key_id)
    seal.withdraw(SealedSecret.objects.of(rotation.organization).filter(bound_to=str(bond)))
    details = {"access_key_id": new_key.access_key_id}
    _record(Kind.ROTATION_GIVEN_UP, rotation, by=by, at=at, reason=reason, details=details)
    return rotation


def _give_up_start(rotation: Rotation, *, by: Person, at: datetime, reason: str) -> Rotation:
    """No new key comes, because the delivery that was to make it is stuck; the deliveries say who gave it up."""
    stuck = Delivery.objects.of(rotation.organization).about("iam_user", rotation.iam_user_id).stuck()
    delivery = stuck.filter(entry__kind=Kind.ROTATION_STARTED, entry__details__rotation=rotation.pk).first()
    if delivery is None:
        raise ValidationError("The new key is on its way. Wait for it.")
    if baseline.is_in_doubt(delivery):
        raise ValidationError(IN_DOUBT)
    words = reason.strip() or "The rotation was given up."
    kinds = {Kind.ROTATION_STARTED}
    let_stuck_steps_give_way(iam_user=rotation.iam_user, by=by, at=at, kinds=kinds, reason=words)
    rotation.refresh_from_db()
    return rotation


def _leave_both(rotation: Rotation, *, by: Person, at: datetime, reason: str) -> Rotation:
    """It is over, and nothing changes in AWS: each key can be made inactive by itself from now on."""
    if not reason.strip():
        raise ValidationError({"reason": IN_USE})
    rotation.state, rotation.ended_at = State.GIVEN_UP, at
    rotation.save(update_fields=["state", "ended_at"])
    details = {"access_key_id": rotation.old_key.access_key_id, "words": "Both keys were left as they are."}
    _record(Kind.ROTATION_ENDED, rotation, by=by, at=at, reason=reason, details=details, is_carried=False)
    return rotation


def _require(rotation: Rotation, *, by: Person | None, at: datetime) -> None:
    """Lock the IAM user, then read the rotation again: of two who decide at once, the second sees the first.

    :raises ValidationError: while an earlier step is on its way.
    """
    iam_user = rotation.iam_user
    _require_may(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    check_open(iam_user)
    # Once more: it may have got another owner while this waited for its row.
    _require_may(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    rotation.refresh_from_db()
    # By itself the portal takes nothing back: what is stuck is a human's to look at.
    if by is not None:
        let_stuck_steps_give_way(iam_user=iam_user, by=by, at=at, kinds=_CHANGES)
    if any(entry.kind in _CHANGES for entry in on_their_way(iam_user)):
        raise ValidationError(ON_ITS_WAY)


def _require_may(*, by: Person | None, to: Permission, iam_user: IAMUser) -> None:
    """The owner and whoever may do this to it; by itself the portal rotates what has a schedule."""
    if by is not None:
        access.require_on_own_or(by=by, to=to, iam_user=iam_user)
    elif not KeyDestination.objects.scheduled().filter(iam_user=iam_user).exists():
        raise access.NotThere


def _require_startable(access_key: AccessKey, *, by: Person | None, at: datetime) -> None:
    """Lock the IAM user; then nothing may speak against a second key beside this one."""
    iam_user = access_key.iam_user
    check_open(iam_user)
    # Once more: it may have got another owner while this waited for its row.
    _require_may(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    check_stays(iam_user)
    _require_reach(by=by, iam_user=iam_user, recipient=recipient_of(iam_user))
    _require_no_other(iam_user)
    if by is not None:
        let_stuck_steps_give_way(iam_user=iam_user, by=by, at=at)
    _require_works(access_key)
    _require_room(iam_user)


def _require_reach(*, by: Person | None, iam_user: IAMUser, recipient: Person) -> None:
    """A new key is what it can do, in somebody's hands: for owners whom its tags alone name, and for leads."""
    if by == recipient:
        owners.require_believed(by=recipient, iam_user=iam_user)
    elif by is not None:
        envelope.require_within(by=by, iam_user=iam_user)


def _require_state(rotation: Rotation, *states: Rotation.State) -> None:
    if rotation.state not in states:
        raise ValidationError(f"This cannot be done now: {rotation.get_state_display().lower()}.")


def _require_inactive(rotation: Rotation) -> bool:
    """Return where the old key is inactive: whether somebody made it so past the portal."""
    old_key = rotation.old_key
    is_before = rotation.state in _BEFORE_THE_SWITCH
    if is_before and old_key.gone_at is None and old_key.status == AccessKey.Status.INACTIVE:
        return True
    _require_state(rotation, State.DEACTIVATED)
    return rotation.is_inactive_elsewhere


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
    on_its_way = {entry.kind for entry in on_their_way(iam_user)}
    if on_its_way & MAKING_ONE:
        raise ValidationError(f"An access key of {iam_user} is on its way. Wait for it.")
    if on_its_way & _CHANGES:
        raise ValidationError(f"A change of an access key of {iam_user} is on its way. Wait for it.")
    present = AccessKey.objects.present().filter(iam_user=iam_user).count()
    if present >= KEYS_PER_USER:
        raise ValidationError(BOTH_TAKEN.format(iam_user, present))


def _objection(rotation: Rotation) -> str:
    """What speaks against making the old key inactive, by what is known; empty where nothing does."""
    if rotation.state != State.PROVEN:
        return NOT_PROVEN
    return STILL_USED.format(rotation.old_key.last_used_date) if rotation.old_key_was_used_since else ""


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
    is_carried: bool = True,
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
        deliver=carried_to(iam_user, queue=queue) if is_carried else (),
    )
