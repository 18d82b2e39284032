"""Deciding one change for many IAM users: it is begun here, and each row of it is decided by `bulk_rows`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import BulkChange, BulkRow, IAMUser, Organization, Person
from accounts.usecases.iam_users import checked_tags
from accounts.usecases.records import about, require_reason, tag_list
from portal.ledger.record import record

BULK_TASK = "accounts.tasks.decide_bulk_rows"
ASKS_TASK = "accounts.tasks.send_rotation_asks"
# One change of more would keep the account's lanes for hours; a filter makes several of it.
ROWS_AT_MOST = 10_000
# How long a worker may be silent before beat rings again; each goes on for a few seconds at a time.
LEASE = timedelta(minutes=3)

PERMISSIONS = {
    BulkChange.Kind.ADD_TO_GROUP: Permission.CHANGE_GROUPS,
    BulkChange.Kind.REMOVE_FROM_GROUP: Permission.CHANGE_GROUPS,
    BulkChange.Kind.SET_TAG: Permission.TAG_IAM_USER,
    BulkChange.Kind.ASSIGN: Permission.ASSIGN_IAM_USER,
    BulkChange.Kind.DELETE: Permission.DELETE_IAM_USER,
    BulkChange.Kind.CSV: Permission.CREATE_IAM_USER,
    BulkChange.Kind.ASK_TO_ROTATE: Permission.CHANGE_ACCESS_KEYS,
    BulkChange.Kind.ROTATE_KEY: Permission.CREATE_ACCESS_KEY,
    BulkChange.Kind.MAKE_KEY_INACTIVE: Permission.CHANGE_ACCESS_KEYS,
    BulkChange.Kind.MAKE_KEY_ACTIVE: Permission.CHANGE_ACCESS_KEYS,
}


@transaction.atomic
def start_bulk_change(
    *,
    by: Person,
    organization: Organization,
    kind: str,
    change: dict[str, Any],
    iam_users: Collection[int],
    at: datetime,
    reason: str = "",
) -> BulkChange:
    """Begin one change of many IAM users, named by their ids. Whether it may be is asked for each when its turn comes.

    :raises access.NotThere: when one of them is not the person's to see. :raises access.NotAllowed: when no duty of
        theirs allows the change anywhere.
    :raises ValidationError: when none is chosen, more than 10,000 are, or the change itself is none.
    """
    access.require_anywhere(by=by, to=PERMISSIONS[BulkChange.Kind(kind)], organization=organization)
    _check_change(BulkChange.Kind(kind), change, reason)
    rows = _chosen(by=by, organization=organization, ids=set(iam_users))
    bulk_change = BulkChange.objects.create(
        organization=organization, by=by, kind=kind, change=change, reason=reason.strip(), created_at=at,
        state=BulkChange.State.RUNNING, lease_until=at,
    )  # fmt: skip
    BulkRow.objects.bulk_create(
        [
            BulkRow(organization=organization, bulk_change=bulk_change, position=place, iam_user=row, name=name_of(row))
            for place, row in enumerate(rows, start=1)
        ],
        batch_size=1000,
    )
    begin(bulk_change=bulk_change, by=by, count=len(rows), at=at)
    return bulk_change


def begin(*, bulk_change: BulkChange, by: Person, count: int, at: datetime) -> None:
    """Write down that it was begun, inside a use-case that has asked whether it may be, and have workers told."""
    record(
        organization=bulk_change.organization,
        kind=Kind.BULK_STARTED,
        by=by,
        subject=about(bulk_change),
        at=at,
        reason=bulk_change.reason,
        details={"kind": bulk_change.kind, "change": _told(bulk_change), "rows": count},
    )
    transaction.on_commit(lambda: ring(bulk_change.pk), robust=True)


def ring(bulk_change_id: int) -> None:
    """Tell a worker that rows wait to be decided; where nobody hears it, beat finds them."""
    current_app.send_task(BULK_TASK, args=[bulk_change_id], queue="bulk", retry=False, ignore_result=True)


def ring_for_mails() -> None:
    """Tell a worker that people wait to be told what they were asked; where nobody hears it, beat finds them."""
    current_app.send_task(ASKS_TASK, queue="bulk", retry=False, ignore_result=True)


def name_of(iam_user: IAMUser) -> str:
    """What a row calls its IAM user, also when that has another name by then: "ledger-reader in acme-prod"."""
    return f"{iam_user.user_name} in {iam_user.account.name}"


def _chosen(*, by: Person, organization: Organization, ids: set[int]) -> list[IAMUser]:
    if not ids:
        raise ValidationError("Select at least one IAM user.")
    if len(ids) > ROWS_AT_MOST:
        raise ValidationError(f"Change at most {ROWS_AT_MOST:,} IAM users at once: narrow the list by a filter.")
    seen = IAMUser.objects.seen_in(organization, by=by).select_related("account")
    light = seen.only("user_name", "organization_id", "account__name")
    rows = [row for start in range(0, len(ids), 500) for row in light.filter(pk__in=sorted(ids)[start : start + 500])]
    if len(rows) != len(ids):
        raise access.NotThere
    return sorted(rows, key=lambda row: (row.user_name, row.account.name, row.pk))


def _check_change(kind: BulkChange.Kind, change: dict[str, Any], reason: str) -> None:
    if kind in {BulkChange.Kind.ADD_TO_GROUP, BulkChange.Kind.REMOVE_FROM_GROUP} and not change["group"].strip():
        raise ValidationError({"group": "Say which group."})
    if kind == BulkChange.Kind.SET_TAG:
        checked_tags({change["key"]: change["value"]})
    if kind == BulkChange.Kind.ASSIGN and not any(change.values()):
        raise ValidationError("Choose a team or an owner, or say what it is for.")
    if kind == BulkChange.Kind.DELETE:
        require_reason(reason)


def _told(bulk_change: BulkChange) -> list[dict[str, str]]:
    """The change as the ledger keeps it: people's words, such as a tag's key, stand in values there."""
    if bulk_change.kind == BulkChange.Kind.SET_TAG:
        return tag_list({bulk_change.change["key"]: bulk_change.change["value"]})
    return tag_list({name: str(value) for name, value in bulk_change.change.items() if value})
