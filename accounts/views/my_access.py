"""My access: one's own IAM users and applications, their keys, what is due of them, and what waits to be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import F, OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.models import AccessKey, IAMUser, Organization, Person, Rotation
from accounts.models.iam_user import IAMUserQuerySet
from accounts.views import credentials
from accounts.views.counts import count_of
from accounts.views.due import SOON, due_of
from accounts.views.key_rows import KeyRows
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.own_console import OwnConsoles
from accounts.views.rotation_steps import in_short
from portal.ledger.models import Delivery

ON_A_PAGE = 25
LISTED = 8


@require_GET
def my_access(request: PortalRequest) -> HttpResponse:
    """The page."""
    return render(request, "accounts/my_access.html", _context(request))


@require_GET
def facts(request: PortalRequest) -> HttpResponse:
    """The part of the page that changes while something is on its way."""
    return render(request, "accounts/_my_access.html", _context(request))


def due_soon(*, person: Person, organization: Organization, at: datetime) -> list[dict[str, Any]]:
    """The person's active keys that are overdue or due soon and not being rotated, most urgent first."""
    until = at + SOON - timedelta(days=organization.rotate_after_days)
    open_ones = Rotation.objects.open().values("iam_user")
    keys = AccessKey.objects.present().filter(status=AccessKey.Status.ACTIVE, create_date__lt=until)
    own = keys.filter(iam_user__in=_own(person, organization)).exclude(iam_user__in=open_ones)
    rows = own.select_related("iam_user__account").order_by("create_date", "pk")[:LISTED]
    return [
        {
            "key": key,
            "due": due_of(key, organization=organization, at=at),
            "address": reverse("start_rotation", args=[key.pk]),
        }
        for key in rows
    ]


def open_rotations(*, person: Person, organization: Organization, at: datetime) -> list[dict[str, Any]]:
    """The person's own that are open, with what comes next, oldest first."""
    related = ("organization", "iam_user__account", "old_key", "new_key", "recipient")
    rows = Rotation.objects.open().filter(iam_user__in=_own(person, organization)).select_related(*related)
    listed = list(rows.order_by("started_at", "pk")[:LISTED])
    stuck = _stuck(listed, organization)
    return [
        {
            "rotation": rotation,
            "next": in_short(rotation, by=person, at=at, is_stuck=str(rotation.iam_user_id) in stuck),
        }
        for rotation in listed
    ]


def _stuck(rotations: list[Rotation], organization: Organization) -> set[str]:
    """Of which of their IAM users something is stuck, by id."""
    ids = [str(rotation.iam_user_id) for rotation in rotations]
    stuck = Delivery.objects.of(organization).stuck()
    of_these = stuck.filter(entry__subject_type="iam_user", entry__subject_id__in=ids)
    return set(of_these.values_list("entry__subject_id", flat=True))


def _own(person: Person, organization: Organization) -> IAMUserQuerySet:
    return IAMUser.objects.in_organization(organization).filter(owner=person).present()


def _context(request: PortalRequest) -> dict[str, Any]:
    person, organization, now = request.user, organization_of(request), timezone.now()
    page = _page(person, organization, request.GET.get("page", ""))
    of_whom: dict[str, Any] = {"by": person, "organization": organization, "iam_users": page.object_list, "at": now}
    rows, consoles = KeyRows(**of_whom), OwnConsoles(**of_whom)
    listed: list[dict[str, Any]] = [
        {
            "iam_user": iam_user,
            "keys": rows.of(iam_user),
            "own_console": consoles.of(iam_user),
            "on_its_way": rows.on_its_way(iam_user),
        }
        for iam_user in page.object_list
    ]
    return {
        "subtitle": _subtitle(person, organization),
        "waiting": credentials.waiting_for(person=person, organization=organization, at=now),
        "rotations": open_rotations(person=person, organization=organization, at=now),
        "due": due_soon(person=person, organization=organization, at=now),
        "page": page,
        "people": [row for row in listed if row["iam_user"].kind == IAMUser.Kind.PERSON],
        "applications": [row for row in listed if row["iam_user"].kind == IAMUser.Kind.APPLICATION],
        "is_moving": any(_is_moving(row) for row in listed),
    }


def _is_moving(row: dict[str, Any]) -> bool:
    """Whether something of an IAM user's keys, password or MFA devices may arrive at any moment."""
    new_key, console = row["on_its_way"], row["own_console"]
    is_new = new_key is not None and new_key[1].is_moving
    return is_new or console.is_moving or any(key.is_moving for key in row["keys"])


def _page(person: Person, organization: Organization, number: str) -> Page[Any]:
    """Those of people before applications, and what is due first before the rest."""
    active = AccessKey.objects.present().filter(iam_user=OuterRef("pk"), status=AccessKey.Status.ACTIVE)
    oldest = Subquery(active.order_by("create_date").values("create_date")[:1])
    rows = _own(person, organization).with_facts().annotate(oldest=oldest)
    ordered = rows.order_by(F("kind").desc(), F("oldest").asc(nulls_last=True), "user_name", "pk")
    return Paginator(ordered, ON_A_PAGE).get_page(number)


def _subtitle(person: Person, organization: Organization) -> str:
    own, days = count_of(_own(person, organization)), organization.rotate_after_days
    rule = f"Access keys are to be rotated every {days} day{pluralize(days)}"
    return f"{own} IAM user{pluralize(own.number)} in {organization}. {rule}." if own else f"{rule}."
