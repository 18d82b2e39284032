"""Following the link of an invitation: where somebody comes into an organization."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.forms import decided
from accounts.models import Invitation, Membership, Person
from accounts.models.invitation import hash_of
from accounts.usecases import invitations
from accounts.usecases.invitations import SignInFirst, SomebodyElse
from accounts.views import organization
from accounts.views.organization import PortalRequest
from accounts.views.people_forms import AcceptForm, JoinForm

# The link's hash: with it alone nobody who reads the sessions' table could follow the link.
SESSION_KEY = "invitation"
RATE = "invitation"


@never_cache
@login_not_required
@require_GET
def open_link(request: PortalRequest, key: str) -> HttpResponseBase:
    """Take the token out of the address at once: it would stand in histories, and in what the next site is told."""
    # Who asks too often is told so on the next page: addresses of errors are logged, and this one has the token in it.
    if _too_many(request) is None:
        request.session[SESSION_KEY] = hash_of(key)
    answer = redirect("accept_invitation")
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@never_cache
@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def accept(request: PortalRequest) -> HttpResponseBase:
    """Accept invitation."""
    refused = _too_many(request)
    if refused:
        return refused
    try:
        invitation = invitations.good_invitation(
            token_hash=str(request.session.get(SESSION_KEY, "")), at=timezone.now()
        )
        return _accept(request, invitation)
    except access.NotThere:
        return _no_good(request)
    except SomebodyElse as error:
        return _page(request, error.invitation, is_somebody_elses=True)
    except SignInFirst:
        # Whoever has the link may know that the e-mail has a sign-in; the mail went there.
        messages.info(request, "Sign in to accept the invitation.")
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': reverse('accept_invitation')})}")


def _accept(request: PortalRequest, invitation: Invitation) -> HttpResponse:
    by = _who(request.user)
    person = invitations.person_of(invitation)
    if by is not None and by != person:
        raise SomebodyElse(invitation)
    if by is None and person is not None:
        raise SignInFirst
    form = (JoinForm if by is None else AcceptForm)(request.POST or None, initial={"name": invitation.name})
    if request.method == "POST" and form.is_valid():
        what = {"by": by, "token_hash": request.session[SESSION_KEY], "at": timezone.now(), **form.cleaned_data}
        membership = decided(form, invitations.accept_invitation, **what)
        if membership is not None:
            return _welcome(request, membership, is_new=by is None)
    return _page(request, invitation, form=form)


def _who(asking: Person | AnonymousUser) -> Person | None:
    return asking if isinstance(asking, Person) else None


def _welcome(request: PortalRequest, membership: Membership, *, is_new: bool) -> HttpResponse:
    del request.session[SESSION_KEY]
    request.session[organization.SESSION_KEY] = membership.organization_id
    if is_new:
        messages.info(request, "You can sign in now, with your e-mail and the password that you chose.")
        return redirect(settings.LOGIN_URL)
    messages.info(request, f"You belong to {membership.organization} now.")
    return redirect("home")


def _page(request: PortalRequest, invitation: Invitation, **context: object) -> HttpResponse:
    return render(request, "accounts/invitation.html", {"invitation": invitation, **context})


def _too_many(request: PortalRequest) -> HttpResponseBase | None:
    """By allauth's own counting; its public door to it never counts a GET, and here that is the guess."""
    return ratelimit.consume_or_429(request, app="allauth.account", action=RATE, limit_get=True)


def _no_good(request: PortalRequest) -> HttpResponse:
    """Alike for every link that leads nowhere, whatever it once was."""
    return render(request, "accounts/invitation_gone.html", status=HTTPStatus.GONE)
