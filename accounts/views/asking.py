"""Asking for what lies outside the envelope, or is the owner's alone to decide: each kind by a dialog of its own."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.kinds import Kind
from accounts.models import Membership
from accounts.usecases import requests
from accounts.views import dialogs, people
from accounts.views.iam_users import changeable, page_of
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.request_forms import (
    QuestionForm,
    RequestBoundaryForm,
    RequestDutyForm,
    RequestGroupForm,
    RequestPathForm,
    RequestPolicyForm,
    RequestTeamForm,
)


@require_http_methods(["GET", "POST"])
def ask_for_group(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another group."""
    iam_user = changeable(request, pk, Permission.MAKE_REQUEST)
    form, title = RequestGroupForm(request.POST or None, iam_user=iam_user), f"Request another group for {iam_user}"
    return _ask(request, form, Kind.IAM_USER_ADDED_TO_GROUP, about=iam_user, title=title, back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def ask_for_policy(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another policy."""
    iam_user = changeable(request, pk, Permission.MAKE_REQUEST)
    form, title = RequestPolicyForm(request.POST or None, iam_user=iam_user), f"Request another policy for {iam_user}"
    return _ask(request, form, Kind.IAM_USER_POLICY_ATTACHED, about=iam_user, title=title, back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def ask_for_boundary(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another permissions boundary."""
    iam_user = changeable(request, pk, Permission.MAKE_REQUEST)
    form = RequestBoundaryForm(request.POST or None, iam_user=iam_user)
    title = f"Request another permissions boundary for {iam_user}"
    return _ask(request, form, Kind.IAM_USER_BOUNDARY_CHANGED, about=iam_user, title=title, back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def ask_for_path(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another path."""
    iam_user = changeable(request, pk, Permission.MAKE_REQUEST)
    form = RequestPathForm(request.POST or None, initial={"path": iam_user.path})
    title = f"Request another path for {iam_user}"
    return _ask(request, form, Kind.IAM_USER_PATH_CHANGED, about=iam_user, title=title, back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def ask_for_team(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another team."""
    iam_user = changeable(request, pk, Permission.MAKE_REQUEST)
    form, title = RequestTeamForm(request.POST or None, iam_user=iam_user), f"Request another team for {iam_user}"
    return _ask(request, form, Kind.IAM_USER_ASSIGNED, about=iam_user, title=title, back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def ask_for_duty(request: PortalRequest, pk: int) -> HttpResponse:
    """Request duty."""
    organization, person = organization_of(request), people.find(request, pk)
    access.require_anywhere(by=request.user, to=Permission.MAKE_REQUEST, organization=organization)
    duties = Membership.objects.visible_to(request.user).active().of(person).in_organization(organization)
    membership = get_object_or_404(duties.order_by("pk")[:1])
    form, title = RequestDutyForm(request.POST or None, organization=organization), f"Request a duty for {person}"
    back = reverse("person", args=[person.pk])
    return _ask(request, form, Kind.MEMBERSHIP_GRANTED, about=membership, title=title, back=back)


def _ask(
    request: PortalRequest, form: QuestionForm, kind: Kind, *, about: Model, title: str, back: str
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        what = {"kind": kind, "about": about, "change": form.change(), "reason": form.cleaned_data["reason"]}
        made = decided(form, requests.make_request, by=request.user, at=timezone.now(), **what)
        if made is not None:
            return dialogs.done(request, reverse("request", args=[made.pk]))
    return dialogs.show(request, title=title, form=form, button="Request", back=back)
