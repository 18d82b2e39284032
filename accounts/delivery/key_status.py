"""Carrying "Make key inactive", "Make key active" and "Delete access key", within a rotation or by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.delivery import held
from accounts.models import AccessKey, IAMUser, Source
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata, AccessKeyStatus
from portal.ledger.clock import database_now
from portal.ledger.handlers import Outdated
from portal.ledger.models import Entry


@dataclass(frozen=True)
class Changed:
    """How AWS holds the key now: `Active`, `Inactive`, or None where it does not any more.

    `known_at` lies behind the call.
    """

    status: str | None
    known_at: datetime


def listed(iam: IAM, iam_user: IAMUser) -> dict[str, AccessKeyMetadata]:
    """The IAM user's keys as AWS lists them now, by id."""
    return {key.access_key_id: key for key in iam.list_access_keys(user_name=iam_user.user_name)}


def set_status(iam: IAM, access_key: AccessKey, status: AccessKeyStatus) -> Changed:
    """Setting the status that it has is no error in IAM, so this may run twice. A key that is gone is told as gone.

    :raises errors.TryLater: when AWS does not show yet a key that was made a moment ago.
    """
    try:
        iam.update_access_key(
            user_name=access_key.iam_user.user_name, access_key_id=access_key.access_key_id, status=status
        )
    except errors.NotFound as error:
        _require_gone(access_key, error)
        return Changed(None, database_now())
    return Changed(status, database_now())


def delete(iam: IAM, access_key: AccessKey) -> Changed:
    """A key that is gone already is what was wanted.

    :raises errors.TryLater: when AWS does not show yet a key that was made a moment ago.
    """
    try:
        iam.delete_access_key(user_name=access_key.iam_user.user_name, access_key_id=access_key.access_key_id)
    except errors.NotFound as error:
        _require_gone(access_key, error)
    return Changed(None, database_now())


def key_of(entry: Entry) -> AccessKey:
    """The row of the key that the entry changes."""
    rows = AccessKey.objects.select_related("iam_user__account", "iam_user__organization")
    return rows.get(organization=entry.organization_id, access_key_id=entry.details["access_key_id"])


def require_inactive(there: Mapping[str, AccessKeyMetadata], access_key_id: str) -> None:
    """Return where AWS lists it as inactive, or no longer.

    :raises Outdated: when somebody made it active again.
    """
    found = there.get(access_key_id)
    if found is not None and found.status != AccessKeyStatus.INACTIVE:
        raise Outdated(f"{access_key_id} is active in AWS, so it was not deleted. Make it inactive first.")


def require_unused(iam: IAM, access_key: AccessKey, *, since: datetime) -> None:
    """Return where AWS shows no use of it since then; one that is gone is not used.

    :raises Outdated: where it does.
    """
    try:
        used = iam.get_access_key_last_used(access_key_id=access_key.access_key_id).last_used_date
    except errors.NotFound:
        return
    if used is not None and used >= since:
        raise Outdated(f"{access_key} was used on {used:%d %B %Y at %H:%M} UTC, so it was left active.")


def write_down(entry: Entry, answer: Changed, at: datetime) -> None:
    """The key's row says how AWS holds it. A row that was read later than this says it already, or something newer."""
    held.locked(entry)
    rows = AccessKey.objects.filter(organization=entry.organization_id, access_key_id=entry.details["access_key_id"])
    older = rows.filter(Q(read_at=None) | Q(read_at__lte=answer.known_at))
    outcome = {"gone_at": at} if answer.status is None else {"status": answer.status}
    older.update(**outcome, source=Source.LIST_ACCESS_KEYS, read_at=answer.known_at)


def _require_gone(access_key: AccessKey, error: errors.NotFound) -> None:
    not_there = held.may_not_be_seen_yet(access_key.create_date, error)
    if isinstance(not_there, errors.TryLater):
        raise not_there from None
