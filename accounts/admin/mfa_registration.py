"""Registrations of MFA devices in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import MFARegistration


@admin.register(MFARegistration)
class MFARegistrationAdmin(ScopedAdmin):
    """Each MFA device that its owner was about to use; never its codes."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user", "account", "purpose", "serial_number", "owner", "state", "words", "started_at", "made_at",
        "codes_at", "expires_at", "ended_at", "organization",
    )  # fmt: skip
    list_display = ("__str__", "iam_user", "account", "purpose", "state", "owner", "started_at", "ended_at")
    list_filter = ("state", "purpose", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user__account", "account", "owner")
    search_fields = ("iam_user__user_name", "serial_number")
    ordering = ("-started_at", "pk")
