"""Snoozed reminders in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import KeySnooze


@admin.register(KeySnooze)
class KeySnoozeAdmin(ScopedAdmin):
    """Of which key nobody is reminded for a while, and why."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("access_key", "by", "reason", "at", "until", "organization")
    list_display = ("__str__", "by", "reason", "at")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("access_key", "by")
    search_fields = ("access_key__access_key_id", "reason")
    ordering = ("-at", "pk")
