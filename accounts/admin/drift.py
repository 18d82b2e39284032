"""Drift in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, read_from_aws
from accounts.models import Drift


@admin.register(Drift)
class DriftAdmin(ScopedAdmin):
    """Each difference between AWS and what was decided."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user",
        "account",
        "kind",
        "attribute",
        "as_decided",
        "as_held",
        "state",
        "ended_at",
        "organization",
        "source",
        "read_at",
    )
    list_display = ("__str__", "account", "kind", "attribute", "state", read_from_aws)
    list_filter = ("state", "kind", ("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account")
    search_fields = ("iam_user__user_name",)
    ordering = ("-read_at", "pk")

    as_decided = as_json("decided", "Decided")
    as_held = as_json("held", "Held")
