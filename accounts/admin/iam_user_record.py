"""The portal's records of IAM users in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import IAMUserRecord


@admin.register(IAMUserRecord)
class IAMUserRecordAdmin(ScopedAdmin):
    """What was decided of each IAM user that the portal manages."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user",
        "user_name",
        "path",
        "decided_tags",
        "decided_groups",
        "permissions_boundary_arn",
        "decided_policies",
        "decided_inline_policies",
        "since",
        "organization",
    )
    list_display = ("__str__", "iam_user", "path", "since")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("iam_user",)
    search_fields = ("user_name", "path")
    ordering = ("user_name", "pk")

    decided_tags = as_json("tags", "Tags")
    decided_groups = as_json("group_names", "Groups")
    decided_policies = as_json("attached_policy_arns", "Attached policies")
    decided_inline_policies = as_json("inline_policies", "Inline policies")
