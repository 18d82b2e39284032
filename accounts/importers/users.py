"""Applying what a snapshot says of IAM users: who is new, who is gone, who has another name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F

from accounts.delivery import held
from accounts.delivery.held import QUIET_TIME
from accounts.importers import credentials, memberships
from accounts.importers.credentials import Writing
from accounts.importers.documents import inline_policies
from accounts.importers.entities import arns_of
from accounts.importers.names import writable
from accounts.importers.ownership import FIELDS as OWNED
from accounts.importers.ownership import Ownership
from accounts.importers.snapshot import Snapshot
from accounts.importers.staging import batches
from accounts.importers.told import credentials_of
from accounts.importers.writing import Differences, create, differences, fill, read_from, update
from accounts.models import Account, IAMUser, Source
from portal.aws.iam.account import UserDetail

# What IAM tells of a user, by the names of the row's fields.
FIELDS = (
    "user_name",
    "path",
    "user_id",
    "create_date",
    "gone_at",
    "tags",
    "permissions_boundary_arn",
    "attached_policy_arns",
    "inline_policies",
    "source",
    "read_at",
)


@dataclass
class Found:
    """What was found of the account's IAM users, by the primary keys of their rows."""

    new: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    changed: dict[int, Differences] = field(default_factory=dict)


class _Row(NamedTuple):
    """As much of a row as is needed of all of them at once."""

    pk: int
    user_id: str
    user_name: str
    gone_at: datetime | None
    read_at: datetime | None

    @property
    def key(self) -> str:
        """Its unique id; a creation on its way has none."""
        return self.user_id or f"row {self.pk}"


def write(account: Account, snapshot: Snapshot, groups: Mapping[str, int]) -> Found:
    """Write the users of the snapshot with their groups and credentials.

    `groups` are primary keys by name. The caller holds the transaction and the account's row.
    """
    # Locked against a delivery that settles into the same row: of two, the later reading must stay.
    locked = IAMUser.objects.select_for_update(no_key=True).filter(account=account).order_by("pk")
    rows = {row.key: row for row in map(_Row._make, locked.values_list(*_Row._fields))}
    found = Found(gone=_conclude_gone(rows, snapshot))
    staying = {key: row for key, row in rows.items() if row.pk not in set(found.gone)}
    chosen = _chosen(rows, staying, snapshot)
    _free_names(staying, snapshot, chosen)
    writer = _Writer(account, snapshot, groups, Ownership(account), found)
    for batch in batches(user for user in snapshot.staged.users if user.user_id in chosen):
        writer.write(batch)
    return found


def _conclude_gone(rows: Mapping[str, _Row], snapshot: Snapshot) -> list[int]:
    """Only a complete reading says "gone", and never of what was first seen a moment before it."""
    before = snapshot.read_at - QUIET_TIME
    going = [
        row.pk
        for row in rows.values()
        if row.gone_at is None
        and row.user_id not in snapshot.users
        and row.read_at is not None
        and row.read_at < before
    ]
    for batch in batches(going):
        users = IAMUser.objects.filter(pk__in=batch)
        held.strip(users, at=snapshot.read_at)
        users.update(gone_at=snapshot.read_at)
    return going


def _chosen(rows: Mapping[str, _Row], staying: Mapping[str, _Row], snapshot: Snapshot) -> set[str]:
    """Those that the snapshot may write, by unique id: neither newer rows nor names that others hold."""
    wanted = {
        key: user.user_name
        for key, user in snapshot.users.items()
        if key not in rows or not _is_newer(rows[key], snapshot)
    }
    return writable(held={key: row.user_name for key, row in staying.items() if row.gone_at is None}, wanted=wanted)


def _is_newer(row: _Row, snapshot: Snapshot) -> bool:
    """A delivery read it back, or deleted it, while the account was being read or a moment before."""
    if row.gone_at is not None and row.gone_at > snapshot.read_at - QUIET_TIME:
        return True
    return row.read_at is not None and row.read_at > snapshot.read_at


def _free_names(rows: Mapping[str, _Row], snapshot: Snapshot, chosen: set[str]) -> None:
    """Let go of the names that change, so that two users can swap theirs; each row is written again below."""
    changing = [
        row.pk
        for key, row in rows.items()
        if key in chosen and row.gone_at is None and row.user_name.lower() != snapshot.users[key].user_name.lower()
    ]
    for batch in batches(changing):
        IAMUser.objects.filter(pk__in=batch).update(gone_at=F("read_at"))


@dataclass(frozen=True)
class _Writer:
    """Writes users a batch at a time, and notes what it found."""

    account: Account
    snapshot: Snapshot
    groups: Mapping[str, int]
    ownership: Ownership
    found: Found

    @property
    def _reading(self) -> dict[str, Any]:
        return read_from(self.account, Source.ACCOUNT_AUTHORIZATION_DETAILS, self.snapshot.read_at)

    def write(self, users: Sequence[UserDetail]) -> None:
        """The users, and what hangs on them."""
        told = {user.user_id: user for user in users}
        rows = {row.user_id: row for row in IAMUser.objects.filter(account=self.account, user_id__in=list(told))}
        owned = {row.pk for row in self.ownership.refresh(list(rows.values()), told)}
        changed = [row for row in rows.values() if self._changes(row, told[row.user_id]) or row.pk in owned]
        came = {key: self._coming(user) for key, user in told.items() if key not in rows}
        # A creation that was given up has a row already.
        changed += [row for row in came.values() if row.pk is not None]
        create(IAMUser, [row for row in came.values() if row.pk is None])
        update(IAMUser, changed, names=(*FIELDS, *OWNED))
        self.found.new += [row.pk for row in came.values()]
        self._write_what_hangs_on_them(users, {key: row.pk for key, row in (rows | came).items()})

    def _changes(self, row: IAMUser, user: UserDetail) -> bool:
        """Have the row say what IAM tells; whether it said anything else before."""
        known = differences(row, fields_of(user))
        if known:
            fill(row, {**fields_of(user), **self._reading})
            self.found.changed[row.pk] = known
        return bool(known)

    def _coming(self, user: UserDetail) -> IAMUser:
        """The row of a user that was not known."""
        row = self.ownership.given_up(user)
        if row is None:
            row = IAMUser()
            fill(row, self._reading)
            self.ownership.fill(row, user)
        fill(row, {**fields_of(user), **self._reading})
        return row

    def _write_what_hangs_on_them(self, users: Sequence[UserDetail], pks: Mapping[str, int]) -> None:
        wanted = {
            pks[user.user_id]: {self.groups[name] for name in user.group_list if name in self.groups} for user in users
        }
        came = set(self.found.new)
        for pk, known in memberships.write(wanted, self._reading).items():
            if pk not in came:
                self.found.changed.setdefault(pk, {})["group_names"] = known
        told = {pks[user.user_id]: credentials_of(self.snapshot, user.user_id) for user in users}
        credentials.write(Writing(self.account), told)


def fields_of(user: UserDetail) -> dict[str, object]:
    """What the row of this user holds of it."""
    return {
        "user_id": user.user_id,
        "user_name": user.user_name,
        "path": user.path,
        "create_date": user.create_date,
        "gone_at": None,
        "tags": dict(user.tags),
        "permissions_boundary_arn": user.permissions_boundary or "",
        "attached_policy_arns": arns_of(user.attached_managed_policies),
        "inline_policies": inline_policies(user.user_policy_list),
    }
