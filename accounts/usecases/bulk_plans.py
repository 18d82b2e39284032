"""Deciding to apply a file of IAM users: it is planned whole, shown, and applied as it was shown or not at all."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.models import BulkChange, BulkRow, Organization, Person
from accounts.models.bulk_change import PLAN_LASTS
from accounts.usecases import csv_file
from accounts.usecases.bulk import begin
from accounts.usecases.csv_file import CSVRow
from accounts.usecases.csv_plan import Planned, Planner

OVER = "This plan was applied already, or is over an hour old. Give the file again."


@transaction.atomic
def plan_csv(
    *, by: Person, organization: Organization, name: str, content: bytes, at: datetime, reason: str = ""
) -> BulkChange:
    """Keep what the file would do, for an hour and for this person alone; nothing is decided by it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises csv_file.CSVRefused: with a sentence for each place that is wrong.
    """
    access.require_anywhere(by=by, to=Permission.CREATE_IAM_USER, organization=organization)
    planned = Planner(by=by, organization=organization).plan(csv_file.read(content))
    plan = BulkChange.objects.create(
        organization=organization, by=by, kind=BulkChange.Kind.CSV, change={"file": name[:100]},
        reason=reason.strip(), created_at=at, state=BulkChange.State.PLANNED,
    )  # fmt: skip
    BulkRow.objects.bulk_create(
        [
            BulkRow(
                organization=organization, bulk_change=plan, position=row.position, name=row.name,
                iam_user_id=row.iam_user, state=row.state, plan=row.plan,
            )
            for row in planned
        ],
        batch_size=1000,
    )  # fmt: skip
    return plan


@transaction.atomic
def apply_plan(*, by: Person, plan: BulkChange, at: datetime) -> BulkChange:
    """Begin it, if it would still do exactly what the person was shown.

    :raises access.NotThere: for another's plan. :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is too old, was applied, changes nothing, or would do something else by now.
    """
    _require_own(by=by, plan=plan)
    open_ones = BulkChange.objects.filter(pk=plan.pk, state=BulkChange.State.PLANNED, created_at__gt=at - PLAN_LASTS)
    # Of two who press at once the second finds nothing to claim.
    if open_ones.update(state=BulkChange.State.RUNNING, lease_until=at) != 1:
        raise ValidationError(OVER)
    rows = list(plan.rows.order_by("position"))
    cells = [CSVRow(row.position, row.plan["cells"]) for row in rows]
    _check_same(rows, Planner(by=by, organization=plan.organization).plan(cells))
    count = sum(row.state == BulkRow.State.PENDING for row in rows)
    if not count:
        raise ValidationError("Everything is as the file says already: there is nothing to apply.")
    begin(bulk_change=plan, by=by, count=count, at=at)
    return plan


@transaction.atomic
def discard_plan(*, by: Person, plan: BulkChange, at: datetime) -> None:
    """Let it go; nothing was decided by it.

    :raises access.NotThere: for another's plan. :raises ValidationError: when it was applied.
    """
    _require_own(by=by, plan=plan)
    deleted, _ = BulkChange.objects.filter(pk=plan.pk, state=BulkChange.State.PLANNED, created_at__lte=at).delete()
    if not deleted:
        raise ValidationError("This plan was applied already.")


def _require_own(*, by: Person, plan: BulkChange) -> None:
    if plan.by_id != by.pk or not BulkChange.objects.visible_to(by).filter(pk=plan.pk).exists():
        raise access.NotThere
    access.require_anywhere(by=by, to=Permission.CREATE_IAM_USER, organization=plan.organization)


def _check_same(rows: list[BulkRow], again: list[Planned]) -> None:
    for row, now in zip(rows, again, strict=True):
        if (row.iam_user_id, row.state, row.plan) != (now.iam_user, now.state, now.plan):
            raise ValidationError(
                f"Row {row.position}: {row.name} has changed since, and the file would do something else now. "
                "Give the file again."
            )
