"""Teams in the records room."""

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Team


@admin.register(Team)
class TeamAdmin(ScopedAdmin):
    """Teams, by organization."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("name", "slug", "organization")
    list_display = ("name", "slug", "organization")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("organization",)
    search_fields = ("name", "slug")
    ordering = ("name", "pk")
