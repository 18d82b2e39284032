"""The ledger's entries in the records room."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import Person
from portal.ledger.models import Entry


@admin.register(Entry)
class EntryAdmin(ScopedAdmin):
    """Who decided what. Its filters by subject are what the other admins' "History" leads to."""

    permission = Permission.VIEW_LEDGER
    fields = (
        "sequence", "organization", "kind", "at", "by_name", "subject_type", "subject_id", "subject_name", "reason",
        "ticket", "said", "previous_hash", "hash",
    )  # fmt: skip
    list_display = ("sequence", "at", "kind", "by_name", "subject_name", "reason", "organization")
    list_filter = ("kind", "subject_type", ("organization", OwnChoices))
    list_select_related = ("organization",)
    search_fields = ("by_name", "subject_name", "reason", "ticket")
    ordering = ("-at", "-sequence", "pk")

    said = as_json("details", "Details")

    def rows_for(self, person: Person) -> QuerySet[Entry]:
        return Entry.objects.filter(organization__in=access.organizations_where(by=person, to=self.permission))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "subject_id" or super().lookup_allowed(lookup, value, request)
