"""Offboardings in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Offboarding


@admin.register(Offboarding)
class OffboardingAdmin(ScopedAdmin):
    """Each leaving of a person."""

    permission = Permission.VIEW_ORGANIZATION
    fields = (
        "person",
        "begun_by",
        "reason",
        "state",
        "begun_at",
        "delete_after",
        "undone_at",
        "deletion_decided_at",
        "concluded_at",
        "organization",
    )
    list_display = ("__str__", "state", "begun_at", "delete_after", "concluded_at")
    list_filter = ("state", ("organization", OwnChoices))
    list_select_related = ("person",)
    search_fields = ("person__email", "person__name")
    ordering = ("-begun_at", "pk")
