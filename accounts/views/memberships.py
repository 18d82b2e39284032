"""Giving and ending duties: pages of their own, because both ask for a fresh sign-in."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import Membership, Person
from accounts.usecases import memberships
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.people import duties_of, find
from accounts.views.people_forms import DutyForm


@require_http_methods(["GET", "POST"])
def grant(request: PortalRequest, pk: int) -> HttpResponse:
    """Add duty: whoever may not is told so before they are asked for a fresh sign-in."""
    return _grant(request, _changeable(request, pk))


@reauthentication_required
def _grant(request: PortalRequest, person: Person) -> HttpResponse:
    organization, page = organization_of(request), reverse("person", args=[person.pk])
    form = DutyForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "person": person, "at": timezone.now()}
        if decided(form, memberships.grant_duty, **what, **form.cleaned_data) is not None:
            return redirect(page)
    return dialogs.show(request, title=f"Add a duty of {person}", form=form, button="Add duty", back=page)


@require_http_methods(["GET", "POST"])
def end(request: PortalRequest, pk: int, membership: int) -> HttpResponse:
    """End duty."""
    person = _changeable(request, pk)
    return _end(request, get_object_or_404(duties_of(request, person), pk=membership), person)


@reauthentication_required
def _end(request: PortalRequest, membership: Membership, person: Person) -> HttpResponse:
    words, page = memberships.in_words(membership.duty, membership.team), reverse("person", args=[person.pk])
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "membership": membership, "at": timezone.now(), **form.cleaned_data}
        if decided(form, memberships.end_membership, **what) is not None:
            messages.info(request, f"{person} is no longer {words.lower()}.")
            # Who had no other duty does not belong here any more and has no page.
            is_still_here = person.belongs_to(membership.organization) and request.user.belongs_to(
                membership.organization
            )
            return redirect(page if is_still_here else "people")
    return dialogs.show(
        request,
        title=f"End a duty of {person}: {words}",
        form=form,
        button="End duty",
        button_kind="danger",
        back=page,
        warning=_warning(request, membership, person),
    )


def _warning(request: PortalRequest, membership: Membership, person: Person) -> str:
    others = duties_of(request, person).exclude(pk=membership.pk)
    rest = "" if others.exists() else f" It is their only one: they no longer see {membership.organization}."
    return f"What it allows ends at {person}'s next click. Their IAM users stay as they are.{rest}"


def _changeable(request: PortalRequest, pk: int) -> Person:
    person = find(request, pk)
    access.require(by=request.user, to=Permission.CHANGE_DUTIES, organization=organization_of(request))
    return person
