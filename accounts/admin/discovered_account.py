"""Accounts that AWS Organizations knows of, in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import DiscoveredAccount


@admin.register(DiscoveredAccount)
class DiscoveredAccountAdmin(ScopedAdmin):
    """Each account that was discovered."""

    permission = Permission.VIEW_ACCOUNTS
    fields = ("member_account_id", "name", "email", "status", "account", "organization", "source", "read_at")
    list_display = ("__str__", "email", "status", "account", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("account",)
    search_fields = ("member_account_id", "name", "email")
    ordering = ("member_account_id", "pk")
