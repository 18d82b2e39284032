"""Organizations in the records room."""

from django.contrib import admin
from django.db.models import QuerySet

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import ScopedAdmin
from accounts.models import Organization, Person


@admin.register(Organization)
class OrganizationAdmin(ScopedAdmin):
    """The person's own organizations."""

    permission = Permission.VIEW_ORGANIZATION
    fields = ("name", "slug", "team_tag", "owner_tag", "rotate_after_days", "created_at")
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name", "pk")

    def rows_for(self, person: Person) -> QuerySet[Organization]:
        return access.organizations_where(by=person, to=self.permission)
