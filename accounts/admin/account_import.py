"""Imports in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import AccountImport


@admin.register(AccountImport)
class AccountImportAdmin(ScopedAdmin):
    """Each reading of an AWS account, and what came of it."""

    permission = Permission.VIEW_ACCOUNTS
    fields = ("account", "iam_user", "state", "created_at", "finished_at", "error", "found", "organization")
    list_display = ("created_at", "account", "iam_user", "state", "finished_at", "error")
    list_filter = ("state", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("account", "iam_user")
    search_fields = ("account__name", "account__account_id", "error")
    ordering = ("-created_at", "-pk")

    found = as_json("counts", "Counts")
