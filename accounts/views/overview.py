"""The overview of a team, or of all that one sees: ages of keys, MFA, what is unused, what is on its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Max, Q, Sum, When
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access
from accounts.access import Permission
from accounts.models import AccessKey, IAMUser, Team, conditions
from accounts.models.iam_user import IAMUserQuerySet
from accounts.views.charts import Part, parts
from accounts.views.counts import count_of
from accounts.views.iam_user_filter import KEY_AGES, first_late_age, rule_in_words
from accounts.views.organization import PortalRequest, organization_of


@dataclass(frozen=True)
class Tile:
    """One number, and where those that it counts are listed."""

    words: str
    count: Any
    address: str
    tone: str = "neutral"


@require_GET
def overview(request: PortalRequest) -> HttpResponse:
    """The team that the address names, else all that the person sees here."""
    organization, now = organization_of(request), timezone.now()
    access.require_anywhere(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
    teams = access.teams_for(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
    team = _team(request, teams)
    rows = IAMUser.objects.seen_in(organization, by=request.user).present()
    rows = rows if team is None else rows.filter(team=team)
    context = {
        "team": team,
        "teams": teams.order_by("name", "pk"),
        "keys": _key_ages(request, rows, team, at=now),
        "age_words": f"IAM users with an active key of this age. {rule_in_words(organization)}",
        "board_address": reverse("key_board") + (f"?team={team.pk}" if team is not None else ""),
        "mfa": _mfa(rows, team),
        "tiles": _tiles(request, rows, team, at=now),
    }
    return render(request, "accounts/overview.html", context)


def _team(request: PortalRequest, teams: Any) -> Team | None:
    asked = request.GET.get("team", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
        raise access.NotThere
    return get_object_or_404(teams, pk=asked)


def _listed(team: Team | None, **query: str) -> str:
    """The list of IAM users, narrowed as the number is."""
    of_team = {"team": str(team.pk)} if team is not None else {}
    return f"{reverse('team')}?{urlencode({**of_team, **query})}"


def _key_ages(request: PortalRequest, rows: IAMUserQuerySet, team: Team | None, *, at: datetime) -> list[Part]:
    """How many IAM users have an active key of each age, in one query over the keys of each."""
    keys = AccessKey.objects.present().filter(iam_user__in=rows, status=AccessKey.Status.ACTIVE)
    of_each = {
        f"has_{name}": Max(Case(When(_aged(at, older_than, up_to), then=1), default=0))
        for name, (_, older_than, up_to) in KEY_AGES.items()
    }
    each = keys.order_by().values("iam_user").annotate(**of_each)
    counts = each.aggregate(**{name: Sum(f"has_{name}") for name in KEY_AGES})
    ages = [(words, counts[name] or 0, _listed(team, keys=name)) for name, (words, _, _) in KEY_AGES.items()]
    return parts(ages, waiting_from=first_late_age(organization_of(request)))


def _aged(at: datetime, older_than: int, up_to: int | None) -> Q:
    return conditions.is_of_age(at=at, older_than=older_than, up_to=up_to)


def _mfa(rows: IAMUserQuerySet, team: Team | None) -> list[Part]:
    """Of those with a console password, how many have an MFA device."""
    with_password = rows.filter(conditions.has_password())
    counts = with_password.annotate(device=conditions.has_mfa()).aggregate(
        mfa=Count("pk", filter=Q(device=True)), none=Count("pk", filter=Q(device=False))
    )
    found = [
        ("With MFA", counts["mfa"], _listed(team, sign_in="mfa")),
        ("Without MFA", counts["none"], _listed(team, sign_in="no-mfa")),
    ]
    return parts(found, waiting_from=1)


def _tiles(request: PortalRequest, rows: IAMUserQuerySet, team: Team | None, *, at: datetime) -> list[Tile]:
    organization = organization_of(request)
    rule = organization.rotate_after_days
    overdue = rows.filter(conditions.has_active_key(at=at, older_than=rule))
    return [
        Tile("IAM users", count_of(rows), _listed(team)),
        Tile(f"With a key over {rule} days old", count_of(overdue), _listed(team, keys="overdue"), "waiting"),
        Tile(
            "Not used in 45 days",
            count_of(rows.filter(conditions.is_unused(at=at))),
            _listed(team, use="unused"),
            "waiting",
        ),
        Tile(
            "Pending",
            count_of(rows.filter(conditions.is_on_its_way(organization))),
            _listed(team, state="pending"),
            "pending",
        ),
        Tile("Stuck", count_of(rows.filter(conditions.is_stuck(organization))), _listed(team, state="stuck"), "danger"),
        Tile("Drifted", count_of(rows.filter(conditions.has_open_drift())), _listed(team, state="drift"), "waiting"),
    ]
