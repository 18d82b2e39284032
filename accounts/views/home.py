"""Home, by duty: what needs doing first, then what is one's own, then what was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access, ownership
from accounts.access import Permission
from accounts.kinds import in_words
from accounts.models import (
    AccessKey,
    Account,
    Boundary,
    BulkChange,
    BulkRow,
    IAMUser,
    Offboarding,
    Organization,
    Person,
    RotationAsk,
)
from accounts.views import credentials, my_access, states
from accounts.views.counts import Counted, count_of
from accounts.views.drift import count_by_account
from accounts.views.organization import PortalRequest
from portal.ledger.models import Delivery, Entry

LISTED = 8


@require_GET
def home(request: PortalRequest) -> HttpResponse:
    """Where everybody arrives."""
    if request.organization is None:
        return render(request, "accounts/no_organization.html")
    person, organization, now = request.user, request.organization, timezone.now()
    context: dict[str, Any] = {
        "waiting": credentials.waiting_for(person=person, organization=organization, at=now),
        "rotations": my_access.open_rotations(person=person, organization=organization, at=now),
        "due": my_access.due_soon(person=person, organization=organization, at=now),
        "stuck": _stuck(person, organization, now),
        "unreachable": _unreachable(person, organization),
        "boundaries": _boundaries(person, organization),
        "overdue": _overdue(person, organization, now),
        "asked": RotationAsk.objects.of_person(person, organization=organization)[:LISTED],
        "late_offboardings": _late_offboardings(person, organization, now),
        "unassigned": _unassigned(person, organization),
        "drift": count_by_account(person, organization),
        "running": _running(person, organization),
        "own": _own(person, organization, now),
        "recent": _recent(person, organization),
        "subtitle": _counts(person, organization),
        "may_create": access.may_anywhere(by=person, to=Permission.CREATE_IAM_USER, organization=organization),
    }
    waiting = ("late_offboardings", "stuck", "unreachable", "boundaries", "overdue", "asked", "drift", "unassigned")
    context["needs_doing"] = any(context[name] for name in waiting)
    return render(request, "accounts/home.html", context)


def _stuck(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    """Stuck deliveries: those of the organization for whom may see them, else those about what one looks after."""
    stuck = Delivery.objects.of(organization).stuck().select_related("entry").order_by("-created_at", "-pk")
    sees_all = access.may(by=person, to=Permission.VIEW_DELIVERIES, organization=organization)
    if not sees_all:
        led = IAMUser.objects.seen_in(organization, by=person).values_list("pk", flat=True)
        stuck = stuck.filter(entry__subject_type="iam_user", entry__subject_id__in=[str(pk) for pk in led])
    return [
        {
            "delivery": delivery,
            "words": in_words(delivery.entry.kind),
            "shown": states.of_delivery(delivery, at=now),
            "address": reverse("delivery", args=[delivery.pk])
            if sees_all
            else reverse("iam_user", args=[delivery.entry.subject_id]),
        }
        for delivery in stuck[:LISTED]
    ]


def _late_offboardings(person: Person, organization: Organization, now: datetime) -> list[Offboarding]:
    """Those of which AWS has not everything after a quarter of an hour: a leaver may still have keys."""
    if not access.may(by=person, to=Permission.OFFBOARD_PERSON, organization=organization):
        return []
    late = Offboarding.objects.in_organization(organization).late(now).select_related("person")
    return list(late.order_by("begun_at", "pk")[:LISTED])


def _unreachable(person: Person, organization: Organization) -> list[tuple[Account, states.Shown]]:
    states_of_trouble = [Account.State.UNREACHABLE, Account.State.REFUSED]
    rows = Account.objects.visible_to(person).filter(organization=organization, state__in=states_of_trouble)
    return [(account, states.of_account(account)) for account in rows.order_by("name", "pk")[:LISTED]]


def _boundaries(person: Person, organization: Organization) -> list[Boundary]:
    """Those that somebody altered or deleted, for whom may restore them."""
    if not access.may(by=person, to=Permission.KEEP_BOUNDARY, organization=organization):
        return []
    alarming = Boundary.objects.alarming().filter(organization=organization).select_related("account")
    return list(alarming.order_by("state_at", "pk")[:LISTED])


def _overdue(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    """Other people's active keys that are older than the rule allows, oldest first; one's own wait for one above."""
    seen = IAMUser.objects.seen_in(organization, by=person).present()
    keys = AccessKey.objects.overdue(of=organization, at=now).filter(iam_user__in=seen)
    others = keys.exclude(iam_user__owner=person).select_related("iam_user__account", "iam_user__owner")
    rows = others.order_by("create_date", "pk")[:LISTED]
    return [{"key": key, "age": key.age_days(at=now)} for key in rows]


def _unassigned(person: Person, organization: Organization) -> Counted | None:
    """How many IAM users nobody answers for; whose they are is for owners and admins to say."""
    if not access.may(by=person, to=Permission.CHANGE_OWNERSHIP, organization=organization):
        return None
    return count_of(ownership.unassigned_of(organization))


def _running(person: Person, organization: Organization) -> list[dict[str, Any]]:
    """The bulk changes that are being decided, of those that the person sees."""
    running = BulkChange.objects.visible_to(person).filter(organization=organization).running()
    counted = running.annotate(total=Count("rows"), waiting=Count("rows", filter=Q(rows__state=BulkRow.State.PENDING)))
    return [
        {"bulk_change": row, "done": row.total - row.waiting, "total": row.total}
        for row in counted.order_by("-created_at", "-pk")[:LISTED]
    ]


def _own(person: Person, organization: Organization, now: datetime) -> list[dict[str, Any]]:
    rows = IAMUser.objects.in_organization(organization).filter(owner=person).present().with_facts()
    return [
        {
            "iam_user": iam_user,
            "keys": states.key_ages(
                [key for key in iam_user.access_keys.all() if key.gone_at is None],
                after_days=organization.rotate_after_days,
                at=now,
            ),
        }
        for iam_user in rows.order_by("user_name", "account__name", "pk")
    ]


def _recent(person: Person, organization: Organization) -> list[dict[str, Any]]:
    """The organization's last decisions for whom may see the ledger, else one's own."""
    entries = Entry.objects.of(organization)
    if not access.may(by=person, to=Permission.VIEW_LEDGER, organization=organization):
        entries = entries.by(person)
    return [
        {"entry": entry, "words": in_words(entry.kind), "what": entry.subject_name.rsplit("/", 1)[-1]}
        for entry in entries.order_by("-sequence")[:LISTED]
    ]


def _counts(person: Person, organization: Organization) -> str:
    seen = IAMUser.objects.seen_in(organization, by=person).present()
    keys = AccessKey.objects.present().filter(
        organization=organization, iam_user__in=seen, status=AccessKey.Status.ACTIVE
    )
    without_mfa = seen.filter(login_profile__isnull=False, mfa_devices__isnull=True)
    counted = (
        (count_of(seen), "IAM user", ""),
        (count_of(keys), "active access key", ""),
        (count_of(without_mfa), "console password", " without MFA"),
    )
    return ", ".join(f"{count} {thing}{pluralize(count.number)}{rest}" for count, thing, rest in counted)
