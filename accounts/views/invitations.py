"""Inviting people, and what can still be done about an open invitation."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import Invitation
from accounts.usecases import invitations
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.people_forms import InviteForm


@require_http_methods(["GET", "POST"])
def invite(request: PortalRequest) -> HttpResponse:
    """Invite person."""
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.INVITE_PERSON, organization=organization)
    form = InviteForm(request.POST or None, by=request.user, organization=organization)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "organization": organization, "at": timezone.now(), **form.cleaned_data}
        if decided(form, invitations.invite_person, **what) is not None:
            return dialogs.done(request, reverse("people"))
    return dialogs.show(request, title="Invite person", form=form, button="Invite person", back=reverse("people"))


@require_POST
def send_again(request: PortalRequest, pk: int) -> HttpResponse:
    """Send again."""
    invitation = _find(request, pk)
    try:
        invitations.send_invitation_again(by=request.user, invitation=invitation, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("people")


@require_http_methods(["GET", "POST"])
def revoke(request: PortalRequest, pk: int) -> HttpResponse:
    """Revoke."""
    invitation = _find(request, pk)
    organization, team = invitation.organization, invitation.team
    access.require(by=request.user, to=Permission.INVITE_PERSON, organization=organization, team=team)
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "invitation": invitation, "at": timezone.now(), **form.cleaned_data}
        if decided(form, invitations.revoke_invitation, **what) is not None:
            return dialogs.done(request, reverse("people"))
    return dialogs.show(
        request,
        title=f"Revoke the invitation of {invitation}",
        form=form,
        button="Revoke invitation",
        button_kind="danger",
        back=reverse("people"),
        warning="The link in the mail leads nowhere from then on. You can invite the person again.",
    )


def _find(request: PortalRequest, pk: int) -> Invitation:
    rows = Invitation.objects.visible_to(request.user).filter(organization=organization_of(request))
    return get_object_or_404(rows.select_related("organization", "team"), pk=pk)
