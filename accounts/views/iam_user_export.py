"""The list of IAM users as a file: what its filters leave, as CSV that can be given back. Rows are streamed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.models import IAMUser
from accounts.usecases import ledger
from accounts.usecases.csv_file import BETWEEN, COLUMNS, FACTS, harmless
from accounts.views.exports import Echo
from accounts.views.iam_user_filter import narrowed
from accounts.views.organization import PortalRequest, organization_of

ROWS_AT_ONCE = 500


@require_POST
def export(request: PortalRequest) -> HttpResponse | StreamingHttpResponse:
    """Export IAM users: those that the list's filters leave, by account and name."""
    organization, now = organization_of(request), timezone.now()
    query = QueryDict(request.POST.get("narrowing", ""))
    filters = narrowed(request, query)
    if not filters.is_valid():
        messages.error(request, "The list cannot be narrowed so. Change the filters and export it again.")
        return redirect("team")
    told = {name: query.get(name, "") for name in filters.filters}
    ledger.export_iam_users(by=request.user, organization=organization, filters=told, at=now)
    rows = filters.qs.with_facts().order_by("account", "user_name", "pk")
    answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="iam-users-{organization.slug}-{now:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def csv_lines(rows: Any) -> Iterator[str]:
    """RFC 4180, every cell quoted; a cell that a spreadsheet would compute begins with an apostrophe."""
    writer: Any = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    # A spreadsheet takes a file without the mark for one of another encoding (ECMA, Unicode signature).
    yield "\ufeff" + writer.writerow([*COLUMNS, *FACTS])
    for iam_user in _with_groups(rows.iterator(ROWS_AT_ONCE)):
        yield writer.writerow([harmless(cell) for cell in _cells(iam_user)])


def _with_groups(rows: Iterable[IAMUser]) -> Iterator[IAMUser]:
    """The rows with their groups, as many at once as are held."""
    source = iter(rows)
    while part := list(islice(source, ROWS_AT_ONCE)):
        prefetch_related_objects(part, "group_memberships__iam_group")
        yield from part


def _cells(iam_user: IAMUser) -> list[str]:
    keys = [key for key in iam_user.access_keys.all() if key.gone_at is None]
    active = [key.create_date for key in keys if key.status == "Active"]
    profile = getattr(iam_user, "login_profile", None)
    uses = [key.last_used_date for key in keys] + [profile.password_last_used if profile else None]
    used = max((use for use in uses if use is not None), default=None)
    groups = sorted(row.iam_group.group_name for row in iam_user.group_memberships.all())
    return [
        iam_user.user_name,
        iam_user.account.account_id,
        iam_user.team.name if iam_user.team else "",
        iam_user.kind,
        iam_user.owner.email if iam_user.owner else "",
        iam_user.purpose,
        BETWEEN.join(groups),
        BETWEEN.join(f"{key}={value}" for key, value in sorted(iam_user.peoples_tags.items())),
        iam_user.arn,
        min(active).date().isoformat() if active else "",
        "yes" if iam_user.has_mfa else "no",
        used.date().isoformat() if used else "",
        iam_user.create_date.date().isoformat() if iam_user.create_date else "",
    ]
