"""What happens to a rotation without anybody deciding it: a secret is opened or expires, a use shows, a key goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.iam_user_record import on_their_way
from accounts.usecases.records import about_iam_user
from portal.ledger.record import record

# What one run of beat looks at; the next goes on.
FOLLOWED_AT_ONCE = 500

State = Rotation.State


def opened(*, access_key_id: str, at: datetime) -> None:
    """The new key's secret was opened, in the transaction that says so: from now on somebody can use the key."""
    waiting = Rotation.objects.filter(new_key__access_key_id=access_key_id, state=State.MADE)
    waiting.update(state=State.DELIVERED, opened_at=at)


def expired(*, access_key_id: str, at: datetime, words: str = "Nobody opened the new key's secret in time.") -> None:
    """Nobody opened the new key's secret, in the transaction that has the key deleted: the old key stays."""
    for rotation in Rotation.objects.filter(new_key__access_key_id=access_key_id, state=State.MADE):
        _end(rotation, State.LAPSED, words, by=None, at=at)


def stopped(*, rotation: Rotation, by: Person, at: datetime, words: str) -> None:
    """The new key is made inactive, in the transaction that says so: the old key stays."""
    _end(rotation, State.LAPSED, words, by=by, at=at)


def follow_rotations(*, at: datetime) -> int:
    """Let the open rotations follow what AWS was read to hold; how many changed."""
    rows = Rotation.objects.open().filter(_may_differ()).order_by("started_at", "pk")
    return sum(_follow(rotation_id, at) for rotation_id in rows.values_list("pk", flat=True)[:FOLLOWED_AT_ONCE])


def _may_differ() -> Q:
    """What `_difference` may find, for the database to look through."""
    return (
        Q(iam_user__gone_at__isnull=False)
        | Q(new_key__gone_at__isnull=False)
        | Q(old_key__gone_at__isnull=False, state__in=[State.DELIVERED, State.PROVEN, State.DEACTIVATED])
        | Q(state=State.DELIVERED, new_key__last_used_date__isnull=False)
        | Q(state=State.DEACTIVATED, old_key__status=AccessKey.Status.ACTIVE, old_key__read_at__gt=F("deactivated_at"))
        | Q(state=State.PROVEN, old_key__status=AccessKey.Status.INACTIVE)
    )


@transaction.atomic
def _follow(rotation_id: int, at: datetime) -> bool:
    rotation = Rotation.objects.select_related("iam_user__account", "organization", "old_key", "new_key").get(
        pk=rotation_id
    )
    iam_user = rotation.iam_user
    iam_user.refresh_from_db(from_queryset=IAMUser.objects.select_for_update(no_key=True))
    rotation.refresh_from_db()
    # A step that is on its way will say itself what became of the keys.
    if not rotation.is_open or (iam_user.gone_at is None and on_their_way(iam_user)):
        return False
    change = _difference(rotation)
    if change is not None:
        change(rotation, at)
    return change is not None


def _difference(rotation: Rotation) -> Callable[[Rotation, datetime], None] | None:
    """What AWS was read to hold that the rotation does not say yet."""
    old, new = rotation.old_key, rotation.new_key
    if rotation.iam_user.gone_at is not None or (new is not None and new.gone_at is not None):
        return _lapse
    if new is None or rotation.state == State.MADE:
        return None
    if old.gone_at is not None:
        return _conclude
    if rotation.state == State.DELIVERED and new.last_used_date is not None:
        return _prove
    return _turned(rotation)


def _turned(rotation: Rotation) -> Callable[[Rotation, datetime], None] | None:
    """Whether somebody made the old key active or inactive past the portal."""
    old = rotation.old_key
    if rotation.state == State.PROVEN and old.status == AccessKey.Status.INACTIVE:
        return _watch
    is_later = old.read_at is not None and rotation.deactivated_at is not None and old.read_at > rotation.deactivated_at
    if rotation.state == State.DEACTIVATED and old.status == AccessKey.Status.ACTIVE and is_later:
        return _reopen
    return None


def _lapse(rotation: Rotation, at: datetime) -> None:
    is_gone = rotation.iam_user.gone_at is not None
    words = "AWS no longer holds the IAM user." if is_gone else "AWS no longer holds the new key."
    _end(rotation, State.LAPSED, words, by=None, at=at)


def _conclude(rotation: Rotation, at: datetime) -> None:
    _end(rotation, State.DONE, "The old key was deleted outside the portal.", by=None, at=at)


def _prove(rotation: Rotation, at: datetime) -> None:
    used = rotation.new_key.last_used_date if rotation.new_key else None
    prove(rotation=rotation, proven_by=Rotation.ProvenBy.USE, used_at=used, by=None, at=at)


def _watch(rotation: Rotation, at: datetime) -> None:
    rotation.state, rotation.deactivated_at = State.DEACTIVATED, at
    rotation.watch_until = at + timedelta(days=settings.ROTATION_WATCH_DAYS)
    rotation.save(update_fields=["state", "deactivated_at", "watch_until"])


def _reopen(rotation: Rotation, _at: datetime) -> None:
    rotation.state, rotation.deactivated_at, rotation.watch_until = State.PROVEN, None, None
    rotation.save(update_fields=["state", "deactivated_at", "watch_until"])


def prove(
    *, rotation: Rotation, proven_by: Rotation.ProvenBy, used_at: datetime | None, by: Person | None, at: datetime
) -> None:
    """Write down that the new key works, in the caller's transaction; `used_at` is when it is known to have worked."""
    rotation.state, rotation.proven_at, rotation.proven_by = State.PROVEN, at, proven_by
    rotation.new_key_first_used_at = rotation.new_key_first_used_at or used_at
    rotation.save(update_fields=["state", "proven_at", "proven_by", "new_key_first_used_at"])
    _tell(Kind.ROTATION_PROVEN, rotation, by=by, at=at, proven_by=proven_by.label)


def _end(rotation: Rotation, state: Rotation.State, words: str, *, by: Person | None, at: datetime) -> None:
    rotation.state, rotation.ended_at = state, at
    rotation.save(update_fields=["state", "ended_at"])
    _tell(Kind.ROTATION_ENDED, rotation, by=by, at=at, words=words)


def _tell(kind: Kind, rotation: Rotation, *, by: Person | None, at: datetime, **details: object) -> None:
    record(
        organization=rotation.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(rotation.iam_user),
        at=at,
        details={"rotation": rotation.pk, "access_key_id": rotation.old_key.access_key_id, **details},
    )
