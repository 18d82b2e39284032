"""AWS accounts in the records room."""

from django.contrib import admin
from django.http import HttpRequest

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin, as_json, person_of, read_from_aws
from accounts.models import Account

FIELDS = (
    "account_id", "name", "alias", "role_arn", "state", "state_reason", "counts_and_quotas", "passwords",
    "organization", "source", "read_at",
)  # fmt: skip


@admin.register(Account)
class AccountAdmin(ScopedAdmin):
    """The AWS accounts that an organization has connected."""

    permission = Permission.VIEW_ACCOUNTS
    list_display = ("account_id", "name", "alias", "state", "organization", read_from_aws)
    list_filter = ("state", ("organization", OwnChoices))
    list_select_related = ("organization",)
    search_fields = ("account_id", "name", "alias", "role_arn")
    ordering = ("name", "pk")

    counts_and_quotas = as_json("summary", "Summary")
    passwords = as_json("password_policy", "Password policy")

    def get_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        """The external id is shown to those who write it into the role's trust policy, and to nobody else."""
        if obj is None:
            return FIELDS
        may_connect = access.may(by=person_of(request), to=Permission.CONNECT_ACCOUNT, organization=obj.organization)
        return (*FIELDS, "external_id") if may_connect else FIELDS
