"""The ledger as a file: CSV for spreadsheets, JSON Lines for programs. Rows are streamed, never held."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access
from accounts.access import Permission
from accounts.usecases import ledger
from accounts.usecases.csv_file import harmless
from accounts.views.filters import EntryFilter
from accounts.views.organization import PortalRequest, organization_of
from portal.ledger.models import Entry

COLUMNS = (
    "sequence", "at", "kind", "by_id", "by_name", "subject_type", "subject_id", "subject_name", "reason", "ticket",
    "details", "hash",
)  # fmt: skip
FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
ROWS_AT_ONCE = 2000


@require_POST
def export(request: PortalRequest, form: str) -> HttpResponse | StreamingHttpResponse:
    """Export ledger: what the list's filters leave, oldest first, up to the entry that says so."""
    if form not in FORMS:
        raise Http404
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.EXPORT_LEDGER, organization=organization)
    filters = {name: request.POST.get(name, "") for name in EntryFilter.base_filters}
    narrowed = EntryFilter(filters, queryset=Entry.objects.of(organization), request=request)
    if not narrowed.is_valid():
        # A filter that cannot be read would leave the whole ledger, and the entry would say otherwise.
        messages.error(request, "The ledger cannot be narrowed so. Change the filters and export it again.")
        return redirect("ledger")
    entry = ledger.export_ledger(
        by=request.user, organization=organization, form=form, filters=filters, at=timezone.now()
    )
    entries = narrowed.qs.filter(sequence__lt=entry.sequence).order_by("sequence", "pk").iterator(ROWS_AT_ONCE)
    lines = csv_lines(entries) if form == "csv" else json_lines(entries)
    answer = StreamingHttpResponse(lines, content_type=FORMS[form])
    answer["Content-Disposition"] = f'attachment; filename="ledger-{organization.slug}-{entry.sequence}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer


def may_export(request: PortalRequest) -> bool:
    """Whether the list offers it."""
    return access.may(by=request.user, to=Permission.EXPORT_LEDGER, organization=organization_of(request))


class Echo:
    """A file that gives back what is written, so that the csv module makes one line at a time."""

    def write(self, line: str) -> str:
        return line


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """RFC 4180, every cell quoted; a cell that a spreadsheet would compute begins with an apostrophe."""
    writer: Any = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(COLUMNS)
    for entry in entries:
        yield writer.writerow([harmless(str(value)) for value in _values(entry)])


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """One JSON object on each line."""
    for entry in entries:
        row = dict(zip(COLUMNS, _values(entry), strict=True)) | {"details": entry.details}
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _values(entry: Entry) -> list[Any]:
    facts = {name: getattr(entry, name) for name in COLUMNS}
    facts["at"] = entry.at.isoformat()
    facts["details"] = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
    return [facts[name] for name in COLUMNS]
