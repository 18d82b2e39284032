"""The organization's people: the list with the open invitations, and the page of one person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind, in_words
from accounts.models import Duty, IAMUser, Invitation, Membership, Organization, Person
from accounts.usecases import memberships
from accounts.views import states
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.people_tables import PersonFilter, PersonTable
from accounts.views.tables import PAGE
from portal.ledger.models import Entry

HISTORY_LENGTH = 20
INVITATIONS_SHOWN = 100


class PersonList(SingleTableMixin, FilterView):
    """Who belongs to the organization, as far as the person sees them."""

    request: PortalRequest
    table_class = PersonTable
    filterset_class = PersonFilter
    table_pagination = PAGE

    def get_template_names(self) -> list[str]:
        """While somebody types into the search, htmx asks for the table alone."""
        return ["accounts/_table.html" if self.request.htmx else "accounts/people.html"]

    def get_queryset(self) -> QuerySet[Person]:
        return _people(self.request)

    def get_filterset_kwargs(self, filterset_class: type[PersonFilter]) -> dict[str, Any]:
        return super().get_filterset_kwargs(filterset_class) | {"request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | open_invitations(self.request)


@require_GET
def invitations(request: PortalRequest) -> HttpResponse:
    """The open invitations once more, while a mail is on its way."""
    _require(request)
    return render(request, "accounts/_invitations.html", open_invitations(request))


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One person: their duties here, the IAM users that they own, what was decided about them."""
    person, organization = find(request, pk), organization_of(request)
    may_change = access.may(by=request.user, to=Permission.CHANGE_DUTIES, organization=organization)
    context = {
        "person": person,
        "memberships": [(row, memberships.in_words(row.duty, row.team)) for row in duties_of(request, person)],
        "iam_users": list(_iam_users(request, person)),
        "history": [_moment(entry, person) for entry in _history(request, organization, person)],
        "may_change": may_change,
        # Nobody gives themselves a duty.
        "may_request_duty": not may_change
        and person != request.user
        and access.may_anywhere(by=request.user, to=Permission.MAKE_REQUEST, organization=organization_of(request)),
        "may_grant": may_change and person != request.user and person.is_active,
    }
    return render(request, "accounts/person.html", context)


def find(request: PortalRequest, pk: int) -> Person:
    """The person, if they belong to this organization and are seen in it; else 404."""
    return get_object_or_404(_people(request), pk=pk)


def duties_of(request: PortalRequest, person: Person) -> QuerySet[Membership]:
    """The person's duties here that have not ended and that are seen, first the highest."""
    return _memberships(request).filter(person=person)


def open_invitations(request: PortalRequest) -> dict[str, Any]:
    """Those that the person sees, newest first, with their state and whether they may be sent again."""
    person, organization, now = request.user, organization_of(request), timezone.now()
    rows = Invitation.objects.visible_to(person).open().filter(organization=organization)
    duties = access.duties_open_to(by=person, organization=organization)
    teams = access.teams_for(by=person, to=Permission.INVITE_PERSON, organization=organization)
    able = {None, *teams.values_list("pk", flat=True)}
    shown: list[dict[str, Any]] = [
        {
            "invitation": row,
            "words": memberships.in_words(row.duty, row.team),
            "shown": _state(row, at=now),
            "may_change": row.duty in duties and row.team_id in able,
        }
        for row in rows.select_related("team", "invited_by").order_by("-created_at", "-pk")[:INVITATIONS_SHOWN]
    ]
    may_invite = access.may_anywhere(by=person, to=Permission.INVITE_PERSON, organization=organization)
    is_moving = any(row["shown"].is_moving for row in shown)
    return {"invitations": shown, "may_invite": may_invite, "is_moving": is_moving}


def _state(invitation: Invitation, *, at: datetime) -> states.Shown:
    if invitation.is_expired(at=at):
        return states.Shown("Expired", "waiting", is_moving=False)
    if invitation.sent_at is None:
        return states.Shown("Mail on its way", "pending", is_moving=True)
    return states.Shown("Mail sent", "ok", is_moving=False)


def _require(request: PortalRequest) -> None:
    access.require_anywhere(by=request.user, to=Permission.VIEW_PEOPLE, organization=organization_of(request))


def _memberships(request: PortalRequest) -> QuerySet[Membership]:
    seen = Membership.objects.visible_to(request.user).in_organization(organization_of(request))
    rows = seen.filter(ended_at__isnull=True).select_related("team", "organization")
    return rows.in_order_of_duty()


def _people(request: PortalRequest) -> QuerySet[Person]:
    _require(request)
    seen = _memberships(request)
    people = Person.objects.filter(pk__in=seen.order_by().values("person"))
    return people.prefetch_related(Prefetch("membership_set", queryset=seen, to_attr="duties"))


def _iam_users(request: PortalRequest, person: Person) -> QuerySet[IAMUser]:
    rows = IAMUser.objects.visible_to(request.user).in_organization(organization_of(request)).filter(owner=person)
    return rows.present().select_related("account", "team").order_by("user_name", "account__name", "pk")


def _history(request: PortalRequest, organization: Organization, person: Person) -> QuerySet[Entry]:
    """What was decided about the person; what they decided themselves is for those who may look at the ledger."""
    is_told = Q(subject_type="person", subject_id=str(person.pk))
    if access.may(by=request.user, to=Permission.VIEW_LEDGER, organization=organization):
        is_told |= Q(by_id=str(person.pk))
    return Entry.objects.of(organization).filter(is_told).order_by("-sequence")[:HISTORY_LENGTH]


def _moment(entry: Entry, person: Person) -> dict[str, Any]:
    is_about_them = entry.subject_type == "person"
    what = entry.subject_name.rsplit("/", 1)[-1]
    if is_about_them and entry.kind in (Kind.MEMBERSHIP_GRANTED, Kind.MEMBERSHIP_ENDED, Kind.INVITATION_ACCEPTED):
        team = entry.details.get("team", "")
        what = Duty(entry.details["duty"]).label + (f" of {team}" if team else "")
    return {"entry": entry, "words": in_words(entry.kind), "what": what}
