"""One page of a list that is counted no further than people read (decision 0016)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet

from accounts.views.counts import COUNTED_AT_MOST, Counted, count_of, counted

PER_PAGE = 50
# Whoever finds more of a name types more of it, and more that are unassigned are assigned by rules.
SEARCHED_AT_MOST = 1_000
LAST_PAGE = COUNTED_AT_MOST // PER_PAGE


def page_number(text: str) -> int:
    """From an address; the first page where it names none."""
    return min(int(text), LAST_PAGE) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) else 1


@dataclass(frozen=True, kw_only=True)
class BoundedPage:
    """The ids of the rows of one page; `rows` are all that fit, `assignable` the ids of teams whose rows one ticks.

    The rows of a page are found first, by their ids alone, and read after that. Rows are counted up to `most`; of more
    that fit so many are found and listed. Only a list that `is_whole`, which has an index in its own order, goes on.
    What fits an `is_search` is looked for once, which is what takes the time.
    """

    rows: QuerySet[Any]
    number: int
    assignable: Collection[int | None]
    at: datetime
    is_whole: bool = False
    is_search: bool = False

    @property
    def most(self) -> int:
        """As many as are counted, and listed where they are not the whole."""
        return SEARCHED_AT_MOST if self.is_search else COUNTED_AT_MOST

    @cached_property
    def count(self) -> Counted:
        """How many fit in all."""
        return count_of(self.rows, self.most) if self._fitting is None else counted(len(self._fitting), self.most)

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
        return list(self.in_order(self._listed).values_list("pk", flat=True)[self.first - 1 : self.first + PER_PAGE])

    @cached_property
    def _fitting(self) -> list[int] | None:
        """Those of a search, and one more where not all are listed."""
        return list(self.rows.order_by().values_list("pk", flat=True)[: self.most + 1]) if self.is_search else None

    @property
    def _listed(self) -> QuerySet[Any]:
        """All that fit, or as many of them as are listed."""
        model: type[Model] = self.rows.model
        if self._fitting is not None:
            return model._default_manager.filter(pk__in=self._fitting[: self.most])
        if self.is_cut:
            return model._default_manager.filter(pk__in=self.rows.order_by().values("pk")[: self.most])
        return self.rows

    def in_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows as they are listed."""
        raise NotImplementedError
