"""Rows of bulk changes in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import BulkRow


@admin.register(BulkRow)
class BulkRowAdmin(ScopedAdmin):
    """What came of each IAM user of a bulk change."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("bulk_change", "position", "name", "iam_user", "as_planned", "state", "sentence", "organization")
    list_display = ("name", "bulk_change", "position", "state", "sentence")
    list_filter = ("state", ("organization", OwnChoices))
    list_select_related = ("bulk_change",)
    search_fields = ("name", "sentence")
    ordering = ("-bulk_change", "position")

    as_planned = as_json("plan", "Plan")
