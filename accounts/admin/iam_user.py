"""IAM users in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, read_from_aws
from accounts.models import IAMUser


@admin.register(IAMUser)
class IAMUserAdmin(ScopedAdmin):
    """What AWS holds of each IAM user, and who answers for it."""

    permission = Permission.VIEW_IAM_USERS
    subject_type = "iam_user"
    fields = (
        "user_name", "account", "path", "user_id", "kind", "owner", "owner_said_by", "team", "team_said_by", "purpose",
        "permissions_boundary_arn", "attached_policies", "inline", "tag_list", "create_date", "decided_at", "gone_at",
        "organization", "source", "read_at",
    )  # fmt: skip
    list_display = ("user_name", "account", "kind", "team", "owner", "create_date", "gone_at", read_from_aws)
    list_filter = ("kind", ("account", OwnChoices), ("team", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("account", "team", "owner")
    search_fields = ("user_name", "user_id", "purpose", "owner__email", "owner__name")
    ordering = ("user_name", "pk")

    attached_policies = as_json("attached_policy_arns", "Attached policies")
    inline = as_json("inline_policies", "Inline policies")
    tag_list = as_json("tags", "Tags")
