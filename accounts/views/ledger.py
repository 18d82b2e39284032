"""The ledger, to look at."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from accounts import access
from accounts.access import Permission
from accounts.kinds import in_words
from accounts.views import exports, states
from accounts.views.filters import EntryFilter
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.tables import PAGE, EntryTable
from portal.ledger.models import Entry


class EntryList(SingleTableMixin, FilterView):
    """Who decided what."""

    request: PortalRequest
    table_class = EntryTable
    filterset_class = EntryFilter
    table_pagination = PAGE

    def get_template_names(self) -> list[str]:
        return ["accounts/_ledger_rows.html" if self.request.htmx else "accounts/ledger.html"]

    def get_queryset(self) -> QuerySet[Entry]:
        return _entries(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        subtitle = f"Who decided what in {organization_of(self.request)}, and why. Nothing here can be changed."
        context = super().get_context_data(**kwargs)
        return context | {"subtitle": subtitle, "may_export": exports.may_export(self.request)}


@require_GET
def entry(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """One entry with its deliveries."""
    row, now = get_object_or_404(_entries(request), pk=pk), timezone.now()
    deliveries = [(one, states.of_delivery(one, at=now)) for one in row.deliveries.order_by("pk")]
    context: dict[str, Any] = {
        "entry": row,
        "words": in_words(row.kind),
        "subtitle": f"Entry {row.sequence}, decided by {row.by_name}",
        "details": [{"words": _spaced(name), "value": _plain(value)} for name, value in sorted(row.details.items())],
        "deliveries": deliveries,
        "may_view_deliveries": access.may(
            by=request.user, to=Permission.VIEW_DELIVERIES, organization=row.organization
        ),
    }
    return render(request, "accounts/entry.html", context)


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _plain(value: object) -> str:
    """Tags as key = value, lists and other pairs with commas; everything else as it is written."""
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict) and set(value) == {"key", "value"}:
        return f"{value['key']} = {value['value']}"
    if isinstance(value, dict):
        return "; ".join(f"{_spaced(name)}: {_plain(inner) or 'none'}" for name, inner in sorted(value.items()))
    return "" if value is None else str(value)


def _entries(request: PortalRequest) -> QuerySet[Entry]:
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.VIEW_LEDGER, organization=organization)
    return Entry.objects.of(organization)
