"""What every admin of the records room is made from: rows that the person may see, and nothing to change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from accounts import access
from accounts.access import Permission
from accounts.models import Account, Person
from accounts.models.facts import FactFromAWS

# What Django's own filters put behind the name of a field.
OF_A_FILTER = re.compile(r"(__id)?(__exact|__isnull|__gte|__lt)?")
NOT_IN_A_VALUE = "\x00"
SEARCH_LENGTH = 256


class ScopedAdmin(admin.ModelAdmin):
    """Rows of other organizations do not exist here, and every row is read-only.

    AWS owns its facts, and all else changes through use-cases on the product pages. There are no permissions of
    Django's: `permission` is what a duty must allow for the model to be looked at; an admin without one is not let
    into the records room (`portal.site`).
    """

    permission: ClassVar[Permission]
    # What the ledger calls such a row, where that is not the model's name.
    subject_type: ClassVar[str] = ""
    actions = None
    list_per_page = 50
    show_full_result_count = False

    def rows_for(self, person: Person) -> QuerySet[Any]:
        """The rows that the person may see, where their duty allows looking at this model."""
        there = access.organizations_where(by=person, to=self.permission)
        return self.model._default_manager.visible_to(person).filter(organization__in=there)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(pk__in=self.rows_for(person_of(request)).values("pk"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model:
        """The row; Django's own pages would redirect for a missing one, which tells it from one that never was.

        :raises access.NotThere: also for a row that the person may not see.
        """
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise access.NotThere
        return found

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list's filters offer: Django would let a person ask any field, a password's hash too."""
        names = [str(item[0] if isinstance(item, tuple) else item) for item in self.list_filter]
        is_offered = any(lookup.startswith(name) and OF_A_FILTER.fullmatch(lookup[len(name) :]) for name in names)
        return is_offered and NOT_IN_A_VALUE not in str(value)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Each word is asked of each field: of many hundred words SQLite refuses to make one question."""
        return super().get_search_results(request, queryset, search_term[:SEARCH_LENGTH])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, titled by what it lists; Django's title asks to select something to view."""
        return super().changelist_view(
            request, {"title": capfirst(self.opts.verbose_name_plural)} | (extra_context or {})
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The row's page. Its template offers the history to those who may look at the ledger."""
        told = {
            "title": capfirst(self.opts.verbose_name),
            "may_view_ledger": Permission.VIEW_LEDGER in permissions_of(request),
        }
        return super().render_change_form(request, context | told, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The entries about the row: the ledger is the history, and Django's own log is never written."""
        row = self.get_object(request, object_id)
        if Permission.VIEW_LEDGER not in permissions_of(request):
            raise access.NotAllowed(Permission.VIEW_LEDGER)
        about = {"subject_type": self.subject_type or self.opts.model_name, "subject_id": row.pk}
        return redirect(f"{reverse('admin:ledger_entry_changelist')}?{urlencode(about)}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.permission in permissions_of(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.permission in permissions_of(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OwnChoices(admin.RelatedFieldListFilter):
    """A filter that offers what the person's own rows point at; Django's offers every row there is, of every tenant."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        # Any: django-stubs knows less of a foreign key's choices than Django does.
        own = model_admin.get_queryset(request).order_by().values(field.name)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": own})


def person_of(request: HttpRequest) -> Person:
    """Who asks.

    :raises PermissionDenied: for nobody.
    """
    if not isinstance(request.user, Person):
        raise PermissionDenied
    return request.user


def permissions_of(request: HttpRequest) -> frozenset[Permission]:
    """What the person may look at in the records room; asked for every model on every page, so read once."""
    kept = vars(request)
    if "records_room_permissions" not in kept:
        kept["records_room_permissions"] = _permissions(request)
    return kept["records_room_permissions"]


def _permissions(request: HttpRequest) -> frozenset[Permission]:
    if not access.may_enter_records_room(request.user):
        return frozenset()
    return access.permissions_anywhere(person_of(request))


def as_json(name: str, words: str) -> Callable[[admin.ModelAdmin, Model], SafeString | None]:
    """A field of JSON as a person reads it: a line for each key, and nothing where it is empty."""

    @admin.display(description=words)
    def shown(_admin: admin.ModelAdmin, row: Model) -> SafeString | None:
        value = getattr(row, name)
        return format_html("<pre>{}</pre>", json.dumps(value, indent=2, sort_keys=True)) if value else None

    return shown


@admin.display(description="Read from AWS", ordering="read_at")
def read_from_aws(row: FactFromAWS | Account) -> str:
    """When the fact was read, and from which answer of AWS's."""
    if row.read_at is None:
        return "-"
    moment = timezone.localtime(row.read_at)
    return format_html(
        '<time datetime="{}" data-source="{}" title="{}">{}</time>',
        row.read_at.isoformat(),
        row.source,
        row.get_source_display(),
        date_format(moment, "j M Y, H:i"),
    )
