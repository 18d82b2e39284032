"""Sealed secrets in the records room: that they were, never what they hold."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Person
from portal.secrets.models import SealedSecret

CONTENTS = ("ciphertext", "nonce", "wrapped_key")


@admin.register(SealedSecret)
class SealedSecretAdmin(ScopedAdmin):
    """For whom a secret was sealed, and when it was opened; the contents are not even read from the database."""

    permission = Permission.VIEW_LEDGER
    fields = (
        "purpose", "bound_to", "recipient", "state", "created_at", "expires_at", "opened_at", "opened_from",
        "key_version", "browser_key", "carried_by", "organization",
    )  # fmt: skip
    list_display = ("purpose", "bound_to", "recipient", "state", "created_at", "expires_at", "opened_at")
    list_filter = ("state", ("organization", OwnChoices))
    list_select_related = ("recipient",)
    search_fields = ("purpose", "bound_to", "recipient__email")
    ordering = ("-created_at", "pk")

    def rows_for(self, person: Person) -> QuerySet[SealedSecret]:
        return SealedSecret.objects.filter(organization__in=access.organizations_where(by=person, to=self.permission))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SealedSecret]:
        return super().get_queryset(request).defer(*CONTENTS)
