"""What lists can be narrowed by. Choices come from the person's own organization, never from all."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from accounts import access
from accounts.access import Permission
from accounts.kinds import IN_WORDS
from accounts.models import Account, IAMUser, Team
from accounts.models.iam_user import IAMUserQuerySet
from accounts.views.organization import PortalRequest, organization_of
from portal.ledger.models import Delivery, Entry

# Longer than any ARN's name or e-mail that somebody would look for; an export's filters stand in the ledger.
SEARCH_LENGTH = 256

# Chosen by a tab and kept by the form, so that a search stays among them.
UNASSIGNED = (("any", "Without team or owner"),)


def _teams(request: PortalRequest) -> QuerySet[Team]:
    teams = access.teams_for(by=request.user, to=Permission.VIEW_IAM_USERS, organization=organization_of(request))
    return teams.order_by("name", "pk")


def _accounts(request: PortalRequest) -> QuerySet[Account]:
    rows = Account.objects.visible_to(request.user).filter(organization=organization_of(request))
    return rows.order_by("name", "pk")


class FilterForm(forms.Form):
    """The fields above a list; a dialog over it may ask for the same names, so the ids are the list's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "filter_%s"})


class IAMUserFilter(django_filters.FilterSet):
    """The team's list."""

    q = django_filters.CharFilter(
        method="search",
        label="Search",
        max_length=SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, owner or key"}),
    )
    team = django_filters.ModelChoiceFilter(queryset=_teams, label="Team", empty_label="All teams")
    account = django_filters.ModelChoiceFilter(queryset=_accounts, label="AWS account", empty_label="All accounts")
    kind = django_filters.ChoiceFilter(choices=IAMUser.Kind.choices, label="For", empty_label="People and applications")

    unassigned = django_filters.ChoiceFilter(method="lacking", choices=UNASSIGNED, widget=forms.HiddenInput)

    class Meta:
        model = IAMUser
        form = FilterForm
        fields = ["q", "team", "account", "kind", "unassigned"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Who sees a team sees none without one; who sees the organization whole looks for what nobody answers for.
        organization, person = organization_of(self.request), self.request.user
        if not access.may(by=person, to=Permission.VIEW_ORGANIZATION, organization=organization):
            del self.filters["unassigned"]

    def lacking(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """Those without a team or without an owner."""
        return rows.unassigned()

    def search(self, rows: QuerySet[IAMUser], name: str, value: str) -> QuerySet[IAMUser]:
        """By name, owner, purpose or the id of an access key."""
        return rows.filter(
            Q(user_name__icontains=value)
            | Q(owner__name__icontains=value)
            | Q(owner__email__icontains=value)
            | Q(purpose__icontains=value)
            | Q(access_keys__access_key_id__iexact=value)
        ).distinct()


class EntryFilter(django_filters.FilterSet):
    """The ledger."""

    q = django_filters.CharFilter(
        method="search",
        label="Search",
        max_length=SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Person, ARN or reason"}),
    )
    kind = django_filters.ChoiceFilter(
        choices=[(str(kind), words) for kind, words in IN_WORDS.items()], label="Decision", empty_label="All decisions"
    )
    since = django_filters.DateFilter(
        field_name="at", lookup_expr="date__gte", label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    until = django_filters.DateFilter(
        field_name="at", lookup_expr="date__lte", label="To", widget=forms.DateInput(attrs={"type": "date"})
    )

    class Meta:
        model = Entry
        form = FilterForm
        fields = ["q", "kind", "since", "until"]

    def search(self, rows: QuerySet[Entry], name: str, value: str) -> QuerySet[Entry]:
        """By the names that the entry keeps as text."""
        return rows.filter(Q(by_name__icontains=value) | Q(subject_name__icontains=value) | Q(reason__icontains=value))


class DeliveryFilter(django_filters.FilterSet):
    """The deliveries."""

    state = django_filters.ChoiceFilter(choices=Delivery.State.choices, label="State", empty_label="All states")
    lane = django_filters.ChoiceFilter(label="AWS account", empty_label="All accounts")

    class Meta:
        model = Delivery
        form = FilterForm
        fields = ["state", "lane"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = Account.objects.filter(organization=organization_of(self.request)).order_by("name", "pk")
        self.filters["lane"].extra["choices"] = [(account.account_id, str(account)) for account in accounts]
