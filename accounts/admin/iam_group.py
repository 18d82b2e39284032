"""IAM groups in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, read_from_aws
from accounts.models import IAMGroup


@admin.register(IAMGroup)
class IAMGroupAdmin(ScopedAdmin):
    """What AWS holds of each IAM group."""

    permission = Permission.VIEW_ACCOUNTS
    fields = (
        "group_name", "account", "path", "group_id", "arn", "attached_policies", "inline", "create_date", "gone_at",
        "organization", "source", "read_at",
    )  # fmt: skip
    list_display = ("group_name", "account", "path", "create_date", "gone_at", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("account",)
    search_fields = ("group_name", "group_id", "arn")
    ordering = ("group_name", "pk")

    attached_policies = as_json("attached_policy_arns", "Attached policies")
    inline = as_json("inline_policies", "Inline policies")
