"""Applying what a snapshot says of IAM users: who is new, who is gone, who has another name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import F

from accounts.delivery import held
from accounts.delivery.held import QUIET_TIME
from accounts.importers import credentials, memberships, ownership
from accounts.importers.credentials import Writing
from accounts.importers.documents import inline_policies
from accounts.importers.entities import arns_of
from accounts.importers.names import writable
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
    for batch in batches(user for user in snapshot.staged.users if user.user_id in chosen):
        _write_batch(account, snapshot, batch, groups, found)
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


def _write_batch(
    account: Account, snapshot: Snapshot, users: Sequence[UserDetail], groups: Mapping[str, int], found: Found
) -> None:
    rows = {row.user_id: row for row in IAMUser.objects.filter(account=account, user_id__in=[u.user_id for u in users])}
    reading = read_from(account, Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at)
    changed: list[IAMUser] = []
    new: list[IAMUser] = []
    came: list[IAMUser] = []
    for user in users:
        row = rows.get(user.user_id)
        if row is None:
            row = ownership.given_up_by_the_portal(account, user) or ownership.new_row(account, user)
            (changed if row.pk else new).append(row)
            came.append(row)
            fill(row, {**fields_of(user), **reading})
        elif known := differences(row, fields_of(user)):
            fill(row, {**fields_of(user), **reading})
            changed.append(row)
            found.changed[row.pk] = known
        rows[user.user_id] = row
    create(IAMUser, new)
    update(IAMUser, changed, names=FIELDS)
    found.new += [row.pk for row in came]
    _write_what_hangs_on_them(account, snapshot, users, rows, groups, found)


def _write_what_hangs_on_them(
    account: Account,
    snapshot: Snapshot,
    users: Sequence[UserDetail],
    rows: Mapping[str, IAMUser],
    groups: Mapping[str, int],
    found: Found,
) -> None:
    wanted = {rows[user.user_id].pk: {groups[name] for name in user.group_list if name in groups} for user in users}
    reading = read_from(account, Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at)
    came = set(found.new)
    for pk, known in memberships.write(wanted, reading).items():
        if pk in came:
            continue
        found.changed.setdefault(pk, {})["group_names"] = known
    told = {rows[user.user_id].pk: credentials_of(snapshot, user.user_id) for user in users}
    credentials.write(Writing(account), told)


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
