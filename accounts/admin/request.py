"""Requests in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import Request


@admin.register(Request)
class RequestAdmin(ScopedAdmin):
    """Each change that needed somebody else's approval."""

    permission = Permission.VIEW_REQUESTS
    fields = (
        "kind",
        "subject_name",
        "account",
        "team",
        "asked_for",
        "reason",
        "made_by",
        "made_at",
        "expires_at",
        "state",
        "decided_by",
        "decided_at",
        "words",
        "binding",
        "organization",
    )
    list_display = ("__str__", "kind", "subject_name", "made_by", "made_at", "state")
    list_filter = ("state", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("made_by", "account")
    search_fields = ("subject_name", "reason")
    ordering = ("-made_at", "pk")

    asked_for = as_json("change", "Change")
