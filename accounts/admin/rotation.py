"""Rotations in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Rotation


@admin.register(Rotation)
class RotationAdmin(ScopedAdmin):
    """Each replacement of an access key, and how far it is."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user",
        "account",
        "old_key",
        "new_key",
        "recipient",
        "state",
        "started_by",
        "started_at",
        "made_at",
        "opened_at",
        "proven_at",
        "proven_by",
        "new_key_first_used_at",
        "deactivated_at",
        "is_inactive_elsewhere",
        "watch_until",
        "ended_at",
        "destination",
        "secret_version",
        "organization",
    )
    list_display = ("__str__", "iam_user", "account", "state", "recipient", "started_at", "ended_at")
    list_filter = ("state", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user__account", "account", "old_key", "recipient")
    search_fields = ("iam_user__user_name", "old_key__access_key_id", "new_key__access_key_id")
    ordering = ("-started_at", "pk")
