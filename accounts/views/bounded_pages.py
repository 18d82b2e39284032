"""One page of a list that is counted no further than people read (decision 0016)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet

from accounts.views.counts import COUNTED_AT_MOST, Counted, count_of

PER_PAGE = 50
LAST_PAGE = COUNTED_AT_MOST // PER_PAGE


def page_number(text: str) -> int:
    """From an address; the first page where it names none."""
    return min(int(text), LAST_PAGE) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) else 1


@dataclass(frozen=True, kw_only=True)
class BoundedPage:
    """The ids of the rows of one page; `rows` are all that fit, `assignable` the ids of teams whose rows one ticks.

    The rows of a page are found first, by their ids alone, and read after that. Rows are counted up to `most`; of more
    that fit so many are found and listed. Only a list that `is_whole`, which has an index in its own order, goes on.
    """

    rows: QuerySet[Any]
    number: int
    assignable: Collection[int | None]
    at: datetime
    is_whole: bool = False
    most: int = COUNTED_AT_MOST

    @cached_property
    def count(self) -> Counted:
        """How many fit in all."""
        return count_of(self.rows, self.most)

    @property
    def is_cut(self) -> bool:
        """Whether more fit than are listed."""
        return self.count.is_more and not self.is_whole

    @property
    def first(self) -> int:
        """The place of the page's first row, counted from 1."""
        return (self.number - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        """The place of its last."""
        return self.first + len(self.ids[:PER_PAGE]) - 1

    @property
    def previous(self) -> int:
        """The page before, 0 where there is none."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The page after, 0 where there is none."""
        return self.number + 1 if len(self.ids) > PER_PAGE and self.number < LAST_PAGE else 0

    @cached_property
    def ids(self) -> list[int]:
        """Those of the page's rows, and one more where another page follows."""
        if not self.count:
            return []
        rows = self.rows
        if not self.is_whole or not self.count.is_more:
            model: type[Model] = rows.model
            rows = model._default_manager.filter(pk__in=rows.order_by().values("pk")[: self.most])
        return list(self.in_order(rows).values_list("pk", flat=True)[self.first - 1 : self.first + PER_PAGE])

    def in_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows as they are listed."""
        raise NotImplementedError
