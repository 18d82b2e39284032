"""Teams: the list, and the page of one with its people, its IAM users and its envelope."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_tables2 import SingleTableView

from accounts import access, limits
from accounts.access import Permission
from accounts.forms import decided
from accounts.kinds import in_words
from accounts.models import Duty, Envelope, IAMUser, Membership, Team
from accounts.usecases import envelopes, memberships, teams
from accounts.views import dialogs
from accounts.views.iam_user_filter import rule_in_words
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.people_forms import TeamForm
from accounts.views.people_tables import TeamTable
from accounts.views.tables import PAGE
from portal.ledger.models import Entry

HISTORY_LENGTH = 10


class TeamList(SingleTableView):
    """The organization's teams, as far as the person sees them."""

    request: PortalRequest
    table_class = TeamTable
    template_name = "accounts/teams.html"
    table_pagination = PAGE

    def get_queryset(self) -> QuerySet[Team]:
        return _with_counts(_teams(self.request))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person, organization = self.request.user, organization_of(self.request)
        return super().get_context_data(**kwargs) | {
            "may_create": access.may(by=person, to=Permission.CHANGE_TEAMS, organization=organization),
            "may_change_rule": access.may(by=person, to=Permission.CHANGE_ROTATION_RULE, organization=organization),
            "rule": rule_in_words(organization),
        }


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One team."""
    team, person = find(request, pk), request.user
    organization = team.organization
    own = Envelope.objects.visible_to(person).filter(team=team).select_related("permissions_boundary").first()
    may_change_envelope = access.may(by=person, to=Permission.CHANGE_ENVELOPE, organization=organization)
    may_ask = access.may(by=person, to=Permission.MAKE_REQUEST, organization=organization, team=team)
    context = {
        "team": team,
        "people": _people(request, team),
        "room": limits.room_of(team),
        "envelope": own,
        "content": envelopes.content_of(own),
        "history": [_moment(entry) for entry in Entry.objects.of(organization).about("team", team.pk)
                    .order_by("-sequence")[:HISTORY_LENGTH]],
        "may_rename": access.may(by=person, to=Permission.CHANGE_TEAMS, organization=organization),
        "may_change_envelope": may_change_envelope,
        "may_request_envelope": may_ask and not may_change_envelope,
        "may_invite": access.may(by=person, to=Permission.INVITE_PERSON, organization=organization, team=team),
    }  # fmt: skip
    return render(request, "accounts/team.html", context)


@require_http_methods(["GET", "POST"])
def create(request: PortalRequest) -> HttpResponse:
    """Create team."""
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.CHANGE_TEAMS, organization=organization)
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        team = decided(form, teams.create_team, **what)
        if team is not None:
            return dialogs.done(request, reverse("team_detail", args=[team.pk]))
    return dialogs.show(request, title="Create team", form=form, button="Create team", back=reverse("teams"))


@require_http_methods(["GET", "POST"])
def rename(request: PortalRequest, pk: int) -> HttpResponse:
    """Rename team."""
    team = find(request, pk)
    access.require(by=request.user, to=Permission.CHANGE_TEAMS, organization=team.organization)
    form, page = TeamForm(request.POST or None, initial={"name": team.name}), reverse("team_detail", args=[pk])
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "team": team, "at": timezone.now(), **form.cleaned_data}
        if decided(form, teams.rename_team, **what) is not None:
            return dialogs.done(request, page)
    return dialogs.show(request, title=f"Rename team {team}", form=form, button="Rename team", back=page)


def find(request: PortalRequest, pk: int) -> Team:
    """The team, if the person sees it in the organization that they are looking at; else 404."""
    return get_object_or_404(_teams(request).select_related("organization"), pk=pk)


def _teams(request: PortalRequest) -> QuerySet[Team]:
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.VIEW_PEOPLE, organization=organization)
    return Team.objects.visible_to(request.user).filter(organization=organization)


def _with_counts(rows: QuerySet[Team]) -> QuerySet[Team]:
    """With the leads of each, how many people and IAM users it has, and how many it may have."""
    present = IAMUser.objects.present().filter(team=OuterRef("pk")).order_by().values("team")
    leads = Membership.objects.active().filter(duty=Duty.LEAD).select_related("person").order_by("person__name", "pk")
    active = Q(membership__ended_at__isnull=True, membership__person__is_active=True)
    return (
        Team.objects.filter(pk__in=rows.values("pk"))
        .annotate(
            people=Count("membership__person", filter=active, distinct=True),
            iam_user_count=Coalesce(Subquery(present.annotate(n=Count("pk")).values("n")), 0),
            limit=Subquery(Envelope.objects.filter(team=OuterRef("pk")).values("iam_user_limit")[:1]),
        )
        .prefetch_related(Prefetch("membership_set", queryset=leads, to_attr="leading"))
    )


def _people(request: PortalRequest, team: Team) -> list[tuple[Membership, str]]:
    rows = Membership.objects.visible_to(request.user).active().filter(team=team).select_related("person")
    return [(row, memberships.in_words(row.duty, None)) for row in rows.in_order_of_duty()]


def _moment(entry: Entry) -> dict[str, Any]:
    return {"entry": entry, "words": in_words(entry.kind)}
