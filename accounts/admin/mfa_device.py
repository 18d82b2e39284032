"""MFA devices in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import MFADevice


@admin.register(MFADevice)
class MFADeviceAdmin(ScopedAdmin):
    """What AWS holds of each MFA device."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("serial_number", "iam_user", "account", "enable_date", "organization", "source", "read_at")
    list_display = ("serial_number", "iam_user", "account", "enable_date", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account")
    search_fields = ("serial_number", "iam_user__user_name")
    ordering = ("serial_number", "pk")
