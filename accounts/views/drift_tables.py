"""The two lists of the drift page: what waits for a decision, and what became of the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.functional import cached_property

from accounts.kinds import Kind
from accounts.models import Drift
from accounts.views import differences, states
from accounts.views.tables import PRIMARY, SECONDARY, STATE, PagedTable, badge
from portal.ledger.models import Entry

ACTIONS = {"td": {"class": "actions"}, "th": {"class": "actions"}}
# There are two of them on one page, and a row says more than a line.
PER_PAGE = 25
DECISIONS = (Kind.DRIFT_ADOPTED, Kind.DRIFT_REVERTED)


class OpenDriftTable(PagedTable):
    """Differences that somebody has to decide about, IAM user by IAM user."""

    per_page = PER_PAGE

    iam_user = tables.Column(
        "IAM user", accessor="iam_user__user_name", order_by=("iam_user__user_name", "attribute"), attrs=PRIMARY
    )
    differences = tables.Column("Decided here → AWS holds", empty_values=(), orderable=False, attrs=SECONDARY)
    read_at = tables.Column("Read", attrs=SECONDARY)
    actions = tables.Column("", empty_values=(), orderable=False, attrs=ACTIONS)

    class Meta:
        model = Drift
        fields = ("iam_user", "differences", "read_at", "actions")
        order_by = ("iam_user",)
        prefix = "open-"

    def __init__(self, *args: Any, may_decide: bool, are_chosen: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._may_decide, self._are_chosen = may_decide, are_chosen
        if not may_decide:
            self.columns.hide("actions")

    def render_iam_user(self, record: Drift) -> str:
        shown = {"drift": record, "may_decide": self._may_decide, "is_chosen": self._are_chosen}
        return render_to_string("accounts/_drift_iam_user.html", shown)

    def render_differences(self, record: Drift) -> str:
        return render_to_string("accounts/_differences.html", {"difference": differences.of(record)})

    def render_read_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})

    def render_actions(self, record: Drift) -> str:
        # Relative to the page's own address, which would stand there with each row.
        return render_to_string(
            "accounts/_drift_actions.html", {"drift": record, "adopt": "adopt/", "revert": "revert/"}
        )


class PastDriftTable(PagedTable):
    """What was decided, was adopted by itself, or ended; what was seen last first."""

    per_page = PER_PAGE

    iam_user = tables.Column(
        "IAM user",
        accessor="iam_user__user_name",
        linkify=("iam_user", [tables.A("iam_user_id")]),
        orderable=False,
        attrs=PRIMARY,
    )
    state = tables.Column("Outcome", orderable=False, attrs=STATE)
    differences = tables.Column("What changed", empty_values=(), orderable=False, attrs=SECONDARY)
    by = tables.Column("By", empty_values=(), orderable=False)
    ended_at = tables.Column("When", orderable=False, attrs=SECONDARY)

    class Meta:
        model = Drift
        fields = ("iam_user", "state", "differences", "by", "ended_at")
        prefix = "past-"

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at

    @cached_property
    def _entries(self) -> dict[int, Entry]:
        """Who decided about the rows of this page, by the drift that the entry names, in two queries."""
        page = list(self.page.object_list.data if self.page else self.data)
        if not page:
            return {}
        about = [str(drift.iam_user_id) for drift in page]
        entries = Entry.objects.of(page[0].organization).filter(
            kind__in=DECISIONS, subject_type="iam_user", subject_id__in=about
        )
        return {entry.details["drift"]: entry for entry in entries.prefetch_related("deliveries")}

    @property
    def is_moving(self) -> bool:
        """Whether something on this page is still on its way to AWS."""
        return any(
            states.of_past_drift(drift, self._entries.get(drift.pk), at=self._at).is_moving
            for drift in self.page.object_list.data
        )

    def render_state(self, record: Drift) -> str:
        shown = states.of_past_drift(record, self._entries.get(record.pk), at=self._at)
        return badge(shown.words, shown.tone)

    def render_differences(self, record: Drift) -> str:
        return render_to_string("accounts/_differences.html", {"difference": differences.of(record)})

    def render_by(self, record: Drift) -> str:
        entry = self._entries.get(record.pk)
        return "" if entry is None else entry.by_name

    def render_ended_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})
