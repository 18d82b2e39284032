"""Rules of ownership in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import OwnershipRule


@admin.register(OwnershipRule)
class OwnershipRuleAdmin(ScopedAdmin):
    """Each rule that says whose an imported IAM user is."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("position", "account", "path_prefix", "name_pattern", "team", "owner", "organization")
    list_display = ("__str__", "position", "account", "team", "owner")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("account", "team", "owner")
    search_fields = ("path_prefix", "name_pattern")
    ordering = ("organization", "position", "pk")
