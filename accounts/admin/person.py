"""People in the records room."""

from django.contrib import admin
from django.db.models import QuerySet

from accounts.access import Permission
from accounts.admin.scoped import ScopedAdmin
from accounts.models import Person


@admin.register(Person)
class PersonAdmin(ScopedAdmin):
    """People of the organizations that one sees; of how they sign in, only when they last did."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("name", "email", "is_active", "created_at", "last_login")
    list_display = ("name", "email", "is_active", "last_login")
    list_filter = ("is_active",)
    search_fields = ("name", "email")
    ordering = ("name", "pk")

    def rows_for(self, person: Person) -> QuerySet[Person]:
        return Person.objects.visible_to(person)
