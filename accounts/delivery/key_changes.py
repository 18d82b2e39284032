"""Carrying "Make key inactive", "Make key active" and "Delete access key", within a rotation or by themselves."""

from __future__ import annotations

from datetime import datetime

from accounts.delivery import held, key_status, rotation
from accounts.delivery.key_status import Changed
from portal.aws.iam.access_keys import AccessKeyStatus
from portal.ledger.handlers import Outdated
from portal.ledger.models import Delivery, Entry


def carry_deactivation(entry: Entry, delivery: Delivery) -> Changed:
    """Within a rotation only while the new key works, and unless somebody said why, while nothing uses this one.

    One that was to be made inactive because it is not used is asked about once more.

    :raises Outdated: where that is not so.
    """
    access_key = key_status.key_of(entry)
    iam = held.iam_of(access_key.iam_user.account)
    held.require_same(iam, access_key.iam_user)
    if "rotation" in entry.details:
        step = rotation.rotation_of(entry)
        new_key = rotation.require_new_key_works(step, key_status.listed(iam, access_key.iam_user))
        rotation.require_old_key_is_unused(iam, entry, step, new_key)
    if "unused_since" in entry.details:
        key_status.require_unused(iam, access_key, since=datetime.fromisoformat(entry.details["unused_since"]))
    return key_status.set_status(iam, access_key, AccessKeyStatus.INACTIVE)


def carry_activation(entry: Entry, delivery: Delivery) -> Changed:
    """Let it work again.

    :raises Outdated: where AWS does not hold it any more.
    """
    access_key = key_status.key_of(entry)
    iam = held.iam_of(access_key.iam_user.account)
    held.require_same(iam, access_key.iam_user)
    answer = key_status.set_status(iam, access_key, AccessKeyStatus.ACTIVE)
    if answer.status is None:
        raise Outdated(f"AWS no longer holds {access_key}, so it cannot be made active again.")
    return answer


def carry_deletion(entry: Entry, delivery: Delivery) -> Changed:
    """Delete it, while it is inactive; within a rotation only while the new key works.

    :raises Outdated: where that is not so.
    """
    access_key = key_status.key_of(entry)
    iam = held.iam_of(access_key.iam_user.account)
    held.require_same(iam, access_key.iam_user)
    there = key_status.listed(iam, access_key.iam_user)
    key_status.require_inactive(there, access_key.access_key_id)
    if "rotation" in entry.details:
        rotation.require_new_key_works(rotation.rotation_of(entry), there)
    return key_status.delete(iam, access_key)


def settle(entry: Entry, answer: Changed, at: datetime) -> None:
    """The key's row says how AWS holds it, and so does the rotation that this was a step of."""
    key_status.write_down(entry, answer, at)
    if "rotation" in entry.details:
        rotation.settle_step(entry, answer, at)
