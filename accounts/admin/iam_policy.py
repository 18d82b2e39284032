"""Customer managed policies in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, read_from_aws
from accounts.models import IAMPolicy


@admin.register(IAMPolicy)
class IAMPolicyAdmin(ScopedAdmin):
    """What AWS holds of each customer managed policy."""

    permission = Permission.VIEW_ACCOUNTS
    fields = (
        "policy_name", "account", "path", "policy_id", "arn", "default_version_id", "policy_document", "gone_at",
        "organization", "source", "read_at",
    )  # fmt: skip
    list_display = ("policy_name", "account", "path", "default_version_id", "gone_at", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("account",)
    search_fields = ("policy_name", "policy_id", "arn")
    ordering = ("policy_name", "pk")

    policy_document = as_json("document", "Document")
