"""Calendars of what is due in the records room: that there is one, and never its address."""

from django.contrib import admin
from django.db.models import QuerySet

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import CalendarFeed, Person


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ScopedAdmin):
    """That somebody's calendar program reads what is due for them."""

    permission = Permission.VIEW_LEDGER
    fields = ("person", "created_at", "organization")
    list_display = ("__str__", "created_at")
    list_filter = (("organization", OwnChoices),)
    list_select_related = ("person",)
    search_fields = ("person__email",)
    ordering = ("-created_at", "pk")

    def rows_for(self, person: Person) -> QuerySet[CalendarFeed]:
        return CalendarFeed.objects.filter(organization__in=access.organizations_where(by=person, to=self.permission))
