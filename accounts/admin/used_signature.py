"""Used signatures in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import UsedSignature


@admin.register(UsedSignature)
class UsedSignatureAdmin(ScopedAdmin):
    """Which signed requests have proven a key, for as long as their time would let them be used again."""

    permission = Permission.VIEW_IAM_USERS
    fields = ("rotation", "digest", "used_at", "expires_at", "organization")
    list_display = ("__str__", "used_at", "expires_at")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("rotation__old_key",)
    search_fields = ("rotation__iam_user__user_name",)
    ordering = ("-used_at", "pk")
