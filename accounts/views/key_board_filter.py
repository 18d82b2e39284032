"""What the key board can be narrowed to. Choices come from what the person sees in their organization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import AccessKey, IAMUser, Organization, Rotation, RotationAsk, conditions
from accounts.models.credentials import UNUSED_AFTER, AccessKeyQuerySet
from accounts.views.filters import SEARCH_LENGTH, FilterForm
from accounts.views.iam_user_filter import KEY_AGES, PlainSelect, accounts_of, teams_of
from accounts.views.organization import PortalRequest, organization_of

# AWS's prefix of long-term keys (IAM User Guide, "IAM identifiers"): what begins so is no name.
KEY_PREFIX = "AKIA"
AGES = [(key, words) for key, (words, _, _) in KEY_AGES.items()]


def which_choices(organization: Organization) -> list[tuple[str, str]]:
    """What a key can be, with the organization's rule in words."""
    return [
        ("overdue", f"Overdue, over {organization.rotate_after_days} days"),
        ("unused", f"Not used for {UNUSED_AFTER.days} days"),
        ("never", "Never used"),
        ("two", "Two active keys"),
        ("rotating", "In a rotation"),
        ("asked", "Asked to rotate"),
        ("inactive", "Inactive"),
    ]


class KeyBoardFilter(django_filters.FilterSet):
    """The board's list; whatever reads its address reads it by this, so that all of them leave the same rows."""

    q = django_filters.CharFilter(
        method="search",
        label="Search",
        max_length=SEARCH_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Key ID, IAM user, owner or tag"}),
    )
    which = django_filters.ChoiceFilter(label="Access keys", empty_label="All", method="that_are", widget=PlainSelect)
    age = django_filters.ChoiceFilter(label="Age", empty_label="Any", choices=AGES, method="of_age", widget=PlainSelect)
    team = django_filters.ModelChoiceFilter(
        field_name="iam_user__team", queryset=teams_of, label="Team", empty_label="All teams", widget=PlainSelect
    )
    account = django_filters.ModelChoiceFilter(
        queryset=accounts_of, label="AWS account", empty_label="All accounts", widget=PlainSelect
    )

    class Meta:
        model = AccessKey
        form = FilterForm
        fields = ["q", "which", "age", "team", "account"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["which"].extra["choices"] = which_choices(self._organization)

    @property
    def _organization(self) -> Organization:
        return organization_of(self.request)

    @cached_property
    def _at(self) -> datetime:
        return timezone.now()

    def search(self, rows: AccessKeyQuerySet, name: str, value: str) -> QuerySet[AccessKey]:
        """By the key's id or a beginning of it, else by what an IAM user is found by."""
        text = value.strip()
        if text.upper().startswith(KEY_PREFIX):
            return rows.filter(access_key_id__startswith=text.upper())
        found = IAMUser.objects.in_organization(self._organization).present()
        return rows.filter(iam_user__in=conditions.searched(found, text, self._organization))

    def that_are(self, rows: AccessKeyQuerySet, name: str, value: str) -> QuerySet[AccessKey]:
        """By what should be done about them, or is being done."""
        asked: dict[str, Callable[[], QuerySet[AccessKey]]] = {
            "overdue": lambda: rows.overdue(of=self._organization, at=self._at),
            "unused": lambda: rows.unused(at=self._at),
            "never": rows.never_used,
            "two": rows.beside_another,
            "rotating": lambda: rows.filter(_in_a_rotation(self._organization)),
            "asked": lambda: rows.filter(pk__in=_asked(self._organization)),
            "inactive": lambda: rows.filter(status=AccessKey.Status.INACTIVE),
        }
        return asked[value]()

    def of_age(self, rows: AccessKeyQuerySet, name: str, value: str) -> QuerySet[AccessKey]:
        """Active ones by their age."""
        _, older_than, up_to = KEY_AGES[value]
        return rows.active().filter(conditions.is_of_age(at=self._at, older_than=older_than, up_to=up_to))


def narrowed(request: PortalRequest, query: QueryDict) -> KeyBoardFilter:
    """The access keys that the person sees here, as a list's address narrows them."""
    rows = AccessKey.objects.present().seen_in(organization_of(request), by=request.user)
    return KeyBoardFilter(query, queryset=rows, request=request)


def _in_a_rotation(organization: Organization) -> Q:
    rotations = Rotation.objects.open().filter(organization=organization)
    return Q(pk__in=rotations.values("old_key")) | Q(pk__in=rotations.exclude(new_key=None).values("new_key"))


def _asked(organization: Organization) -> QuerySet[Any, Any]:
    return RotationAsk.objects.open().filter(organization=organization).values("access_key")
