"""What lists can be narrowed by. Choices come from the person's own organization, never from all."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from accounts.kinds import IN_WORDS
from accounts.models import Account
from accounts.views.organization import organization_of
from portal.ledger.models import Delivery, Entry

# Longer than any ARN's name or e-mail that somebody would look for; an export's filters stand in the ledger.
SEARCH_LENGTH = 256


class FilterForm(forms.Form):
    """The fields above a list; a dialog over it may ask for the same names, so the ids are the list's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "filter_%s"})


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
