"""The team's list."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access
from accounts.access import Permission
from accounts.ownership import unassigned_of
from accounts.views.bounded_pages import SEARCHED_AT_MOST, page_number
from accounts.views.counts import count_of
from accounts.views.headings import Heading, heading, narrowing_of
from accounts.views.iam_user_filter import IAMUserFilter, narrowed
from accounts.views.iam_user_rows import BY_NAME, SORTS, IAMUserPage, Order
from accounts.views.organization import PortalRequest, organization_of

# Heading, what it sorts by, and what becomes of the column at 390 px, where a row has two lines.
COLUMNS = (
    ("IAM user", BY_NAME, "primary"),
    ("State", "", "state"),
    ("AWS account", "account", "secondary"),
    ("For", "owner", "wide"),
    ("Team", "team", "wide"),
    ("Oldest key", "keys", "secondary"),
    ("MFA", "", "wide"),
    ("Last used", "used", "wide"),
)


@require_GET
def iam_users(request: PortalRequest) -> HttpResponse:
    """The IAM users that the person looks after or may see, in the organization they are looking at."""
    filters = narrowed(request, request.GET)
    page = IAMUserPage(
        is_whole="unassigned" in filters.filters and not _asked(request, filters),
        is_search=bool(request.GET.get("q")),
        rows=filters.qs,
        order=Order.read(request.GET.get("sort", "")),
        number=page_number(request.GET.get("page", "")),
        assignable=_assignable(request),
        rotate_after_days=organization_of(request).rotate_after_days,
        at=timezone.now(),
    )
    # While somebody types into the search, htmx asks for the table alone.
    template = "accounts/_iam_user_table.html" if request.htmx else "accounts/iam_users.html"
    return render(request, template, _context(request, filters, page))


def _context(request: PortalRequest, filters: IAMUserFilter, page: IAMUserPage) -> dict[str, Any]:
    organization, person = organization_of(request), request.user
    allowed = access.permissions_in(by=person, organization=organization)
    asked, selected = _asked(request, filters), request.GET.get("select", "") if page.assignable else ""
    is_unassigned = "unassigned" in asked and filters.is_valid()
    return {
        "filter": filters,
        "page": page,
        "headings": [_heading(request, page, *column) for column in _columns(is_unassigned=is_unassigned)],
        "selected": selected,
        "is_selecting": bool(page.assignable) and selected != "all",
        "narrowing": narrowing_of(request),
        "tabs": _tabs(request, filters, is_unassigned=is_unassigned),
        "is_unassigned": is_unassigned,
        "is_filtered": bool(asked),
        "has_more_filters": bool(asked & {"kind", "keys", "sign_in", "use", "state"}),
        "may_create": Permission.CREATE_IAM_USER in allowed,
        "may_change": bool(page.assignable),
        "may_export": Permission.EXPORT_IAM_USERS in allowed,
        "may_change_ownership": Permission.CHANGE_OWNERSHIP in allowed,
        "may_rotate": bool(allowed & {Permission.CHANGE_ACCESS_KEYS}),
        "may_see_overview": Permission.VIEW_ORGANIZATION in allowed,
    }


def _asked(request: PortalRequest, filters: IAMUserFilter) -> set[str]:
    return {name for name in filters.filters if request.GET.get(name)}


def _columns(*, is_unassigned: bool) -> list[tuple[str, str, str]]:
    missing = [("Missing", "", "secondary")] if is_unassigned else []
    return [*COLUMNS[:3], *missing, *COLUMNS[3:]]


def _heading(request: PortalRequest, page: IAMUserPage, words: str, name: str, place: str) -> Heading:
    if name not in SORTS or (page.count.is_more and name != BY_NAME):
        return Heading(words, place)
    return heading(
        request, words, name, place, is_here=page.order.name == name and page.is_sorted,
        is_descending=page.order.is_descending,
    )  # fmt: skip


def _tabs(request: PortalRequest, filters: IAMUserFilter, *, is_unassigned: bool) -> list[dict[str, Any]]:
    """All and the unassigned, for those who may look for these; nothing for others."""
    if "unassigned" not in filters.filters:
        return []
    address = reverse("team")
    return [
        {"address": address, "words": "All", "is_here": not is_unassigned},
        {
            "address": f"{address}?unassigned=any",
            "words": "Unassigned",
            "is_here": is_unassigned,
            "count": count_of(unassigned_of(organization_of(request)), SEARCHED_AT_MOST),
        },
    ]


def _assignable(request: PortalRequest) -> frozenset[int | None]:
    """The ids of the teams whose IAM users the person may assign; None is among them for those without a team."""
    person, organization, to = request.user, organization_of(request), Permission.ASSIGN_IAM_USER
    teams = access.teams_for(by=person, to=to, organization=organization).values_list("pk", flat=True)
    nobodys = {None} if access.may(by=person, to=to, organization=organization) else set()
    return frozenset(teams) | nobodys
