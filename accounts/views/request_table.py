"""The list of requests."""

from __future__ import annotations

from datetime import datetime

import django_tables2 as tables
from django.template.loader import render_to_string

from accounts import requestable
from accounts.models import Request
from accounts.views import states
from accounts.views.tables import PRIMARY, SECONDARY, STATE, PagedTable, badge


class RequestTable(PagedTable):
    """Requests, newest first."""

    what = tables.Column("What", accessor="pk", orderable=False, linkify=("request", [tables.A("pk")]), attrs=PRIMARY)
    state = tables.Column("State", attrs=STATE)
    made_by = tables.Column("Who asks", accessor="made_by__name", attrs=SECONDARY)
    account = tables.Column("AWS account", accessor="account__name", default="")
    made_at = tables.Column("Asked", attrs=SECONDARY)
    expires_at = tables.Column("Expires")

    class Meta:
        model = Request
        fields = ("what", "state", "made_by", "account", "made_at", "expires_at")
        order_by = ("-made_at",)
        empty_text = "Nothing was asked for"

    def render_what(self, record: Request) -> str:
        return requestable.of(record).words(record)

    def render_state(self, record: Request) -> str:
        shown = states.of_request(record)
        return badge(shown.words, shown.tone)

    def render_made_at(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})

    def render_expires_at(self, record: Request) -> str:
        return render_to_string("components/_time.html", {"when": record.expires_at}) if record.is_open else ""
