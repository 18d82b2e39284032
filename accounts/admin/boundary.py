"""Boundaries that the portal keeps in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Boundary


@admin.register(Boundary)
class BoundaryAdmin(ScopedAdmin):
    """The permissions boundary of each account, and whether AWS holds it as it was decided."""

    permission = Permission.VIEW_ACCOUNTS
    fields = ("account", "policy", "state", "state_at", "accepted", "protected_roles", "document", "organization")
    list_display = ("__str__", "state", "state_at", "organization")
    list_filter = ("state", ("organization", OwnChoices))
    list_select_related = ("account", "organization")
    search_fields = ("account__name", "account__account_id")
    ordering = ("account__name", "pk")
