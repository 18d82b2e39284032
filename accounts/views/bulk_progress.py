"""What the page of a bulk change shows: how many rows stand where, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.utils import timezone

from accounts.models import BulkChange, BulkRow
from accounts.usecases import csv_plan
from accounts.views import states
from accounts.views.organization import PortalRequest
from accounts.views.states import Shown
from portal.ledger.models import Delivery

PER_PAGE = 50
TONES = {
    BulkRow.State.PENDING: "pending",
    BulkRow.State.DECIDED: "ok",
    BulkRow.State.REFUSED: "danger",
    BulkRow.State.UNCHANGED: "neutral",
}
# What a list of rows can be narrowed to, in the order in which people look.
SHOWN = ("", BulkRow.State.REFUSED, BulkRow.State.DECIDED, BulkRow.State.PENDING, BulkRow.State.UNCHANGED)


@dataclass(frozen=True)
class Line:
    """One row as the page shows it."""

    row: BulkRow
    shown: Shown
    words: str


def context(request: PortalRequest, bulk_change: BulkChange) -> dict[str, Any]:
    """All that the page needs, and the part of it that is asked for again while something moves."""
    now = timezone.now()
    counts = bulk_change.rows.all().count_by_state()
    creates = bulk_change.rows.filter(iam_user__isnull=True).count()
    on_the_way = bulk_change.rows.all().count_on_their_way()
    total = sum(counts.values())
    is_running = bulk_change.state == BulkChange.State.RUNNING
    asked = request.GET.get("rows", "")
    rows = bulk_change.rows.filter(state=asked) if asked in BulkRow.State.values else bulk_change.rows.all()
    page = Paginator(_with_deliveries(rows), PER_PAGE).get_page(request.GET.get("page"))
    return {
        "bulk_change": bulk_change,
        "counts": counts,
        # Of a plan: what it would do.
        "creates": creates,
        "changes": counts["pending"] - creates,
        "on_the_way": on_the_way,
        "arrived": counts["decided"] - on_the_way["stuck"] - on_the_way["pending"],
        "total": total,
        "done": total - counts["pending"],
        "is_moving": is_running or bool(on_the_way["pending"]),
        "is_plan": bulk_change.state == BulkChange.State.PLANNED,
        "is_expired": bulk_change.is_expired(at=now),
        "page": page,
        "lines": [_line(row, at=now) for row in page],
        "tabs": _tabs(bulk_change, counts, total, asked),
        "query": request.GET.urlencode(),
    }


def _with_deliveries(rows: Any) -> Any:
    return rows.order_by("position").select_related("bulk_change").prefetch_related("entries__deliveries")


def _line(row: BulkRow, *, at: datetime) -> Line:
    deliveries = [delivery for entry in row.entries.all() for delivery in entry.deliveries.all()]
    told = sorted(deliveries, key=lambda one: (one.state != Delivery.State.STUCK, not one.is_open, one.sequence))
    words = row.sentence or csv_plan.in_words(row.plan)
    if row.bulk_change.state == BulkChange.State.PLANNED:
        return Line(row, _planned(row), words)
    if row.state == BulkRow.State.DECIDED and told:
        return Line(row, states.of_delivery(told[0], at=at), words)
    return Line(row, Shown(row.get_state_display(), TONES[BulkRow.State(row.state)]), words)


def _planned(row: BulkRow) -> Shown:
    """What a plan will do with one row."""
    if row.state == BulkRow.State.UNCHANGED:
        return Shown("Left alone", "neutral")
    return Shown("Change", "waiting") if row.iam_user_id else Shown("Create", "ok")


def _tabs(bulk_change: BulkChange, counts: dict[str, int], total: int, asked: str) -> list[dict[str, Any]]:
    words = {"": "All", **{state.value: state.label for state in BulkRow.State}}
    if bulk_change.state == BulkChange.State.PLANNED:
        words[BulkRow.State.PENDING] = "To be done"
    return [
        {
            "address": f"?rows={name}" if name else "?",
            "words": words[name],
            "is_here": asked == name,
            "count": counts[name] if name else total,
        }
        for name in SHOWN
        if not name or counts[name]
    ]
