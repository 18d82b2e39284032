"""Carrying the steps of a rotation. What must hold of both keys is looked at in AWS at the moment of the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Q

from accounts.delivery import access_keys, baseline, destinations, held, key_status, sealing
from accounts.models import AccessKey, Rotation, Source
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata, AccessKeyStatus
from portal.ledger.clock import database_now
from portal.ledger.handlers import Outdated
from portal.ledger.models import Delivery, Entry

NO_ROOM = (
    "the IAM user has as many access keys as AWS allows, more than the portal knew of. Refresh it, make the one that "
    "is not used inactive and delete it, then begin again. The old key was left as it is."
)

State = Rotation.State
Keys = Mapping[str, datetime | None]


def rotation_of(entry: Entry) -> Rotation:
    """The rotation that the entry is a step of."""
    rows = Rotation.objects.filter(organization=entry.organization_id).select_related(
        "old_key", "new_key", "destination__account"
    )
    return rows.get(pk=entry.details["rotation"])


@dataclass(frozen=True)
class Started:
    """The new key, and the version of the secret that holds it, where it was put into Secrets Manager."""

    key: access_keys.NewKey
    secret_version: str


def carry_start(entry: Entry, delivery: Delivery) -> Started:
    """Make the new key; where its application reads it by itself, put it there.

    An error after the key was made leaves the call in doubt, so that the next attempt deletes that key and makes
    another.

    :raises Outdated: :raises portal.aws.errors.AWSError: as `access_keys.carry_creation` and `destinations.put`; also
        Outdated where AWS does not hold the old key.
    """
    destination = rotation_of(entry).destination
    if destination is None:
        return Started(_made(entry, delivery), "")
    iam_user = held.subject_of(entry)
    destinations.prepare(destination, iam_user, entry)
    key = _made(entry, delivery)
    return Started(key, destinations.put(destination, iam_user, entry, key))


def _made(entry: Entry, delivery: Delivery) -> access_keys.NewKey:
    try:
        return _make(entry, delivery)
    except errors.Refused as error:
        if error.code != "LimitExceeded":
            raise
        raise errors.Refused(
            operation=error.operation, code=error.code, message=NO_ROOM, request_id=error.request_id
        ) from None


def _make(entry: Entry, delivery: Delivery) -> access_keys.NewKey:
    """Make it with two calls, where nothing is in doubt.

    That what is there has the old key shows that this is still the very IAM
    user that was decided about, since a key is never another's.
    """
    if baseline.is_in_doubt(delivery):
        return access_keys.carry_creation(entry, delivery)
    iam_user, old_key = held.subject_of(entry), rotation_of(entry).old_key
    sealing.require_recipient(entry, iam_user)
    thing = baseline.access_key(held.iam_of(iam_user.account), user_name=iam_user.user_name)
    return access_keys.make(replace(thing, held=partial(_held_with, old_key, thing.held)), iam_user, delivery)


def _held_with(old_key: AccessKey, listed: Callable[[], Keys]) -> Keys:
    """What is there, the old key among it.

    :raises Outdated: where it is not. :raises errors.TryLater: where it is so new that AWS may not show it yet.
    """
    there = listed()
    if old_key.access_key_id not in there:
        words = f"AWS does not hold {old_key} of this IAM user, so there is nothing to rotate. No key was made."
        missing = errors.NotFound(operation="ListAccessKeys", code="NoSuchEntity", message=words)
        not_there = held.may_not_be_seen_yet(old_key.create_date, missing)
        raise not_there if isinstance(not_there, errors.TryLater) else Outdated(words)
    return there


def settle_start(entry: Entry, answer: Started, at: datetime) -> None:
    """The new key has a row, its secret waits for the owner or is where it is read, and the rotation says so."""
    started = Rotation.objects.filter(pk=entry.details["rotation"], state=State.STARTED)
    if answer.secret_version:
        new_key = access_keys.keep_row(entry, answer.key)
        arrived = {"state": State.DELIVERED, "opened_at": at, "secret_version": answer.secret_version}
        started.update(new_key=new_key, made_at=at, **arrived)
        return
    access_keys.settle(entry, answer.key, at)
    new_key = AccessKey.objects.get(access_key_id=answer.key.access_key_id)
    started.update(new_key=new_key, state=State.MADE, made_at=at)


def abandon_start(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """No new key comes: the old one stays as it is."""
    started = Rotation.objects.filter(pk=entry.details["rotation"], state=State.STARTED)
    started.update(state=State.GIVEN_UP, ended_at=at)


def require_new_key_works(rotation: Rotation, there: Mapping[str, AccessKeyMetadata]) -> AccessKey:
    """The new key, as AWS lists it now: at no moment are both unusable.

    :raises Outdated: where AWS does not hold it, or it is inactive.
    :raises errors.TryLater: where it was made a moment ago, and AWS does not list it yet.
    """
    new_key = rotation.new_key
    found = there.get(new_key.access_key_id) if new_key else None
    if new_key is not None and found is None and database_now() - new_key.create_date < held.QUIET_TIME:
        message = "it does not list the new key yet."
        raise errors.TryLater(operation="ListAccessKeys", code="NotShownYet", message=message)
    if new_key is None or found is None or found.status != AccessKeyStatus.ACTIVE:
        raise Outdated("The new key does not work in AWS at the moment, so the old one was left as it is.")
    return new_key


def require_old_key_is_unused(iam: IAM, entry: Entry, rotation: Rotation, new_key: AccessKey) -> None:
    """Return where AWS shows no use of the old key after the new one's first, or somebody said why to go on.

    :raises Outdated: where it does.
    """
    if entry.details["is_override"]:
        return
    first = rotation.new_key_first_used_at
    if first is None:
        raise Outdated(f"Nobody has seen {new_key} work. The old key was left as it is.")
    used = _last_used(iam, rotation.old_key)
    if used is not None and used > first:
        raise Outdated(
            f"The old key was used on {used:%d %B %Y at %H:%M} UTC, after the new one was in use. It was left as it is."
        )


def carry_giving_up(entry: Entry, delivery: Delivery) -> key_status.Changed:
    """Delete the new key, if nothing uses it.

    :raises Outdated: where it was used, or the old key does not work.
    """
    iam_user, rotation = held.subject_of(entry), rotation_of(entry)
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    there = key_status.listed(iam, iam_user)
    if _last_used(iam, rotation.new_key) is not None:
        raise Outdated("The new key was used meanwhile, so it was left as it is. Go on with the rotation.")
    old = there.get(rotation.old_key.access_key_id)
    if old is None or old.status != AccessKeyStatus.ACTIVE:
        raise Outdated("The old key does not work in AWS at the moment, so the new one was left as it is.")
    destinations.put_back(rotation)
    return key_status.delete(iam, key_status.key_of(entry))


def settle_giving_up(entry: Entry, answer: key_status.Changed, at: datetime) -> None:
    """The new key is gone, and the rotation over."""
    key_status.write_down(entry, answer, at)
    over = {"state": State.GIVEN_UP, "ended_at": at, "deactivated_at": None, "watch_until": None}
    Rotation.objects.open().filter(pk=entry.details["rotation"]).update(**over)


def settle_step(entry: Entry, answer: key_status.Changed, at: datetime) -> None:
    """The rotation says how its old key is now."""
    rows = Rotation.objects.filter(pk=entry.details["rotation"])
    if answer.status is None:
        rows.open().update(state=State.DONE, ended_at=at)
    elif answer.status == AccessKeyStatus.INACTIVE:
        watch_until = at + timedelta(days=settings.ROTATION_WATCH_DAYS)
        watched = {"deactivated_at": at, "watch_until": watch_until, "is_inactive_elsewhere": False}
        opened = rows.filter(state__in=[State.DELIVERED, State.PROVEN, State.DEACTIVATED])
        opened.filter(proven_by="").update(proven_at=at, proven_by=Rotation.ProvenBy.WORD)
        opened.update(**watched, state=State.DEACTIVATED)
    else:
        rows.reopen()


def _last_used(iam: IAM, access_key: AccessKey | None) -> datetime | None:
    """When AWS last saw it used; its row says so too from now on, for whoever decides about a refusal."""
    if access_key is None:
        return None
    read_at = database_now()
    try:
        used = iam.get_access_key_last_used(access_key_id=access_key.access_key_id)
    except errors.NotFound:
        return None
    known = AccessKey.objects.filter(pk=access_key.pk)
    known.filter(Q(last_used_read_at=None) | Q(last_used_read_at__lte=read_at)).update(
        last_used_date=used.last_used_date,
        last_used_region=used.region or "",
        last_used_service=used.service_name or "",
        last_used_source=Source.GET_ACCESS_KEY_LAST_USED,
        last_used_read_at=read_at,
    )
    return used.last_used_date
