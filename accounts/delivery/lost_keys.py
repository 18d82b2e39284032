"""Carrying "Look for a lost access key": what follows when the creation of a key is given up in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.delivery import baseline, held
from accounts.models import AccessKey, Source
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry


@dataclass(frozen=True)
class Left:
    """The keys that the IAM user has in the end; `read_at` lies before the reading."""

    access_key_ids: frozenset[str]
    read_at: datetime


def carry(entry: Entry, delivery: Delivery) -> Left | None:
    """Delete what the doubtful call made, if that is certain: nobody knows its secret. None where the user is gone.

    :raises errors.Conflict: when a key is there of which only a human can tell whose it is; it names that key.
    :raises errors.TryLater: while the key may be there and not be shown yet.
    """
    iam_user = held.subject_of(entry)
    if iam_user.gone_at is not None:
        return None
    iam = held.iam_of(iam_user.account)
    if held.is_gone(iam, iam_user):
        return None
    thing = baseline.access_key(iam, user_name=iam_user.user_name)
    baseline.inherit_doubt(delivery, there=entry.details["there"], called_at=entry.details["called_at"])
    baseline.clear_doubt(thing, delivery=delivery)
    read_at = database_now()
    return Left(frozenset(thing.held()), read_at)


def settle(entry: Entry, answer: Left | None, at: datetime) -> None:
    """A key that a reading of the account has seen meanwhile is not there any more."""
    if answer is None:
        return
    rows = AccessKey.objects.present().filter(iam_user=held.locked(entry), read_at__lte=answer.read_at)
    gone = rows.exclude(access_key_id__in=answer.access_key_ids)
    gone.update(gone_at=answer.read_at, source=Source.LIST_ACCESS_KEYS, read_at=answer.read_at)
