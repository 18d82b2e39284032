"""Counting no further than people read: a list of a million says "more than 10,000"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

COUNTED_AT_MOST = 10_000


@dataclass(frozen=True)
class Counted:
    """How many there are; of more than are counted only that they are more."""

    number: int
    is_more: bool = False

    def __str__(self) -> str:
        return f"more than {self.number:,}" if self.is_more else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


def count_of(rows: QuerySet[Any], most: int = COUNTED_AT_MOST) -> Counted:
    """Count them, up to so many."""
    return counted(rows.order_by().values("pk")[: most + 1].count(), most)


def counted(found: int, most: int) -> Counted:
    """How many there are, of which at most one more than so many were looked at."""
    return Counted(most, is_more=True) if found > most else Counted(found)
