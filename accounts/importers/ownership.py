"""Whose the IAM users of an import are: the portal's own unfinished work, or what tags and rules tell."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from accounts import arns
from accounts.kinds import Kind
from accounts.models import Account, IAMUser
from accounts.ownership import FIELDS, Owners
from portal.aws.iam.account import UserDetail
from portal.ledger.models import Entry

__all__ = ["FIELDS", "Ownership"]


class Ownership:
    """Built once for the import of an account, in a fixed number of queries, and then asked for each IAM user."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._owners = Owners(account.organization)
        self._unfinished: dict[uuid.UUID, IAMUser] | None = None

    def fill(self, row: IAMUser, user: UserDetail) -> None:
        """Set team, owner, kind and purpose of a new row, which is not saved. No queries."""
        self._owners.fill(row, user)

    def refresh(self, rows: Sequence[IAMUser], details: Mapping[str, UserDetail]) -> list[IAMUser]:
        """Have rows that are there follow their tags and the rules where no person said whose they are.

        `details` is by unique id; a row that it does not tell of stays as it is. No queries, and nothing is saved: the
        rows that changed are returned, for a `bulk_update` of `FIELDS`.
        """
        told = ((row, details.get(row.user_id)) for row in rows)
        return [row for row, user in told if user is not None and self._owners.refresh(row, user)]

    def given_up(self, user: UserDetail) -> IAMUser | None:
        """The row of a creation that was given up after AWS had made the user: it is that user after all.

        One that is still on its way is never taken: its delivery knows by itself what is its own. Two queries for the
        first IAM user that bears the portal's tag, none for all others.
        """
        entry_id = _entry_id(user.tags.get(arns.ENTRY_TAG, ""))
        if entry_id is None:
            return None
        if self._unfinished is None:
            self._unfinished = _given_up_in(self._account)
        row = self._unfinished.get(entry_id)
        return row if row is not None and row.user_name == user.user_name else None


def _given_up_in(account: Account) -> dict[uuid.UUID, IAMUser]:
    """The account's creations that were given up, by the entry that decided each."""
    rows = {str(row.pk): row for row in IAMUser.objects.filter(account=account, user_id="", gone_at__isnull=False)}
    entries = Entry.objects.of(account.organization).filter(
        kind=Kind.IAM_USER_CREATED, subject_type="iam_user", subject_id__in=list(rows)
    )
    return {pk: rows[subject_id] for pk, subject_id in entries.values_list("pk", "subject_id")} if rows else {}


def _entry_id(text: str) -> uuid.UUID | None:
    # Anybody who may tag in the account can write this tag: it is checked, never trusted.
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
