"""Access keys in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import AccessKey


@admin.register(AccessKey)
class AccessKeyAdmin(ScopedAdmin):
    """What AWS holds of each access key; its secret is nowhere here."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "access_key_id", "iam_user", "account", "status", "create_date", "last_rotated", "source", "read_at",
        "last_used_date", "last_used_service", "last_used_region", "last_used_source", "last_used_read_at", "gone_at",
        "organization",
    )  # fmt: skip
    list_display = (
        "access_key_id", "iam_user", "account", "status", "create_date", "last_used_date", "gone_at", read_from_aws,
    )  # fmt: skip
    list_filter = ("status", ("account", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("iam_user", "account")
    search_fields = ("access_key_id", "iam_user__user_name")
    ordering = ("create_date", "pk")
