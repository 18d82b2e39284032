"""Bulk changes in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import BulkChange


@admin.register(BulkChange)
class BulkChangeAdmin(ScopedAdmin):
    """Each change of many IAM users that somebody began."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("kind", "what_changes", "reason", "by", "state", "created_at", "finished_at", "organization")
    list_display = ("created_at", "kind", "by", "state", "finished_at")
    list_filter = ("state", "kind", ("organization", OwnChoices))
    list_select_related = ("by",)
    search_fields = ("by__name", "by__email", "reason")
    ordering = ("-created_at", "-pk")

    what_changes = as_json("change", "Change")
