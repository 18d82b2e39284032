"""Destinations of access keys in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import KeyDestination


@admin.register(KeyDestination)
class KeyDestinationAdmin(ScopedAdmin):
    """Which applications read their access key in AWS Secrets Manager, and how often the portal rotates it."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user",
        "account",
        "region",
        "secret_name",
        "rotate_every_days",
        "set_by",
        "set_at",
        "organization",
    )
    list_display = ("__str__", "iam_user", "account", "rotate_every_days", "set_by", "set_at")
    list_filter = (("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account", "set_by")
    search_fields = ("iam_user__user_name", "secret_name")
    ordering = ("-set_at", "pk")
