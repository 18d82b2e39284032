"""Login profiles in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, read_from_aws
from accounts.models import LoginProfile


@admin.register(LoginProfile)
class LoginProfileAdmin(ScopedAdmin):
    """That an IAM user has a console password, and when it was used and changed."""

    permission = Permission.VIEW_IAM_USERS
    fields = (
        "iam_user", "account", "password_last_used", "password_last_changed", "password_reset_required", "organization",
        "source", "read_at",
    )  # fmt: skip
    list_display = ("iam_user", "account", "password_last_used", "password_last_changed", read_from_aws)
    list_filter = (("account", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("iam_user", "account")
    search_fields = ("iam_user__user_name",)
    ordering = ("iam_user__user_name", "pk")
