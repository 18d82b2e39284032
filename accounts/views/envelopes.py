"""Changing what a team's lead may hand out: a page of its own, with a warning where something carries more."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.kinds import Kind
from accounts.models import Envelope, Team
from accounts.usecases import envelopes, requests
from accounts.usecases.envelopes import NotAcknowledged
from accounts.views.envelope_form import EnvelopeForm, RequestEnvelopeForm
from accounts.views.organization import PortalRequest
from accounts.views.teams import find


@require_http_methods(["GET", "POST"])
def change(request: PortalRequest, pk: int) -> HttpResponse:
    """Change envelope: whoever may not is told so before they are asked for a fresh sign-in."""
    return _change(request, _changeable(request, pk))


@require_http_methods(["GET", "POST"])
def ask(request: PortalRequest, pk: int) -> HttpResponse:
    """Request change: the same form, for those who may not decide it."""
    team = _requestable(request, pk)
    own, page = _envelope_of(team), reverse("team_detail", args=[team.pk])
    form = RequestEnvelopeForm(request.POST or None, team=team, initial=EnvelopeForm.said_by(own))
    if request.method == "POST" and form.is_valid():
        what = {"kind": Kind.ENVELOPE_CHANGED, "about": team, "change": form.change()}
        reason = form.cleaned_data["reason"]
        made = decided(form, requests.make_request, by=request.user, reason=reason, at=timezone.now(), **what)
        if made is not None:
            return redirect("request", pk=made.pk)
    context = {"form": form, "team": team, "back": page, "is_asking": True}
    return render(request, "accounts/change_envelope.html", context)


@require_GET
def fields(request: PortalRequest, pk: int) -> HttpResponse:
    """The form's fields once more, when an AWS account was chosen or left out: what was chosen else stays."""
    team = _requestable(request, pk)
    chosen: dict[str, Any] = request.GET.dict()
    for name in ("accounts", "groups", "policies"):
        chosen[name] = request.GET.getlist(name)
    form = EnvelopeForm(team=team, initial=chosen)
    return render(request, "accounts/_envelope_fields.html", {"form": form, "team": team})


@reauthentication_required
def _change(request: PortalRequest, team: Team) -> HttpResponse:
    own = _envelope_of(team)
    form = EnvelopeForm(request.POST or None, team=team, initial=EnvelopeForm.said_by(own))
    page = reverse("team_detail", args=[team.pk])
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "team": team, "at": timezone.now(), **form.cleaned_data}
        if decided(form, _warning_at(form), **what) is not None:
            return redirect(page)
    return render(request, "accounts/change_envelope.html", {"form": form, "team": team, "back": page})


def _warning_at(form: EnvelopeForm) -> Any:
    """The use-case; what it warns of is put into the form, to be ticked."""

    def change(**what: Any) -> Envelope:
        try:
            return envelopes.change_envelope(**what)
        except NotAcknowledged as refusal:
            form.warn(refusal.warnings)
            raise

    return change


def _changeable(request: PortalRequest, pk: int) -> Team:
    team = find(request, pk)
    access.require(by=request.user, to=Permission.CHANGE_ENVELOPE, organization=team.organization)
    return team


def _requestable(request: PortalRequest, pk: int) -> Team:
    """Whoever may change it may ask, too, as far as the form goes: the use-case sends them to their own."""
    team = find(request, pk)
    access.require(by=request.user, to=Permission.MAKE_REQUEST, organization=team.organization, team=team)
    return team


def _envelope_of(team: Team) -> Envelope | None:
    return Envelope.objects.filter(team=team).select_related("permissions_boundary").first()
