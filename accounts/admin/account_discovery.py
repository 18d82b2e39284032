"""Discoveries of accounts in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import AccountDiscovery


@admin.register(AccountDiscovery)
class AccountDiscoveryAdmin(ScopedAdmin):
    """Each reading of the accounts of an AWS organization."""

    permission = Permission.VIEW_ACCOUNTS
    fields = (
        "account", "state", "created_at", "finished_at", "error", "aws_organization_id", "management_account_id",
        "organization",
    )  # fmt: skip
    list_display = ("created_at", "account", "state", "finished_at", "error")
    list_filter = ("state", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("account",)
    search_fields = ("account__name", "account__account_id", "error")
    ordering = ("-created_at", "-pk")
