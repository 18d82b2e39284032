"""Asks to rotate in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import RotationAsk


@admin.register(RotationAsk)
class RotationAskAdmin(ScopedAdmin):
    """Who was asked to rotate which access key, and when the mail went out."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("access_key", "iam_user", "recipient", "bulk_change", "asked_at", "sent_at", "organization")
    list_display = ("access_key", "iam_user", "recipient", "asked_at", "sent_at")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("access_key", "iam_user", "recipient")
    search_fields = ("access_key__access_key_id", "iam_user__user_name", "recipient__email")
    ordering = ("-asked_at", "pk")
