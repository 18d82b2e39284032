"""Deliveries in the records room."""

from django.contrib import admin
from django.db.models import QuerySet

from accounts import access
from accounts.access import Permission
from accounts.admin.scoped import OwnChoices, ScopedAdmin
from accounts.models import Person
from portal.ledger.models import Delivery


@admin.register(Delivery)
class DeliveryAdmin(ScopedAdmin):
    """What was carried to AWS, and what became of it."""

    permission = Permission.VIEW_DELIVERIES
    fields = (
        "entry", "lane", "subject", "queue", "state", "stuck_kind", "error", "attempts", "not_before", "created_at",
        "done_at", "aws_request_id", "organization",
    )  # fmt: skip
    list_display = ("sequence", "lane", "subject", "state", "stuck_kind", "attempts", "created_at", "done_at")
    list_filter = ("state", "stuck_kind", "queue", "lane", ("organization", OwnChoices))
    list_select_related = ("organization",)
    search_fields = ("subject", "lane", "error")
    ordering = ("-created_at", "-sequence", "pk")

    def rows_for(self, person: Person) -> QuerySet[Delivery]:
        return Delivery.objects.filter(organization__in=access.organizations_where(by=person, to=self.permission))
