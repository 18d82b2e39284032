"""Deciding about access keys that are there, outside a rotation: inactive, active again, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import AccessKey, Person, Rotation
from accounts.models.credentials import UNUSED_AFTER
from accounts.models.iam_user_record import on_their_way
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.standing import check_open, check_stays
from accounts.usecases.stuck_steps import OF_KEYS, let_stuck_steps_give_way
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import record

OF_A_ROTATION = "{} belongs to a rotation that is open. Go on with that, or give it up first."
# What changes a key, and so must arrive before the next change of it is decided.
_CHANGES = OF_KEYS - {Kind.ROTATION_STARTED}
# What makes it inactive, or active again. A secret that expired may have made it inactive, because of a use.
_TURNS = {Kind.ACCESS_KEY_DEACTIVATED, Kind.ACCESS_KEY_ACTIVATED, Kind.SECRET_EXPIRED}


@transaction.atomic
def make_key_inactive(
    *, by: Person, access_key: AccessKey, at: datetime, reason: str = "", queue: str = Delivery.Queue.INTERACTIVE
) -> AccessKey:
    """Decide that nothing shall work with this key until it is made active again.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner and whoever may change access keys.
    :raises ValidationError: where it is gone, inactive already, or part of an open rotation.
    """
    _require(access_key, by=by, at=at)
    if access_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(f"{access_key} is inactive already.")
    _record(Kind.ACCESS_KEY_DEACTIVATED, access_key, by=by, at=at, reason=reason, queue=queue)
    return access_key


@transaction.atomic
def make_unused_key_inactive(
    *, by: Person, access_key: AccessKey, at: datetime, reason: str = "", queue: str = Delivery.Queue.INTERACTIVE
) -> AccessKey:
    """The same, only while nobody uses it, which AWS is asked again at the moment of the call.

    :raises access.NotThere: :raises access.NotAllowed: :raises ValidationError: as `make_key_inactive`, and where it
        was used within 45 days, is not older than that, or AWS has not said when it was last used.
    """
    _require(access_key, by=by, at=at)
    if access_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(f"{access_key} is inactive already.")
    if not access_key.is_unused(at=at):
        raise ValidationError(_why_not_unused(access_key))
    since = {"unused_since": (at - UNUSED_AFTER).isoformat()}
    _record(Kind.ACCESS_KEY_DEACTIVATED, access_key, by=by, at=at, reason=reason, queue=queue, more=since)
    return access_key


@transaction.atomic
def make_key_active(
    *, by: Person, access_key: AccessKey, at: datetime, reason: str = "", queue: str = Delivery.Queue.INTERACTIVE
) -> AccessKey:
    """Decide that the key shall work again. An owner takes back only what they did themselves.

    :raises access.NotThere: :raises access.NotAllowed: as for making it inactive; for an owner also where somebody else
        made it inactive.
    :raises envelope.OutsideEnvelope: for a lead, when the IAM user can do more than the team may have.
    :raises ValidationError: where it is gone, active already, part of an open rotation, or its owner is offboarded.
    """
    _require(access_key, by=by, at=at)
    check_stays(access_key.iam_user)
    if access_key.status != AccessKey.Status.INACTIVE:
        raise ValidationError(f"{access_key} is active already.")
    if not _was_made_inactive_by(by, access_key):
        access.require_on_iam_user(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=access_key.iam_user)
        envelope.require_within(by=by, iam_user=access_key.iam_user)
    _record(Kind.ACCESS_KEY_ACTIVATED, access_key, by=by, at=at, reason=reason, queue=queue)
    return access_key


@transaction.atomic
def delete_access_key(*, by: Person, access_key: AccessKey, at: datetime, reason: str = "") -> AccessKey:
    """Decide that an inactive key goes for good.

    :raises access.NotThere: :raises access.NotAllowed: as for making it inactive.
    :raises ValidationError: where it is gone, still active, or part of an open rotation.
    """
    _require(access_key, by=by, at=at)
    if access_key.status != AccessKey.Status.INACTIVE:
        raise ValidationError(f"{access_key} is active. Make it inactive first, and see whether anything misses it.")
    _record(Kind.ACCESS_KEY_DELETED, access_key, by=by, at=at, reason=reason)
    return access_key


def _require(access_key: AccessKey, *, by: Person, at: datetime) -> None:
    """Lock the IAM user, then read the key again: of two who decide at once, the second sees the first."""
    iam_user = access_key.iam_user
    access.require_on_own_or(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    check_open(iam_user)
    # Once more: it may have got another owner while this waited for its row.
    access.require_on_own_or(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    access_key.refresh_from_db(fields=["status", "gone_at", "create_date", "last_used_date", "last_used_read_at"])
    if access_key.gone_at is not None:
        raise ValidationError(f"AWS no longer holds {access_key}.")
    if Rotation.objects.open().of_key(access_key).exists():
        raise ValidationError(OF_A_ROTATION.format(access_key))
    let_stuck_steps_give_way(iam_user=iam_user, by=by, at=at, kinds=_CHANGES)
    if any(_changes(entry, access_key) for entry in on_their_way(iam_user)):
        raise ValidationError(f"A change of {access_key} is on its way. Wait for it.")


def _changes(entry: Entry, access_key: AccessKey) -> bool:
    return entry.kind in _CHANGES and entry.details["access_key_id"] == access_key.access_key_id


def _was_made_inactive_by(person: Person, access_key: AccessKey) -> bool:
    """Whether the last thing that was decided of it here, and arrived, is that this person made it inactive."""
    entries = Entry.objects.of(access_key.organization).about("iam_user", access_key.iam_user_id)
    turned = entries.filter(kind__in=_TURNS, details__access_key_id=access_key.access_key_id)
    last = turned.filter(deliveries__state=Delivery.State.DONE).order_by("-sequence").first()
    return last is not None and last.kind == Kind.ACCESS_KEY_DEACTIVATED and last.by_id == str(person.pk)


def last_deactivation(access_key: AccessKey) -> Entry | None:
    """The entry by which it was last made inactive here."""
    entries = Entry.objects.of(access_key.organization).about("iam_user", access_key.iam_user_id)
    made = entries.filter(kind=Kind.ACCESS_KEY_DEACTIVATED).order_by("-sequence")
    return next((entry for entry in made if entry.details["access_key_id"] == access_key.access_key_id), None)


def _why_not_unused(access_key: AccessKey) -> str:
    if access_key.last_used_date is not None and access_key.create_date < access_key.last_used_date:
        return f"{access_key} was last used on {access_key.last_used_date:%d %B %Y}: something may need it."
    if access_key.last_used_date is None and access_key.last_used_read_at is None:
        return f"It is not known yet when {access_key} was last used. Refresh its IAM user first."
    return f"{access_key} is not {UNUSED_AFTER.days} days old yet: whoever has it may not have come to use it."


def _record(
    kind: Kind,
    access_key: AccessKey,
    *,
    by: Person,
    at: datetime,
    reason: str,
    queue: str = Delivery.Queue.INTERACTIVE,
    more: Mapping[str, object] | None = None,
) -> None:
    iam_user = access_key.iam_user
    record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "access_key_id": access_key.access_key_id, **(more or {})},
        deliver=carried_to(iam_user, queue=queue),
    )
