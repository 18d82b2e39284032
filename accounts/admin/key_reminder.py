"""Reminders of access keys in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import KeyReminder


@admin.register(KeyReminder)
class KeyReminderAdmin(ScopedAdmin):
    """Whom the portal reminded of which key, and when."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("access_key", "person", "stage", "created_at", "sent_at", "organization")
    list_display = ("__str__", "person", "created_at", "sent_at")
    list_filter = ("stage", ("organization", OwnChoices))
    list_select_related = ("access_key", "person")
    search_fields = ("access_key__access_key_id", "person__email")
    ordering = ("-created_at", "pk")
