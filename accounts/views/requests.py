"""Requests: what waits for a decision, one of them, and the decisions about it."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_tables2 import RequestConfig

from accounts import access, requestable
from accounts.access import Permission
from accounts.forms import ReasonForm, decided
from accounts.kinds import Kind
from accounts.models import Request
from accounts.models.request import RequestQuerySet
from accounts.usecases import requests as usecases
from accounts.views import dialogs, requested, states
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.request_forms import ApproveForm
from accounts.views.request_table import RequestTable
from accounts.views.tables import PAGE

TABS = {"decide": "To decide", "mine": "Mine", "all": "All"}
IN_YOUR_NAME = "It is done in your name, exactly as it was asked for"
LOOKED_AT_AGAIN = ", and looked at once more before AWS is called."
# What never goes to AWS.
HERE_ALONE = {Kind.MEMBERSHIP_GRANTED, Kind.ENVELOPE_CHANGED, Kind.IAM_USER_ASSIGNED}
EMPTY = {
    "decide": ("Nothing waits for you", "What others ask for, and you may decide, is listed here."),
    "mine": ("You have asked for nothing", "What is outside your team's envelope is asked for on the IAM user's page."),
    "all": ("Nothing was asked for yet", "What people ask for, and what became of it, is listed here."),
}


@require_GET
def page(request: PortalRequest) -> HttpResponse:
    """What waits for the person, what they asked for, and all that they may see."""
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.VIEW_REQUESTS, organization=organization)
    rows = _tabbed(request)
    shown = request.GET.get("tab", "")
    here = shown if shown in rows else next(iter(rows))
    table = RequestTable(rows[here].select_related("made_by", "account"))
    RequestConfig(request, paginate=PAGE).configure(table)
    waiting = rows["decide"].count() if "decide" in rows else 0
    address = reverse("requests")
    tabs = [
        {
            "address": f"{address}?tab={name}",
            "words": TABS[name],
            "is_here": name == here,
            "count": waiting if name == "decide" else None,
        }
        for name in rows
    ]
    title, words = EMPTY[here]
    context = {"table": table, "tabs": tabs, "empty_title": title, "empty_words": words}
    return render(request, "accounts/requests.html", context)


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One request: what would change, who asks and why, and what to do."""
    row = _find(request, pk)
    may_decide = row.is_open and _may_decide(request, row)
    context = {
        "asked": row,
        "words": requestable.of(row).words(row),
        "shown": states.of_request(row),
        "is_own": row.made_by_id == request.user.pk,
        "may_decide": may_decide,
        "why_not": _why_not(request, row, may_decide=may_decide),
        **requested.shown(row, by=request.user),
    }
    return render(request, "accounts/request.html", context)


@require_http_methods(["GET", "POST"])
def approve(request: PortalRequest, pk: int) -> HttpResponse:
    """Approve: whoever may not is told so before they are asked for a fresh sign-in."""
    row = _find(request, pk)
    access.require(by=request.user, to=Permission.DECIDE_REQUEST, organization=row.organization)
    return _approve(request, row)


@reauthentication_required
def _approve(request: PortalRequest, row: Request) -> HttpResponse:
    form = ApproveForm(request.POST or None, warnings=requested.warnings_of(row))
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        done = decided(form, usecases.approve_request, by=request.user, request=row, at=timezone.now(), **what)
        if done is not None:
            if done.state != Request.State.APPROVED:
                messages.warning(request, f"It was not approved: {done.words}")
            return redirect("request", pk=row.pk)
    return dialogs.show(
        request,
        title=f"Approve: {requestable.of(row).words(row)}",
        form=form,
        button="Approve",
        back=_page_of(row),
        warning=IN_YOUR_NAME + ("." if row.kind in HERE_ALONE else LOOKED_AT_AGAIN),
    )


@require_http_methods(["GET", "POST"])
def decline(request: PortalRequest, pk: int) -> HttpResponse:
    """Decline."""
    row = _find(request, pk)
    access.require(by=request.user, to=Permission.DECIDE_REQUEST, organization=row.organization)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data["reason"]
        if decided(form, usecases.decline_request, by=request.user, request=row, words=words, at=timezone.now()):
            return dialogs.done(request, _page_of(row))
    title = f"Decline: {requestable.of(row).words(row)}"
    return dialogs.show(request, title=title, form=form, button="Decline", back=_page_of(row))


@require_http_methods(["GET", "POST"])
def withdraw(request: PortalRequest, pk: int) -> HttpResponse:
    """Withdraw."""
    row = _find(request, pk)
    if row.made_by_id != request.user.pk:
        raise access.NotAllowed(Permission.MAKE_REQUEST)
    form = forms.Form({} if request.method == "POST" else None)
    if request.method == "POST":
        withdrawn = decided(form, usecases.withdraw_request, by=request.user, request=row, at=timezone.now())
        if withdrawn is not None:
            return dialogs.done(request, _page_of(row))
    warning = "Nobody decides about it any more. You can ask again."
    title = f"Withdraw: {requestable.of(row).words(row)}"
    return dialogs.show(request, title=title, form=form, button="Withdraw", back=_page_of(row), warning=warning)


def _tabbed(request: PortalRequest) -> dict[str, RequestQuerySet]:
    """The rows of each tab that the person has; the first is what they see first."""
    person, organization = request.user, organization_of(request)
    seen = Request.objects.visible_to(person).in_organization(organization)
    tabs = {"mine": seen.filter(made_by=person), "all": seen}
    if access.may(by=person, to=Permission.DECIDE_REQUEST, organization=organization):
        tabs = {"decide": requestable.decidable_by(person, organization=organization)} | tabs
    return tabs


def _find(request: PortalRequest, pk: int) -> Request:
    rows = Request.objects.visible_to(request.user).in_organization(organization_of(request))
    return get_object_or_404(rows.select_related("organization", "account", "team", "made_by", "decided_by"), pk=pk)


def _may_decide(request: PortalRequest, row: Request) -> bool:
    may = access.may(by=request.user, to=Permission.DECIDE_REQUEST, organization=row.organization)
    return may and requestable.may_approve(by=request.user, request=row)


def _why_not(request: PortalRequest, row: Request, *, may_decide: bool) -> str:
    """Who decides, for those who look at an open one and may not."""
    if not row.is_open or may_decide:
        return ""
    who = "an owner" if requestable.of(row).approvers == requestable.OWNERS else "an owner or admin"
    if row.made_by_id == request.user.pk:
        return f"Somebody else decides about what you ask for: {who} of your organization."
    if access.may(by=request.user, to=Permission.DECIDE_REQUEST, organization=row.organization):
        return "Only somebody who could decide when this was asked for can decide about it."
    return f"{who.capitalize()} of your organization decides about it."


def _page_of(row: Request) -> str:
    return reverse("request", args=[row.pk])
