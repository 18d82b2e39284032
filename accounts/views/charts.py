"""Charts as shapes that a template draws: their colours come from the stylesheet, and a table stands behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F
from django.db.models.functions import TruncHour

from portal.ledger.models.delivery import DeliveryQuerySet

HOURS = 24
# The drawing's own units; the stylesheet decides how large they are.
WIDTH, HEIGHT, GAP = 720, 96, 6


@dataclass(frozen=True)
class Bar:
    """One hour: where its bar stands, how many deliveries ended in it, and how long they took on average."""

    hour: datetime
    count: int
    seconds: float | None
    x: float
    y: float
    width: float
    height: float

    @property
    def took(self) -> str:
        """The average time from decision to arrival, in words."""
        if self.seconds is None:
            return "-"
        return f"{self.seconds:.1f} s" if self.seconds < 120 else f"{self.seconds / 60:.0f} min"


def deliveries_per_hour(deliveries: DeliveryQuerySet, *, at: datetime) -> list[Bar]:
    """The last 24 hours, oldest first; an hour without any has a bar of no height."""
    first = at.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    took = ExpressionWrapper(F("done_at") - F("created_at"), output_field=DurationField())
    ended = deliveries.filter(state="done", done_at__gte=first).annotate(hour=TruncHour("done_at"))
    rows = {row["hour"]: row for row in ended.values("hour").annotate(count=Count("pk"), took=Avg(took)).order_by()}
    most = max((row["count"] for row in rows.values()), default=1)
    return [_bar(number, first + timedelta(hours=number), rows, most) for number in range(HOURS)]


def _bar(number: int, hour: datetime, rows: Mapping[datetime, Any], most: int) -> Bar:
    row, slot = rows.get(hour), WIDTH / HOURS
    count = row["count"] if row else 0
    height = round(HEIGHT * count / most, 1)
    seconds = row["took"].total_seconds() if row else None
    return Bar(hour, count, seconds, round(number * slot + GAP / 2, 1), HEIGHT - height, slot - GAP, height)


@dataclass(frozen=True)
class Part:
    """One part of a whole: a bar that lies, how long it is of 100, and where those that it counts are listed."""

    words: str
    count: int
    address: str
    length: float
    share: int
    tone: str


def parts(found: Sequence[tuple[str, int, str]], *, waiting_from: int) -> list[Part]:
    """Words, count and address of each; from that place on something should be done about them."""
    most, total = max((count for _, count, _ in found), default=0) or 1, sum(count for _, count, _ in found) or 1
    return [
        Part(
            words=words,
            count=count,
            address=address,
            length=round(100 * count / most, 1),
            share=round(100 * count / total),
            tone="waiting" if place >= waiting_from else "ok",
        )
        for place, (words, count, address) in enumerate(found)
    ]
