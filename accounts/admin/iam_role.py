"""IAM roles in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, read_from_aws
from accounts.models import IAMRole


@admin.register(IAMRole)
class IAMRoleAdmin(ScopedAdmin):
    """What AWS holds of each IAM role."""

    permission = Permission.VIEW_ACCOUNTS
    fields = (
        "role_name", "account", "path", "role_id", "arn", "trust", "attached_policies", "create_date", "gone_at",
        "inline", "permissions_boundary_arn", "role_tags", "last_used_date", "organization", "source", "read_at",
    )  # fmt: skip
    list_display = ("role_name", "account", "path", "create_date", "gone_at", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("account",)
    search_fields = ("role_name", "role_id", "arn")
    ordering = ("role_name", "pk")

    trust = as_json("trust_policy", "Trust policy")
    attached_policies = as_json("attached_policy_arns", "Attached policies")
    inline = as_json("inline_policies", "Inline policies")
    role_tags = as_json("tags", "Tags")
