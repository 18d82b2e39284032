"""The list of offboardings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import django_tables2 as tables
from django.template.loader import render_to_string

from accounts.models import Offboarding
from accounts.views import states
from accounts.views.tables import PRIMARY, SECONDARY, STATE, PagedTable, badge


class OffboardingTable(PagedTable):
    """Offboardings, newest first."""

    person = tables.Column("Person", accessor="person__name", linkify=("offboarding", [tables.A("pk")]), attrs=PRIMARY)
    state = tables.Column("State", attrs=STATE)
    begun_at = tables.Column("Begun", attrs=SECONDARY)
    begun_by = tables.Column("By", accessor="begun_by__name")
    delete_after = tables.Column("Deleted after")

    class Meta:
        model = Offboarding
        fields = ("person", "state", "begun_at", "begun_by", "delete_after")
        order_by = ("-begun_at", "-pk")
        empty_text = "Nobody is being offboarded"

    def __init__(self, *args: Any, late: Collection[int], **kwargs: Any) -> None:
        """`late`: the ids of those that have not arrived in AWS in time."""
        super().__init__(*args, **kwargs)
        self._late = late

    def render_state(self, record: Offboarding) -> str:
        shown = states.of_offboarding(record, is_late=record.pk in self._late)
        return badge(shown.words, shown.tone)

    def render_begun_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})

    def render_delete_after(self, value: datetime, record: Offboarding) -> str:
        if record.state == Offboarding.State.UNDONE:
            return "Not deleted"
        return render_to_string("components/_time.html", {"when": value})
