"""Carrying the steps of a rotation. What must hold of both keys is looked at in AWS at the moment of the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from accounts.delivery import access_keys, baseline, held, key_status, sealing
from accounts.models import AccessKey, Rotation
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata, AccessKeyStatus
from portal.ledger.handlers import Outdated
from portal.ledger.models import Delivery, Entry

State = Rotation.State
Keys = Mapping[str, datetime | None]


def rotation_of(entry: Entry) -> Rotation:
    """The rotation that the entry is a step of."""
    rows = Rotation.objects.filter(organization=entry.organization_id).select_related("old_key", "new_key")
    return rows.get(pk=entry.details["rotation"])


def carry_start(entry: Entry, delivery: Delivery) -> access_keys.NewKey:
    """Make the new key, as any access key is made.

    Two calls, where nothing is in doubt: that what is there has the old key shows that this is still the very IAM user
    that was decided about, since a key is never another's.

    :raises Outdated: :raises portal.aws.errors.AWSError: as `access_keys.carry_creation`; also Outdated where AWS does
        not hold the old key.
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


def settle_start(entry: Entry, answer: access_keys.NewKey, at: datetime) -> None:
    """The new key has a row, its secret waits for the owner, and the rotation says so."""
    access_keys.settle(entry, answer, at)
    new_key = AccessKey.objects.get(access_key_id=answer.access_key_id)
    started = Rotation.objects.filter(pk=entry.details["rotation"], state=State.STARTED)
    started.update(new_key=new_key, state=State.MADE, made_at=at)


def abandon_start(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """No new key comes: the old one stays as it is."""
    started = Rotation.objects.filter(pk=entry.details["rotation"], state=State.STARTED)
    started.update(state=State.GIVEN_UP, ended_at=at)


def require_new_key_works(rotation: Rotation, there: Mapping[str, AccessKeyMetadata]) -> AccessKey:
    """The new key, as AWS lists it now: at no moment are both unusable.

    :raises Outdated: where AWS does not hold it, or it is inactive.
    """
    new_key = rotation.new_key
    found = there.get(new_key.access_key_id) if new_key else None
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
    used = _last_used(iam, rotation.old_key)
    if first is None:
        raise Outdated(f"Nobody has seen {new_key} work. The old key was left as it is.")
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
    return key_status.delete(iam, key_status.key_of(entry))


def settle_giving_up(entry: Entry, answer: key_status.Changed, at: datetime) -> None:
    """The new key is gone, and the rotation over."""
    key_status.write_down(entry, answer, at)
    Rotation.objects.open().filter(pk=entry.details["rotation"]).update(state=State.GIVEN_UP, ended_at=at)


def settle_step(entry: Entry, answer: key_status.Changed, at: datetime) -> None:
    """The rotation says how its old key is now."""
    rows = Rotation.objects.open().filter(pk=entry.details["rotation"])
    if answer.status is None:
        rows.update(state=State.DONE, ended_at=at)
    elif answer.status == AccessKeyStatus.INACTIVE:
        watch_until = at + timedelta(days=settings.ROTATION_WATCH_DAYS)
        rows.update(state=State.DEACTIVATED, deactivated_at=at, watch_until=watch_until)
        rows.filter(proven_by="").update(proven_at=at, proven_by=Rotation.ProvenBy.WORD)
    else:
        rows.update(state=State.PROVEN, deactivated_at=None, watch_until=None)


def _last_used(iam: IAM, access_key: AccessKey | None) -> datetime | None:
    if access_key is None:
        return None
    try:
        return iam.get_access_key_last_used(access_key_id=access_key.access_key_id).last_used_date
    except errors.NotFound:
        return None
