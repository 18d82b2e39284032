"""What was decided about an IAM user, and where each of it stands on its way to AWS."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind, in_words
from accounts.models import Drift
from accounts.views import states
from accounts.views.attached_policies import name_of
from accounts.views.organization import PortalRequest, organization_of
from portal.ledger.models import Delivery, Entry

HISTORY_LENGTH = 20


def open_deliveries_of(entries: QuerySet[Entry]) -> QuerySet[Delivery]:
    """What of these has not arrived, oldest first."""
    return Delivery.objects.open().filter(entry__in=entries).select_related("entry").order_by("sequence", "pk")


def on_its_way(request: PortalRequest, deliveries: Iterable[Delivery], *, at: datetime) -> list[dict[str, Any]]:
    """What is on its way; for a delivery that is not getting on, what to do, and for whom may see it the way there."""
    person, organization = request.user, organization_of(request)
    may_view = access.may(by=person, to=Permission.VIEW_DELIVERIES, organization=organization)
    may_change = access.may(by=person, to=Permission.CHANGE_DELIVERIES, organization=organization)
    return [
        {
            "words": in_words(delivery.entry.kind),
            "what": what_of(delivery.entry),
            "delivery": delivery,
            "shown": states.of_delivery(delivery, at=at),
            "advice": states.advice(delivery, may_change=may_change),
            "address": reverse("delivery", args=[delivery.pk]) if may_view else "",
        }
        for delivery in deliveries
    ]


def history_of(entries: QuerySet[Entry], *, at: datetime) -> list[dict[str, Any]]:
    """The last of what was decided, newest first."""
    rows = entries.prefetch_related("deliveries").order_by("-sequence")[:HISTORY_LENGTH]
    return [_history(entry, at) for entry in rows]


def what_of(entry: Entry) -> str:
    """What the words of its kind leave open: which group, or which attribute."""
    details = entry.details
    if entry.kind == Kind.IAM_USER_BOUNDARY_CHANGED:
        return name_of(details["permissions_boundary"]) or "none"
    if entry.kind in (Kind.IAM_USER_RENAMED, Kind.IAM_USER_PATH_CHANGED):
        return details.get("user_name") or details["path"]
    attribute = details.get("attribute", "")
    return (
        details.get("group")
        or name_of(details.get("policy", ""))
        or (Drift.Attribute(attribute).label if attribute else "")
        or details.get("access_key_id", "")
    )


def _history(entry: Entry, at: datetime) -> dict[str, Any]:
    shown = next((states.of_delivery(delivery, at=at) for delivery in entry.deliveries.all()), None)
    return {"entry": entry, "words": in_words(entry.kind), "what": what_of(entry), "shown": shown}
