"""What the list of IAM users can be narrowed by. Choices come from what the person sees in their organization."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts import access
from accounts.access import Permission
from accounts.models import Account, IAMUser, Organization, Team, conditions
from accounts.models.iam_user import IAMUserQuerySet
from accounts.views.filters import SEARCH_LENGTH, FilterForm
from accounts.views.organization import PortalRequest, organization_of

# Active keys by their age in days: over the first and up to the second. The overview draws the same.
KEY_AGES: dict[str, tuple[str, int, int | None]] = {
    "30": ("Up to 30 days", -1, 30),
    "60": ("31 to 60 days", 30, 60),
    "90": ("61 to 90 days", 60, 90),
    "180": ("91 to 180 days", 90, 180),
    "365": ("181 to 365 days", 180, 365),
    "older": ("Over a year", 365, None),
}
SIGN_IN = (("no-mfa", "Password, no MFA"), ("mfa", "Password and MFA"), ("no-password", "No password"))
USE = (("unused", "Not in 45 days"),)
STATES = (("pending", "Pending"), ("stuck", "Stuck"), ("drift", "Drifted"))
# Chosen by a tab and kept by the form, so that a search stays among them.
UNASSIGNED = (("any", "Without team or owner"),)


def keys_choices(organization: Organization) -> list[tuple[str, str]]:
    """What the list can be narrowed to by its access keys, with the organization's rule in words."""
    ages = [(key, words) for key, (words, _, _) in KEY_AGES.items()]
    return [("overdue", f"Too old, over {organization.rotate_after_days} days"), ("none", "No active key"), *ages]


def rule_in_words(organization: Organization) -> str:
    """The organization's rule, as a sentence."""
    days = organization.rotate_after_days
    return f"Keys are to be rotated within {days} day{'' if days == 1 else 's'}."


def first_late_age(organization: Organization) -> int:
    """The place of the first of KEY_AGES in which keys can be older than the organization's rule allows."""
    ends = [up_to for _, _, up_to in KEY_AGES.values()]
    return next(place for place, end in enumerate(ends) if end is None or end > organization.rotate_after_days)


class PlainSelect(forms.Select):
    """A choice as markup at once: Django renders a template for each option, and there may be hundreds."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The element; what is chosen is compared as text, as browsers send it."""
        options = _options(tuple(self._rows()), str(getattr(value, "pk", value) or ""))
        return format_html('<select name="{}" id="{}">{}</select>', name, (attrs or {}).get("id", ""), options)

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield from ((str(key), str(words)) for key, words in self.choices)


class PlainRowSelect(PlainSelect):
    """The same of rows, of which only `words` are read beside their ids, and no objects made of them."""

    def _rows(self) -> Iterator[tuple[str, str]]:
        # Django's iterator over a field's rows, which knows both.
        choices: Any = self.choices
        yield "", str(choices.field.empty_label)
        yield from ((str(key), words) for key, words in choices.queryset.values_list("pk", "words"))


# The same hundreds are offered on page after page; what is kept is their markup and not who may see them.
@lru_cache(maxsize=32)
def _options(rows: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    marked = ((key, " selected" if key == chosen else "", words) for key, words in rows)
    return format_html_join("", '<option value="{}"{}>{}</option>', marked)


def teams_of(request: PortalRequest) -> QuerySet[Team]:
    """The teams that a list can be narrowed to."""
    teams = access.teams_for(by=request.user, to=Permission.VIEW_IAM_USERS, organization=organization_of(request))
    return teams.annotate(words=F("name")).order_by("name", "pk")


def accounts_of(request: PortalRequest) -> QuerySet[Account]:
    """The AWS accounts that a list can be narrowed to."""
    rows = Account.objects.visible_to(request.user).filter(organization=organization_of(request))
    return rows.annotate(words=Concat("name", Value(" ("), "account_id", Value(")"))).order_by("name", "pk")


def _choice(label: str, empty: str, choices: Any, method: str) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        label=label, empty_label=empty, choices=choices, method=method, widget=PlainSelect
    )


class IAMUserFilter(django_filters.FilterSet):
    """The team's list; whatever reads `request.GET` of it reads it by this, so that all of them leave the same rows."""

    q = django_filters.CharFilter(
        method="search",
        label="Search",
        max_length=SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Name, owner, ARN, key or tag"}),
    )
    team = django_filters.ModelChoiceFilter(
        queryset=teams_of, label="Team", empty_label="All teams", widget=PlainRowSelect
    )
    account = django_filters.ModelChoiceFilter(
        queryset=accounts_of, label="AWS account", empty_label="All accounts", widget=PlainRowSelect
    )
    kind = django_filters.ChoiceFilter(
        choices=IAMUser.Kind.choices, label="For", empty_label="People and applications", widget=PlainSelect
    )
    keys = _choice("Access keys", "Any", (), "with_keys")
    sign_in = _choice("Console", "Any", SIGN_IN, "with_sign_in")
    use = _choice("Used", "Whenever", USE, "with_use")
    state = _choice("State", "Any", STATES, "in_state")
    unassigned = django_filters.ChoiceFilter(method="lacking", choices=UNASSIGNED, widget=forms.HiddenInput)

    class Meta:
        model = IAMUser
        form = FilterForm
        fields = ["q", "team", "account", "kind", "keys", "sign_in", "use", "state", "unassigned"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["keys"].extra["choices"] = keys_choices(self._organization)
        # Who sees a team sees none without one; who sees the organization whole looks for what nobody answers for.
        if not access.may(by=self.request.user, to=Permission.VIEW_ORGANIZATION, organization=self._organization):
            del self.filters["unassigned"]

    @property
    def _organization(self) -> Organization:
        return organization_of(self.request)

    @cached_property
    def _at(self) -> datetime:
        return timezone.now()

    def search(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """By name, purpose, owner, ARN, key or tag."""
        return conditions.searched(rows, value, self._organization)

    def lacking(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """Those without a team or without an owner."""
        return rows.unassigned()

    def with_keys(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """By the age of an active access key."""
        if value == "none":
            return rows.exclude(conditions.has_active_key(at=self._at))
        rule = ("", self._organization.rotate_after_days, None)
        _, older_than, up_to = KEY_AGES.get(value, rule)
        return rows.filter(conditions.has_active_key(at=self._at, older_than=older_than, up_to=up_to))

    def with_sign_in(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """By console password and MFA."""
        if value == "no-password":
            return rows.exclude(conditions.has_password())
        has_mfa = conditions.has_mfa() if value == "mfa" else ~conditions.has_mfa()
        return rows.filter(conditions.has_password()).filter(has_mfa)

    def with_use(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """Those that nobody has used lately."""
        return rows.filter(conditions.is_unused(at=self._at))

    def in_state(self, rows: IAMUserQuerySet, name: str, value: str) -> QuerySet[IAMUser]:
        """By what is on its way, or differs."""
        asked: dict[str, Callable[[], Q | Exists]] = {
            "pending": lambda: conditions.is_on_its_way(self._organization),
            "stuck": lambda: conditions.is_stuck(self._organization),
            "drift": conditions.has_open_drift,
        }
        return rows.filter(asked[value]())


def narrowed(request: PortalRequest, query: QueryDict) -> IAMUserFilter:
    """The IAM users that the person sees here, as a list's address narrows them."""
    rows = IAMUser.objects.seen_in(organization_of(request), by=request.user).present()
    return IAMUserFilter(query, queryset=rows, request=request)
