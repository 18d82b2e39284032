"""Rotating applications on a schedule: the portal decides each step itself, gated exactly as for people.

A key is replaced when its time has come. The old one is made inactive a day after AWS has shown the new one in use and
no use of the old one since, and deleted when it was watched. What cannot be done is said where the schedule is shown,
and tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db.models import F

from accounts import access
from accounts.limits import OutsideEnvelope
from accounts.models import AccessKey, KeyDestination, Person, Rotation
from accounts.usecases import rotation as steps
from portal.ledger.models import Delivery

# What one run of beat looks at; those that were not looked at for longest come first.
LOOKED_AT_ONCE = 200
# So long the new key has to be in use, and AWS's report to be read after it, before the old one is made inactive.
SEEN_FOR = timedelta(days=1)
TWO_KEYS = "It has two active access keys, and the portal cannot tell which is to go. Make the unused one inactive."
NO_KEY = "It has no active access key to rotate."

State = Rotation.State


def tend_scheduled_rotations(*, by: Person | None, at: datetime) -> int:
    """Decide the next step of each scheduled rotation that has one; how many were decided.

    :raises access.NotThere: for whoever is a person: the portal does this by itself.
    """
    access.require_operator(by=by)
    rows = KeyDestination.objects.scheduled().order_by(F("looked_at").asc(nulls_first=True), "pk")
    found = list(rows.select_related("iam_user__account", "iam_user__organization")[:LOOKED_AT_ONCE])
    return sum(_tend(destination, at) for destination in found)


def _tend(destination: KeyDestination, at: datetime) -> bool:
    """Whether a step was decided; why not is written down."""
    trouble, is_decided = "", False
    try:
        step = _next_step(destination, at)
        if step is not None:
            step()
            is_decided = True
    except ValidationError as refusal:
        trouble = " ".join(refusal.messages)
    except (access.NotThere, OutsideEnvelope):
        trouble = "The portal may not do this any more."
    KeyDestination.objects.filter(pk=destination.pk).update(looked_at=at, trouble=trouble[:500])
    return is_decided


def _next_step(destination: KeyDestination, at: datetime) -> Callable[[], object] | None:
    rows = Rotation.objects.open().filter(iam_user=destination.iam_user)
    rotation = rows.select_related("iam_user__account", "organization", "old_key", "new_key", "account").first()
    if rotation is None:
        return _start(destination, at)
    # What a person began, a person ends.
    if rotation.started_by_id is not None:
        return None
    if rotation.state == State.PROVEN and _was_seen(rotation, at):
        return lambda: steps.make_old_key_inactive(by=None, rotation=rotation, at=at)
    if rotation.state == State.DEACTIVATED and not rotation.is_watched(at=at):
        return lambda: steps.delete_old_key(by=None, rotation=rotation, at=at)
    return None


def _start(destination: KeyDestination, at: datetime) -> Callable[[], object] | None:
    keys = AccessKey.objects.present().filter(iam_user=destination.iam_user, status=AccessKey.Status.ACTIVE)
    active = list(keys.select_related("iam_user__account", "iam_user__organization").order_by("create_date", "pk"))
    if not active:
        raise ValidationError(NO_KEY)
    if not destination.is_due(active[0].create_date, at=at):
        return None
    if len(active) > 1:
        raise ValidationError(TWO_KEYS)
    return lambda: steps.start_rotation(by=None, access_key=active[0], at=at, queue=Delivery.Queue.BULK)


def _was_seen(rotation: Rotation, at: datetime) -> bool:
    """Whether the new key was in use for a day, and AWS's report was read after that."""
    first, report = rotation.new_key_first_used_at, rotation.account.report_generated_at
    return first is not None and report is not None and first + SEEN_FOR <= min(at, report)
