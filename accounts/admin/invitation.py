"""Invitations in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Invitation


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Who was invited by whom, and what came of it; of the link nothing is shown, not even its hash."""

    permission = Permission.VIEW_PEOPLE
    fields = (
        "email", "name", "duty", "team", "invited_by", "created_at", "sent_at", "expires_at", "accepted_at",
        "revoked_at", "organization",
    )  # fmt: skip
    list_display = ("email", "duty", "team", "invited_by", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("duty", ("team", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("team", "invited_by", "organization")
    search_fields = ("email", "name")
    ordering = ("-created_at", "pk")
