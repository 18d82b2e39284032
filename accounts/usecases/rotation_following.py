"""What happens to a rotation without anybody deciding it: a secret is opened or expires, a use shows, a key goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from accounts.delivery.held import QUIET_TIME
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.sealed import Bond, Purpose
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.stuck_steps import OF_KEYS
from portal.ledger.models import Delivery
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret

# What one run of beat changes; the next goes on.
FOLLOWED_AT_ONCE = 500
# Whatever changes keys says itself what became of them once it arrives.
CHANGING_KEYS = OF_KEYS | {Kind.IAM_USER_DISABLED, Kind.IAM_USER_ENABLED, Kind.IAM_USER_DELETED}
ANOTHER_OWNER = "Its IAM user has another owner now, so that this secret is not given out any more."

State = Rotation.State
Change = Callable[[Rotation, datetime], None]


def opened(*, access_key_id: str, at: datetime) -> None:
    """The new key's secret was opened, in the transaction that says so: from now on somebody can use the key.

    :raises seal.Expired: when the IAM user got another owner since the secret was sealed.
    """
    waiting = Rotation.objects.filter(new_key__access_key_id=access_key_id, state=State.MADE)
    if waiting.filter(_OF_ANOTHER).exists():
        raise seal.Expired(ANOTHER_OWNER)
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
    changed = 0
    # Not the first so many: those that cannot be followed yet would hide the others.
    for rotation_id in list(rows.values_list("pk", flat=True)):
        changed += _follow(rotation_id, at)
        if changed == FOLLOWED_AT_ONCE:
            break
    return changed


_OF_ANOTHER = Q(state=State.MADE) & ~Q(iam_user__owner=F("recipient"))


def _may_differ() -> Q:
    """What `_difference` may find, for the database to look through."""
    return (
        _OF_ANOTHER
        | Q(iam_user__gone_at__isnull=False)
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
    if not rotation.is_open:
        return False
    on_their_way = Delivery.objects.of(rotation.organization).about("iam_user", iam_user.pk).open()
    changing = on_their_way.filter(entry__kind__in=CHANGING_KEYS)
    if iam_user.gone_at is None and changing.exclude(state=Delivery.State.STUCK).exists():
        return False
    change = _difference(rotation, at)
    if change is None or (change is _take_back and changing.exists()):
        return False
    change(rotation, at)
    return True


def _difference(rotation: Rotation, at: datetime) -> Change | None:
    """What AWS was read to hold that the rotation does not say yet."""
    old, new = rotation.old_key, rotation.new_key
    if rotation.iam_user.gone_at is not None or (new is not None and _is_gone(new, at)):
        return _lapse
    if rotation.state == State.MADE and rotation.iam_user.owner_id != rotation.recipient_id:
        return _take_back
    if new is None or rotation.state == State.MADE:
        return None
    if old.gone_at is not None:
        return _conclude
    if rotation.state == State.DELIVERED and new.last_used_date is not None:
        return _prove
    return _turned(rotation, at)


def _is_gone(new_key: AccessKey, at: datetime) -> bool:
    """AWS's lists are behind: what was just made is believed to be gone after a quiet time."""
    return new_key.gone_at is not None and at - new_key.create_date >= QUIET_TIME


def _turned(rotation: Rotation, at: datetime) -> Change | None:
    """Whether somebody made the old key active or inactive past the portal."""
    old, since = rotation.old_key, rotation.deactivated_at
    if rotation.state == State.PROVEN and old.status == AccessKey.Status.INACTIVE:
        return _watch
    if rotation.state != State.DEACTIVATED or since is None or old.status != AccessKey.Status.ACTIVE:
        return None
    is_later = old.read_at is not None and old.read_at > since
    # A list that is behind says for a while what was before.
    return _reopen if is_later and at - since >= QUIET_TIME else None


def _lapse(rotation: Rotation, at: datetime) -> None:
    is_gone = rotation.iam_user.gone_at is not None
    words = "AWS no longer holds the IAM user." if is_gone else "AWS no longer holds the new key."
    _withdraw(rotation)
    _end(rotation, State.LAPSED, words, by=None, at=at)


def _conclude(rotation: Rotation, at: datetime) -> None:
    _end(rotation, State.DONE, "AWS no longer holds the old key.", by=None, at=at)


def _take_back(rotation: Rotation, at: datetime) -> None:
    """The secret was sealed for somebody who does not own the IAM user any more: nobody gets it, and the key goes."""
    _withdraw(rotation)
    iam_user, new_key = rotation.iam_user, rotation.new_key
    record(
        organization=rotation.organization,
        kind=Kind.ROTATION_GIVEN_UP,
        by=None,
        subject=about_iam_user(iam_user),
        at=at,
        reason=ANOTHER_OWNER,
        details={
            "user_name": iam_user.user_name,
            "rotation": rotation.pk,
            "access_key_id": "" if new_key is None else new_key.access_key_id,
        },
        deliver=carried_to(iam_user, queue=Delivery.Queue.BULK),
    )


def _withdraw(rotation: Rotation) -> None:
    """Wipe the new key's secret, where nobody has opened it."""
    if rotation.new_key is not None:
        bond = Bond(Purpose.ACCESS_KEY, rotation.iam_user_id, rotation.new_key.access_key_id)
        seal.withdraw(SealedSecret.objects.of(rotation.organization).filter(bound_to=str(bond)))


def _prove(rotation: Rotation, at: datetime) -> None:
    used = rotation.new_key.last_used_date if rotation.new_key else None
    prove(rotation=rotation, proven_by=Rotation.ProvenBy.USE, used_at=used, by=None, at=at)


def _watch(rotation: Rotation, at: datetime) -> None:
    rotation.state, rotation.deactivated_at = State.DEACTIVATED, at
    rotation.watch_until = at + timedelta(days=settings.ROTATION_WATCH_DAYS)
    rotation.is_inactive_elsewhere = True
    rotation.save(update_fields=["state", "deactivated_at", "watch_until", "is_inactive_elsewhere"])


def _reopen(rotation: Rotation, _at: datetime) -> None:
    Rotation.objects.filter(pk=rotation.pk).reopen()


def prove(
    *, rotation: Rotation, proven_by: Rotation.ProvenBy, used_at: datetime | None, by: Person | None, at: datetime
) -> None:
    """Write down that the new key works, in the caller's transaction; `used_at` is when it is known to have worked.

    Where the old key is inactive already, on somebody's word, it stays so.

    :raises ValidationError: before the new key's secret was opened, and once the rotation is over.
    """
    rotation.refresh_from_db()
    if rotation.state not in (State.DELIVERED, State.PROVEN, State.DEACTIVATED):
        raise ValidationError(f"This cannot be done now: {rotation.get_state_display().lower()}.")
    rotation.state = State.PROVEN if rotation.state == State.DELIVERED else rotation.state
    rotation.proven_at, rotation.proven_by = at, proven_by
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
