"""IAM's identity providers in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import IAMProvider


@admin.register(IAMProvider)
class IAMProviderAdmin(ScopedAdmin):
    """What AWS holds of each identity provider of IAM."""

    permission = Permission.VIEW_ACCOUNTS
    fields = (
        "arn",
        "kind",
        "account",
        "url",
        "client_ids",
        "thumbprints",
        "valid_until",
        "create_date",
        "gone_at",
        "organization",
        "source",
        "read_at",
    )
    list_display = ("arn", "kind", "account", "valid_until", "gone_at", read_from_aws)
    list_filter = ("kind", ("account", OwnChoices), ("organization", OwnChoices), "gone_at")
    list_select_related = ("account",)
    search_fields = ("arn", "url")
    ordering = ("arn", "pk")
