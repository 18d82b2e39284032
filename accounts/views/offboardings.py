"""Offboardings: the plan before, how far each is, undoing it, and the proof that nothing is left."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.generic import ListView
from django_tables2 import SingleTableMixin

from accounts import access
from accounts.access import NotAllowed, NotThere, Permission
from accounts.forms import OffboardForm, ReasonForm, decided
from accounts.models import IAMUser, Membership, Offboarding, Person
from accounts.usecases import offboarding as usecases
from accounts.views import states
from accounts.views.offboarding_tables import OffboardingTable
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.proof import Proof
from accounts.views.tables import PAGE


class OffboardingList(SingleTableMixin, ListView):
    """Who leaves or has left, newest first."""

    request: PortalRequest
    table_class = OffboardingTable
    table_pagination = PAGE
    template_name = "accounts/offboardings.html"

    def get_queryset(self) -> QuerySet[Offboarding]:
        return _seen(self.request)

    def get_table_kwargs(self) -> dict[str, Any]:
        now = timezone.now()
        return {"late": frozenset(_seen(self.request).late(now).values_list("pk", flat=True))}


@require_http_methods(["GET", "POST"])
def begin(request: PortalRequest, person: int) -> HttpResponse:
    """Offboard somebody: whoever may not is told so before they are asked for a fresh sign-in."""
    organization = organization_of(request)
    known = Membership.objects.visible_to(request.user).in_organization(organization).values("person")
    leaver = get_object_or_404(Person.objects.filter(pk__in=known), pk=person)
    access.require_to_offboard(by=request.user, organization=organization, person=leaver)
    open_one = Offboarding.objects.open().in_organization(organization).filter(person=leaver).first()
    if open_one is not None:
        return redirect("offboarding", pk=open_one.pk)
    return _begin(request, leaver)


@reauthentication_required
def _begin(request: PortalRequest, leaver: Person) -> HttpResponse:
    """The plan, and below it the decision."""
    now = timezone.now()
    form = OffboardForm(request.POST or None, days=settings.OFFBOARDING_DAYS, at=now)
    if request.method == "POST" and form.is_valid():
        begun = decided(
            form,
            usecases.offboard_person,
            by=request.user,
            organization=organization_of(request),
            person=leaver,
            at=now,
            **form.cleaned_data,
        )
        if begun is not None:
            return redirect("offboarding", pk=begun.pk)
    return render(request, "accounts/offboard_person.html", _plan(request, leaver) | {"form": form})


def _plan(request: PortalRequest, leaver: Person) -> dict[str, Any]:
    organization = organization_of(request)
    all_of_it = IAMUser.objects.in_organization(organization).present().filter(owner=leaver)
    rows = all_of_it.visible_to(request.user).with_facts().order_by("account__name", "user_name", "pk")
    memberships = Membership.objects.in_organization(organization).of(leaver).filter(ended_at__isnull=True)
    return {
        "title": f"Offboard {leaver}",
        "leaver": leaver,
        "days": settings.OFFBOARDING_DAYS,
        "own": [_planned(row) for row in rows if row.kind == IAMUser.Kind.PERSON],
        "applications": [_planned(row) for row in rows if row.kind == IAMUser.Kind.APPLICATION],
        "memberships": memberships.select_related("team", "organization").order_by("pk"),
        "hidden": all_of_it.count() - len(rows),
    }


def _planned(iam_user: IAMUser) -> dict[str, Any]:
    keys = [key for key in iam_user.access_keys.all() if key.gone_at is None]
    active = [key for key in keys if key.status == "Active"]
    return {"iam_user": iam_user, "active": active, "has_password": hasattr(iam_user, "login_profile")}


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One offboarding: how far it is in each account."""
    return render(request, "accounts/offboarding.html", _context(request, pk))


@require_GET
def progress(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while something is on its way."""
    return render(request, "accounts/_offboarding.html", _context(request, pk))


@require_http_methods(["GET", "POST"])
def undo(request: PortalRequest, pk: int) -> HttpResponse:
    """Undo."""
    found = find(request, pk)
    access.require_on_offboarding(by=request.user, offboarding=found)
    if not found.may_be_undone:
        messages.info(request, "It cannot be undone any more: its deletion was decided, or it was undone already.")
        return redirect("offboarding", pk=pk)
    return _undo(request, found)


@reauthentication_required
def _undo(request: PortalRequest, found: Offboarding) -> HttpResponse:
    """A page that says what comes back, and what does not."""
    now, form = timezone.now(), ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if decided(form, usecases.undo_offboarding, by=request.user, offboarding=found, reason=reason, at=now):
            return redirect("offboarding", pk=found.pk)
    context = {
        "title": f"Undo the offboarding of {found.person}",
        "offboarding": found,
        "form": form,
        "memberships": found.memberships.select_related("team", "organization").order_by("pk"),
        "proof": Proof(found, by=request.user, at=now),
    }
    return render(request, "accounts/undo_offboarding.html", context)


@require_POST
def read_again(request: PortalRequest, pk: int) -> HttpResponse:
    """Read again."""
    found = find(request, pk)
    begun = usecases.read_again(by=request.user, offboarding=found, at=timezone.now())
    if not begun:
        messages.info(request, "Nothing can be read now: it is being read already, or its accounts cannot be entered.")
    return redirect("offboarding_proof", pk=found.pk)


def find(request: PortalRequest, pk: int) -> Offboarding:
    """The offboarding, if the person sees it in the organization they are looking at; else 404."""
    return get_object_or_404(_seen(request), pk=pk)


def may_decide(request: PortalRequest, offboarding: Offboarding) -> bool:
    """Whether to offer what changes it: courtesy only, the use-cases decide again."""
    try:
        access.require_on_offboarding(by=request.user, offboarding=offboarding)
    except (NotAllowed, NotThere):
        return False
    return True


def _seen(request: PortalRequest) -> Any:
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
    rows = Offboarding.objects.visible_to(request.user).in_organization(organization)
    return rows.select_related("person", "begun_by", "organization")


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    found, now, by = find(request, pk), timezone.now(), request.user
    proof = Proof(found, by=by, at=now)
    is_late = Offboarding.objects.late(now).filter(pk=found.pk).exists()
    may_view = access.may(by=by, to=Permission.VIEW_DELIVERIES, organization=found.organization)
    may_change = access.may(by=by, to=Permission.CHANGE_DELIVERIES, organization=found.organization)
    return {
        "offboarding": found,
        "proof": proof,
        "shown": states.of_offboarding(found, is_late=is_late),
        "is_late": is_late,
        "settled": sum(not holding.is_moving and not holding.left for holding in proof.holdings),
        "holdings": [(one, _advice(one, may_change=may_change)) for one in proof.holdings],
        "memberships": found.memberships.select_related("team", "organization").order_by("pk"),
        "may_undo": found.may_be_undone and may_decide(request, found),
        "may_view_deliveries": may_view,
        "may_change_deliveries": may_change,
        "may_view_ledger": access.may(by=by, to=Permission.VIEW_LEDGER, organization=found.organization),
    }


def _advice(holding: Any, *, may_change: bool) -> str:
    deliveries = [step.delivery for step in holding.steps if step.delivery is not None and step.delivery.is_open]
    return states.advice(deliveries[0], may_change=may_change) if deliveries else ""
