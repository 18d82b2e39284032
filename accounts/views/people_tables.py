"""The lists of people and teams, and what they can be narrowed by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string

from accounts.models import Duty, Membership, Person, Team
from accounts.usecases import memberships
from accounts.views.filters import SEARCH_LENGTH, FilterForm
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.tables import PRIMARY, SECONDARY, STATE, PagedTable, badge


def _teams(request: PortalRequest) -> QuerySet[Team]:
    rows = Team.objects.visible_to(request.user).filter(organization=organization_of(request))
    return rows.order_by("name", "pk")


class PersonFilter(django_filters.FilterSet):
    """The people of an organization."""

    q = django_filters.CharFilter(
        method="search",
        label="Search",
        max_length=SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name or e-mail"}),
    )
    duty = django_filters.ChoiceFilter(method="with_duty", choices=Duty.choices, label="Duty", empty_label="All duties")
    team = django_filters.ModelChoiceFilter(method="of_team", queryset=_teams, label="Team", empty_label="All teams")

    class Meta:
        model = Person
        form = FilterForm
        fields = ["q", "duty", "team"]

    def search(self, rows: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """By name or e-mail."""
        return rows.filter(Q(name__icontains=value) | Q(email__icontains=value))

    def with_duty(self, rows: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """Those who have the duty here, as far as that is seen."""
        return rows.filter(pk__in=self._seen().filter(duty=value).values("person"))

    def of_team(self, rows: QuerySet[Person], name: str, value: Team) -> QuerySet[Person]:
        """Those who have a duty of the team."""
        return rows.filter(pk__in=self._seen().filter(team=value).values("person"))

    def _seen(self) -> QuerySet[Membership]:
        seen = Membership.objects.visible_to(self.request.user).in_organization(organization_of(self.request))
        return seen.filter(ended_at__isnull=True)


class PersonTable(PagedTable):
    """People, what they do here, and when they were last here."""

    name = tables.Column("Person", linkify=("person", [tables.A("pk")]), attrs=PRIMARY, empty_values=())
    state = tables.Column("State", empty_values=(), orderable=False, attrs=STATE)
    duties = tables.Column("Duties", orderable=False, attrs=SECONDARY)
    email = tables.Column("E-mail", attrs=SECONDARY)
    last_login = tables.Column("Last sign-in", default="Never")

    class Meta:
        model = Person
        fields = ("name", "state", "duties", "email", "last_login")
        order_by = ("name",)
        empty_text = "Nobody fits"

    def render_name(self, record: Person) -> str:
        return str(record)

    def render_state(self, record: Person) -> str:
        if not record.is_active:
            return badge("Disabled", "danger")
        return badge("Never here yet", "neutral") if record.last_login is None else badge("Active", "ok")

    def render_duties(self, value: list[Membership]) -> str:
        return ", ".join(memberships.in_words(row.duty, row.team) for row in value)

    def render_last_login(self, value: datetime) -> str:
        return render_to_string("components/_time.html", {"when": value})


class TeamTable(PagedTable):
    """Teams, who leads them, and how many people and IAM users they have."""

    name = tables.Column("Team", linkify=("team_detail", [tables.A("pk")]), attrs=PRIMARY)
    leads = tables.Column("Leads", empty_values=(), orderable=False, attrs=SECONDARY)
    people = tables.Column("People", attrs={"td": {"class": "number"}, "th": {"class": "number"}})
    iam_users = tables.Column("IAM users", accessor="iam_user_count", empty_values=(), attrs=SECONDARY)

    class Meta:
        model = Team
        fields = ("name", "leads", "people", "iam_users")
        order_by = ("name",)
        empty_text = "No teams yet"

    def render_leads(self, record: Any) -> str:
        return ", ".join(str(row.person) for row in record.leading) or "Nobody leads it"

    def render_iam_users(self, record: Any) -> str:
        of = "" if record.limit is None else f" of {record.limit}"
        return f"{record.iam_user_count}{of} IAM user{'' if record.iam_user_count == 1 and not of else 's'}"
