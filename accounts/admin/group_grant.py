"""Grants of groups in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import GroupGrant


@admin.register(GroupGrant)
class GroupGrantAdmin(ScopedAdmin):
    """Each membership of a group that was given until a time."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user",
        "account",
        "group_name",
        "until",
        "made_by",
        "made_at",
        "request",
        "ended_at",
        "ended_why",
        "organization",
    )
    list_display = ("__str__", "account", "until", "made_by", "ended_at", "ended_why")
    list_filter = (("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account", "made_by")
    search_fields = ("iam_user__user_name", "group_name")
    ordering = ("-made_at", "pk")
