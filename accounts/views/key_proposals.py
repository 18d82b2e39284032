"""Which access key may go when AWS has no room for a new one: an inactive one first, then one that nothing uses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import pluralize

from accounts.models import AccessKey

# CIS AWS Foundations Benchmark 1.12: credentials that were not used for 45 days are disabled.
UNUSED_AFTER = timedelta(days=45)
LOOK_AGAIN = "AWS's last use of {} is not known here yet. Press Refresh now, and look again."
BOTH_USED = (
    "All of them were used within {} days, so none is proposed. Find what uses the one that you need less, by the "
    "service and region, give it the other key, and make that one inactive once its last use does not move any more."
)
INACTIVE = "It is inactive, so nothing works with it."
NONE_USED = "Nobody has ever seen one of them used. The older one goes first; made inactive, it can be had back."


@dataclass(frozen=True)
class Proposal:
    """`access_key` is the one that may go, or None where none should; `words` say why."""

    access_key: AccessKey | None
    words: str


def propose(access_keys: Collection[AccessKey], *, at: datetime) -> Proposal:
    """What to do with the keys that AWS holds of one IAM user, of which there are two or more.

    An active key is proposed only where another active one is known to be in use instead, or none ever was: what is the
    only one in use is never proposed.
    """
    inactive = [key for key in access_keys if key.status != AccessKey.Status.ACTIVE]
    if inactive:
        return _inactive(min(inactive, key=lambda key: (_used(key), key.create_date)), at)
    unknown = [key for key in access_keys if not _is_known(key)]
    if unknown:
        return Proposal(None, LOOK_AGAIN.format(unknown[0]))
    return _of_active(sorted(access_keys, key=lambda key: (_used(key), key.create_date)), at)


def _of_active(ordered: list[AccessKey], at: datetime) -> Proposal:
    """Of those that work, least recently used first."""
    least, most = ordered[0], ordered[-1]
    if most.last_used_date is None:
        return Proposal(least, NONE_USED)
    if least.last_used_date is None:
        days = least.age_days(at=at)
        return Proposal(
            least, f"AWS has seen no use of it in the {days} day{pluralize(days)} since it was made. {_other(most, at)}"
        )
    if at - least.last_used_date > UNUSED_AFTER and most.last_used_date > least.last_used_date:
        days = (at - least.last_used_date).days
        return Proposal(least, f"Nothing has used it for {days} days. {_other(most, at)}")
    return Proposal(None, BOTH_USED.format(UNUSED_AFTER.days))


def _inactive(access_key: AccessKey, at: datetime) -> Proposal:
    used = access_key.last_used_date
    if used is not None and at - used < UNUSED_AFTER:
        words = f"{INACTIVE} It was last used {_ago(used, at)}: delete it once nothing has missed it."
        return Proposal(access_key, words)
    return Proposal(access_key, f"{INACTIVE} Deleting it makes room.")


def _other(access_key: AccessKey, at: datetime) -> str:
    """That the other one is the one in use."""
    return f"What is in use is {access_key}, last {_ago(access_key.last_used_date or at, at)}."


def _ago(when: datetime, at: datetime) -> str:
    days = (at - when).days
    return f"{days} day{pluralize(days)} ago" if days else "less than a day ago"


def _is_known(access_key: AccessKey) -> bool:
    return access_key.last_used_date is not None or access_key.last_used_read_at is not None


def _used(access_key: AccessKey) -> float:
    """For an order in which never comes first."""
    return access_key.last_used_date.timestamp() if access_key.last_used_date else 0.0
