"""Envelopes in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Envelope


@admin.register(Envelope)
class EnvelopeAdmin(ScopedAdmin):
    """What each team's lead may hand out."""

    permission = Permission.VIEW_ORGANIZATION
    fields = (
        "team", "path", "accounts", "groups", "policies", "permissions_boundary", "tag_rules", "iam_user_limit",
        "version", "organization",
    )  # fmt: skip
    list_display = ("team", "path", "permissions_boundary", "organization")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("team", "permissions_boundary", "organization")
    search_fields = ("team__name", "path")
    ordering = ("team__name", "pk")
