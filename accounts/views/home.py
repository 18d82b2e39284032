"""Home, by duty: what needs doing first, then what is one's own, then what was decided."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access
from accounts.access import Permission
from accounts.kinds import in_words
from accounts.models import AccessKey, Account, IAMUser, Organization, Person
from accounts.views import states
from accounts.views.organization import PortalRequest
from portal.ledger.models import Delivery, Entry

# CIS AWS Foundations Benchmark 1.14: access keys are rotated every 90 days or less.
ROTATE_AFTER = timedelta(days=90)
LISTED = 8


@require_GET
def home(request: PortalRequest) -> HttpResponse:
    """Where everybody arrives."""
    if request.organization is None:
        return render(request, "accounts/no_organization.html")
    person, organization, now = request.user, request.organization, timezone.now()
    context: dict[str, Any] = {
        "stuck": _stuck(person, organization, now),
        "unreachable": _unreachable(person, organization),
        "overdue": _overdue(person, organization, now),
        "own": _own(person, organization, now),
        "recent": _recent(person, organization),
        "counts": _counts(person, organization),
        "may_create": access.may_anywhere(by=person, to=Permission.CREATE_IAM_USER, organization=organization),
    }
    context["needs_doing"] = any((context["stuck"], context["unreachable"], context["overdue"]))
    return render(request, "accounts/home.html", context)


def _stuck(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    """Stuck deliveries: those of the organization for whom may see them, else those about what one looks after."""
    stuck = Delivery.objects.of(organization).stuck().select_related("entry").order_by("-created_at", "-pk")
    sees_all = access.may(by=person, to=Permission.VIEW_DELIVERIES, organization=organization)
    if not sees_all:
        led = IAMUser.objects.visible_to(person).in_organization(organization).values_list("pk", flat=True)
        stuck = stuck.filter(entry__subject_type="iam_user", entry__subject_id__in=[str(pk) for pk in led])
    return [
        {
            "delivery": delivery,
            "words": in_words(delivery.entry.kind),
            "shown": states.of_delivery(delivery, at=now),
            "sees_delivery": sees_all,
        }
        for delivery in stuck[:LISTED]
    ]


def _unreachable(person: Person, organization: Organization) -> list[Account]:
    rows = Account.objects.visible_to(person).filter(organization=organization, state=Account.State.UNREACHABLE)
    return list(rows.order_by("name", "pk")[:LISTED])


def _overdue(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    """Active keys that are older than the rule allows, oldest first."""
    seen = IAMUser.objects.visible_to(person).in_organization(organization).present()
    keys = AccessKey.objects.present().filter(
        iam_user__in=seen, status=AccessKey.Status.ACTIVE, create_date__lt=now - ROTATE_AFTER
    )
    rows = keys.select_related("iam_user__account", "iam_user__owner").order_by("create_date", "pk")[:LISTED]
    return [{"key": key, "age": key.age_days(at=now)} for key in rows]


def _own(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    rows = IAMUser.objects.in_organization(organization).filter(owner=person).present().with_facts()
    return [
        {
            "iam_user": iam_user,
            "keys": [(key, key.age_days(at=now)) for key in iam_user.access_keys.all() if key.gone_at is None],
        }
        for iam_user in rows.order_by("user_name", "account__name", "pk")
    ]


def _recent(person: Person, organization: Organization) -> list[dict[str, Any]]:
    """The organization's last decisions for whom may see the ledger, else one's own."""
    entries = Entry.objects.of(organization)
    sees_ledger = access.may(by=person, to=Permission.VIEW_LEDGER, organization=organization)
    if not sees_ledger:
        entries = entries.by(person)
    return [
        {"entry": entry, "words": in_words(entry.kind), "sees_ledger": sees_ledger}
        for entry in entries.order_by("-sequence")[:LISTED]
    ]


def _counts(person: Person, organization: Organization) -> dict[str, int]:
    seen = IAMUser.objects.visible_to(person).in_organization(organization).present()
    return {
        "iam_users": seen.count(),
        "without_mfa": seen.filter(login_profile__isnull=False, mfa_devices__isnull=True).count(),
        "active_keys": AccessKey.objects.present().filter(iam_user__in=seen, status=AccessKey.Status.ACTIVE).count(),
    }
