"""The key board: how old the access keys of a team or an organization are, and what should be done about them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.models import AccessKey, Team, conditions
from accounts.models.credentials import UNUSED_AFTER, AccessKeyQuerySet
from accounts.usecases import rotation_rule
from accounts.views import dialogs
from accounts.views.bounded_pages import page_number
from accounts.views.charts import Part, parts
from accounts.views.counts import count_of
from accounts.views.headings import Heading, heading, narrowing_of
from accounts.views.iam_user_filter import KEY_AGES, first_late_age, rule_in_words
from accounts.views.key_board_filter import KeyBoardFilter, narrowed
from accounts.views.key_board_rows import BY_AGE, SORTS, KeyOrder, KeyPage
from accounts.views.key_forms import RotationRuleForm
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.overview import Tile

# Heading, what it sorts by, and what becomes of the column at 390 px, where a row has two lines.
COLUMNS = (
    ("Access key", "", "primary"),
    ("State", "", "state"),
    ("IAM user", "iam_user", "secondary"),
    ("Owner", "", "wide"),
    ("AWS account", "", "wide"),
    ("Age", BY_AGE, "secondary"),
    ("Last used", "used", "secondary"),
    ("Rotation", "", "wide"),
)


@require_GET
def board(request: PortalRequest) -> HttpResponse:
    """The access keys that the person looks after or may see, in the organization they are looking at."""
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
    filters = narrowed(request, request.GET)
    asked = {name for name in filters.filters if request.GET.get(name)}
    page = KeyPage(
        is_whole=not asked,
        is_search=bool(request.GET.get("q")),
        rows=filters.qs,
        order=KeyOrder.read(request.GET.get("sort", "")),
        rotate_after_days=organization.rotate_after_days,
        number=page_number(request.GET.get("page", "")),
        assignable=_changeable(request),
        at=timezone.now(),
    )
    context = _listed(request, filters, page) | {"is_filtered": bool(asked)}
    if request.htmx:
        return render(request, "accounts/_key_table.html", context)
    return render(request, "accounts/key_board.html", context | _counted(request, filters))


def _listed(request: PortalRequest, filters: KeyBoardFilter, page: KeyPage) -> dict[str, Any]:
    return {
        "filter": filters,
        "page": page,
        "headings": [_heading(request, page, *column) for column in COLUMNS],
        "may_change": bool(page.assignable),
        "selected": request.GET.get("select", "") if page.assignable else "",
        "narrowing": narrowing_of(request),
    }


def _heading(request: PortalRequest, page: KeyPage, words: str, name: str, place: str) -> Heading:
    if name not in SORTS or (page.count.is_more and name != BY_AGE):
        return Heading(words, place)
    return heading(
        request, words, name, place, is_here=page.order.name == name and page.is_sorted,
        is_descending=page.order.is_descending,
    )  # fmt: skip


def _counted(request: PortalRequest, filters: KeyBoardFilter) -> dict[str, Any]:
    """The numbers above the list, of the team that it is narrowed to or of all."""
    organization = organization_of(request)
    team = filters.form.cleaned_data.get("team") if filters.is_valid() else None
    rows = AccessKey.objects.present().seen_in(organization, by=request.user)
    rows = rows if team is None else rows.filter(iam_user__team=team)
    return {
        "team": team,
        "tiles": _tiles(request, rows, team),
        "ages": _ages(request, rows, team),
        "rule": rule_in_words(organization),
        "may_change_rule": access.may(by=request.user, to=Permission.CHANGE_ROTATION_RULE, organization=organization),
    }


def _address(team: Team | None, **query: str) -> str:
    of_team = {"team": str(team.pk)} if team is not None else {}
    return f"{reverse('key_board')}?{urlencode({**query, **of_team})}"


def _tiles(request: PortalRequest, rows: AccessKeyQuerySet, team: Team | None) -> list[Tile]:
    organization, now = organization_of(request), timezone.now()
    found: list[tuple[str, str, AccessKeyQuerySet]] = [
        (f"Overdue, over {organization.rotate_after_days} days", "overdue", rows.overdue(of=organization, at=now)),
        (f"Not used for {UNUSED_AFTER.days} days", "unused", rows.unused(at=now)),
        ("Never used", "never", rows.never_used()),
        ("Two active keys", "two", rows.beside_another()),
    ]
    return [Tile(words, count_of(which), _address(team, which=name), "waiting") for words, name, which in found]


def _ages(request: PortalRequest, rows: AccessKeyQuerySet, team: Team | None) -> list[Part]:
    """How many active keys are of each age, in one query."""
    now = timezone.now()
    of_each = {
        f"has_{name}": Count("pk", filter=conditions.is_of_age(at=now, older_than=older_than, up_to=up_to))
        for name, (_, older_than, up_to) in KEY_AGES.items()
    }
    counts = rows.active().aggregate(**of_each)
    found = [(words, counts[f"has_{name}"], _address(team, age=name)) for name, (words, _, _) in KEY_AGES.items()]
    return parts(found, waiting_from=first_late_age(organization_of(request)))


def _changeable(request: PortalRequest) -> frozenset[int | None]:
    """The ids of the teams whose access keys the person may change; None is among them for those without a team."""
    person, organization, to = request.user, organization_of(request), Permission.CHANGE_ACCESS_KEYS
    teams = access.teams_for(by=person, to=to, organization=organization).values_list("pk", flat=True)
    nobodys = {None} if access.may(by=person, to=to, organization=organization) else set()
    return frozenset(teams) | nobodys


@require_http_methods(["GET", "POST"])
def set_rule(request: PortalRequest) -> HttpResponse:
    """Set rotation rule."""
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.CHANGE_ROTATION_RULE, organization=organization)
    form = RotationRuleForm(request.POST or None, initial={"rotate_after_days": organization.rotate_after_days})
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        if decided(form, rotation_rule.set_rotation_rule, **what) is not None:
            return dialogs.done(request, reverse("key_board"))
    return dialogs.show(
        request, title="How long access keys may serve", form=form, button="Set rotation rule",
        back=reverse("key_board"),
        warning="What is overdue changes at once, on every page and in reminders. No key changes in AWS.",
    )  # fmt: skip
