"""Tests of connections in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import ConnectionTest


@admin.register(ConnectionTest)
class ConnectionTestAdmin(ScopedAdmin):
    """Each test of an account's role."""

    permission = Permission.VIEW_ACCOUNTS
    fields = ("account", "state", "asked_by", "created_at", "finished_at", "lease_until", "each_check", "organization")
    list_display = ("__str__", "account", "state", "created_at", "finished_at")
    list_filter = ("state", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("account",)
    search_fields = ("account__account_id", "account__name")
    ordering = ("-created_at", "pk")

    each_check = as_json("checks", "Checks")
