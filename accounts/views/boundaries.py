"""The permissions boundary that the portal keeps in an account: what it says, and whether AWS holds it so."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, ReasonForm, decided
from accounts.kinds import in_words
from accounts.models import Account, Boundary
from accounts.policy.boundary import INTO_COMPUTE
from accounts.usecases import boundaries
from accounts.views import dialogs, states
from accounts.views.organization import PortalRequest, organization_of
from portal.ledger.models import Delivery, Entry

HISTORY_LENGTH = 20


class BoundaryPolicyForm(ReasonForm):
    """What the boundary lets through, and which roles it protects."""

    accepted = forms.MultipleChoiceField(
        label="Ways into running code that it lets through",
        choices=[(action, action) for action in INTO_COMPUTE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="What runs has rights of its own: let through only what is the work of those within it.",
    )
    protected_roles = forms.CharField(
        label="Protected roles",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="ARNs of roles that nobody within it may assume, one on each line; * stands for any letters. "
        "The portal's own role is always protected.",
    )

    field_order = ("accepted", "protected_roles", "reason")

    def clean_protected_roles(self) -> list[str]:
        return self.cleaned_data["protected_roles"].split()


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """The boundary of one account, or how to have one."""
    return render(request, "accounts/boundary.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes when a delivery arrives."""
    return render(request, "accounts/_boundary_facts.html", _context(request, pk))


@require_http_methods(["GET", "POST"])
def create(request: PortalRequest, pk: int) -> HttpResponse:
    """Create boundary."""
    account = _account(request, pk)
    access.require(by=request.user, to=Permission.KEEP_BOUNDARY, organization=account.organization)
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "account": account, "at": timezone.now(), **form.cleaned_data}
        if decided(form, boundaries.create_boundary, **what) is not None:
            return dialogs.done(request, _page_of(account))
    title = f"Create the boundary of {account.name}"
    return dialogs.show(request, title=title, form=form, button="Create boundary", back=_page_of(account))


@require_http_methods(["GET", "POST"])
def restore(request: PortalRequest, pk: int) -> HttpResponse:
    """Restore boundary."""
    account = _account(request, pk)
    access.require(by=request.user, to=Permission.KEEP_BOUNDARY, organization=account.organization)
    boundary, form = get_object_or_404(Boundary, account=account), OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "boundary": boundary, "at": timezone.now(), **form.cleaned_data}
        if decided(form, boundaries.restore_boundary, **what) is not None:
            return dialogs.done(request, _page_of(account))
    return dialogs.show(
        request,
        title=f"Restore the boundary of {account.name}",
        form=form,
        button="Restore boundary",
        back=_page_of(account),
        warning="The policy in AWS becomes what was decided here again, for everybody who is within it.",
    )


@require_http_methods(["GET", "POST"])
def change(request: PortalRequest, pk: int) -> HttpResponse:
    """Change boundary: whoever may not is told so before they are asked for a fresh sign-in."""
    account = _account(request, pk)
    access.require(by=request.user, to=Permission.CHANGE_BOUNDARY_POLICY, organization=account.organization)
    return _change(request, get_object_or_404(Boundary.objects.select_related("account"), account=account))


@reauthentication_required
def _change(request: PortalRequest, boundary: Boundary) -> HttpResponse:
    kept = {"accepted": boundary.accepted, "protected_roles": "\n".join(boundary.protected_roles)}
    form = BoundaryPolicyForm(request.POST or None, initial=kept)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "boundary": boundary, "at": timezone.now(), **form.cleaned_data}
        if decided(form, boundaries.change_boundary_policy, **what) is not None:
            return redirect(_page_of(boundary.account))
    return render(
        request,
        "accounts/change_boundary.html",
        {"account": boundary.account, "form": form, "post_to": request.get_full_path()},
    )


def _account(request: PortalRequest, pk: int) -> Account:
    rows = Account.objects.visible_to(request.user).filter(organization=organization_of(request))
    return get_object_or_404(rows, pk=pk)


def _page_of(account: Account) -> str:
    return reverse("boundary", args=[account.pk])


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    account, now = _account(request, pk), timezone.now()
    access.require(by=request.user, to=Permission.VIEW_ORGANIZATION, organization=account.organization)
    boundary = Boundary.objects.filter(account=account).first()
    context: dict[str, Any] = {
        "account": account,
        "boundary": boundary,
        "is_importable": Account.objects.importable().filter(pk=pk).exists(),
        "may_keep": _may(request, account, Permission.KEEP_BOUNDARY),
        "may_change": _may(request, account, Permission.CHANGE_BOUNDARY_POLICY),
    }
    if boundary is None:
        return context
    entries = Entry.objects.of(account.organization).about("boundary", boundary.pk).order_by("-sequence")
    delivery = Delivery.objects.open().filter(entry__in=entries).order_by("sequence").first()
    return context | {
        "shown": states.of_boundary(boundary, delivery, at=now),
        "delivery": delivery,
        "advice": states.advice(delivery, may_change=context["may_keep"]) if delivery is not None else "",
        "document": json.dumps(boundary.document, indent=2),
        "teams": [envelope.team for envelope in _envelopes(boundary)],
        "history": [(entry, in_words(entry.kind)) for entry in entries[:HISTORY_LENGTH]],
    }


def _envelopes(boundary: Boundary) -> Any:  # Any: a queryset of a related manager
    if boundary.policy is None:
        return []
    return boundary.policy.envelopes.select_related("team").order_by("team__name", "pk")


def _may(request: PortalRequest, account: Account, to: Permission) -> bool:
    return access.may(by=request.user, to=to, organization=account.organization)
