"""The dialogs of whoever has a secret waiting, or had one: give it up, hand it over, make its key inactive."""

from __future__ import annotations

import uuid

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.forms import OptionalReasonForm, decided
from accounts.secret_forms import HandOverForm
from accounts.usecases import own_secrets, sealed_secrets
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of
from portal.secrets.models import SealedSecret


@require_http_methods(["GET", "POST"])
def give_up(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Give up secret."""
    sealed = _find(request, pk)
    form, back = OptionalReasonForm(request.POST or None), reverse("secret", args=[sealed.pk])
    if request.method == "POST" and form.is_valid():
        told = {"by": request.user, "secret_id": pk, "at": timezone.now(), **form.cleaned_data}
        if decided(form, own_secrets.give_up_secret, **told) is not None:
            return dialogs.done(request, back)
    return dialogs.show(
        request,
        form=form,
        back=back,
        title="Give up this secret",
        button="Give up secret",
        button_kind="danger",
        warning="It is wiped without being shown, and its access key is deleted in AWS. In a rotation the old key "
        "stays as it is, and you can start anew.",
    )


@require_http_methods(["GET", "POST"])
def hand_over(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand over secret; it takes a fresh sign-in, as seeing it does."""
    _find(request, pk)
    return _hand_over(request, pk)


@reauthentication_required
def _hand_over(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    back = reverse("secret", args=[pk])
    form = HandOverForm(request.POST or None, by=request.user, organization=organization_of(request))
    if request.method == "POST" and form.is_valid():
        told = {"by": request.user, "secret_id": pk, "at": timezone.now(), **form.cleaned_data}
        if decided(form, own_secrets.hand_over_secret, **told) is not None:
            return dialogs.done(request, reverse("home"))
    return dialogs.show(
        request,
        form=form,
        back=back,
        title="Hand over this secret",
        button="Hand over secret",
        warning="It is sealed for them instead, and they get a mail. You can no longer open it. The key stays yours: "
        "you answer for it.",
    )


@require_http_methods(["GET", "POST"])
def stop_key(request: PortalRequest, pk: uuid.UUID) -> HttpResponse:
    """Make key inactive, because somebody else may have its secret. No fresh sign-in: it must be quick."""
    access_key, iam_user = own_secrets.require_key_of(by=request.user, secret_id=pk)
    if iam_user.organization_id != organization_of(request).pk:
        raise access.NotThere
    form, back = OptionalReasonForm(request.POST or None), _page_of(request, pk)
    if request.method == "POST" and form.is_valid():
        told = {"by": request.user, "secret_id": pk, "at": timezone.now(), **form.cleaned_data}
        if decided(form, own_secrets.stop_key, **told) is not None:
            return dialogs.done(request, back)
    return dialogs.show(
        request,
        form=form,
        back=back,
        title=f"Make {access_key} inactive",
        button="Make key inactive",
        button_kind="danger",
        warning=f"Nothing works with this key of {iam_user} any more. If it came from a rotation, that ends, and the "
        "old key stays as it is.",
    )


def _find(request: PortalRequest, pk: uuid.UUID) -> SealedSecret:
    sealed = sealed_secrets.require_recipient(by=request.user, secret_id=pk)
    if sealed.organization_id != organization_of(request).pk:
        raise access.NotThere
    return sealed


def _page_of(request: PortalRequest, pk: uuid.UUID) -> str:
    """The secret's page, which its recipient alone may see."""
    is_recipient = SealedSecret.objects.filter(pk=pk, recipient=request.user.pk).exists()
    return reverse("secret", args=[pk]) if is_recipient else reverse("home")
