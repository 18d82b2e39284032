"""Asking for what lies outside the envelope, or is the owner's alone to decide: a policy, a duty."""

from __future__ import annotations

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
from accounts.views.iam_users import find
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.request_forms import RequestDutyForm, RequestPolicyForm


@require_http_methods(["GET", "POST"])
def ask_for_policy(request: PortalRequest, pk: int) -> HttpResponse:
    """Request another policy."""
    iam_user = find(request, pk)
    access.require_on_iam_user(by=request.user, to=Permission.MAKE_REQUEST, iam_user=iam_user)
    form = RequestPolicyForm(request.POST or None, iam_user=iam_user)
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        made = decided(
            form,
            requests.make_request,
            by=request.user,
            kind=Kind.IAM_USER_POLICY_ATTACHED,
            about=iam_user,
            change={"policy": what["policies"]},
            reason=what["reason"],
            at=timezone.now(),
        )
        if made is not None:
            return dialogs.done(request, reverse("request", args=[made.pk]))
    title, back = f"Request another policy for {iam_user}", reverse("iam_user", args=[iam_user.pk])
    return dialogs.show(request, title=title, form=form, button="Request", back=back)


@require_http_methods(["GET", "POST"])
def ask_for_duty(request: PortalRequest, pk: int) -> HttpResponse:
    """Request duty."""
    organization, person = organization_of(request), people.find(request, pk)
    access.require_anywhere(by=request.user, to=Permission.MAKE_REQUEST, organization=organization)
    duties = Membership.objects.visible_to(request.user).active().of(person).in_organization(organization)
    membership = get_object_or_404(duties.order_by("pk")[:1])
    form = RequestDutyForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        made = decided(
            form,
            requests.make_request,
            by=request.user,
            kind=Kind.MEMBERSHIP_GRANTED,
            about=membership,
            change={"duty": what["duty"], "team": what["team"]},
            reason=what["reason"],
            at=timezone.now(),
        )
        if made is not None:
            return dialogs.done(request, reverse("request", args=[made.pk]))
    title, back = f"Request a duty for {person}", reverse("person", args=[person.pk])
    return dialogs.show(request, title=title, form=form, button="Request", back=back)
