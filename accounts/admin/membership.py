"""Memberships in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Membership


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who has which duty where, now and before."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("person", "duty", "team", "organization", "created_at", "ended_at")
    list_display = ("person", "duty", "team", "organization", "created_at", "ended_at")
    list_filter = ("duty", ("team", OwnChoices), ("organization", OwnChoices))
    list_select_related = ("person", "team", "organization")
    search_fields = ("person__name", "person__email")
    ordering = ("person__name", "pk")
