"""What offboardings take, in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json
from accounts.models import OffboardedIAMUser


@admin.register(OffboardedIAMUser)
class OffboardedIAMUserAdmin(ScopedAdmin):
    """Each IAM user of somebody who leaves."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("iam_user", "offboarding", "kind", "active_keys", "had_login_profile", "organization")
    list_display = ("__str__", "offboarding", "kind")
    list_filter = ("kind", ("organization", OwnChoices))
    list_select_related = ("iam_user", "offboarding__person")
    search_fields = ("iam_user__user_name", "offboarding__person__email")
    ordering = ("iam_user__user_name", "pk")

    active_keys = as_json("active_access_key_ids", "Active access keys before")
