"""Signing certificates, SSH public keys and service-specific credentials in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import IAMCredential


@admin.register(IAMCredential)
class IAMCredentialAdmin(ScopedAdmin):
    """What AWS holds of each of them."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "credential_id",
        "kind",
        "iam_user",
        "account",
        "service_name",
        "status",
        "create_date",
        "organization",
        "source",
        "read_at",
    )
    list_display = ("credential_id", "kind", "iam_user", "account", "status", read_from_aws)
    list_filter = ("kind", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account")
    search_fields = ("credential_id", "iam_user__user_name", "service_name")
    ordering = ("credential_id", "pk")
