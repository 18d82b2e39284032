"""The dialogs about one's own password and MFA devices: freshly signed in, one use-case each, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, ReasonForm, decided
from accounts.models import IAMUser, MFADevice, MFARegistration
from accounts.usecases import console_access, mfa_devices
from accounts.views import dialogs, iam_users
from accounts.views.code_forms import TwoCodesForm
from accounts.views.fresh_sign_in import freshly_signed_in
from accounts.views.organization import PortalRequest
from accounts.views.own_console import find, find_own, page_of, sort_of

NEVER_LOGGED = sensitive_post_parameters("first_code", "second_code")


@require_http_methods(["GET", "POST"])
def reset_password(request: PortalRequest, pk: int) -> HttpResponse:
    """Reset password: whoever may not is told so before they are asked for a fresh sign-in."""
    return _reset_password(request, find_own(request, pk))


@freshly_signed_in
def _reset_password(request: PortalRequest, iam_user: IAMUser) -> HttpResponse:
    return _ask(
        request,
        OptionalReasonForm,
        console_access.reset_login_profile,
        about={"iam_user": iam_user},
        back=page_of(iam_user),
        title=f"Reset your password of {iam_user}",
        button="Reset password",
        warning="The password that you have ends as soon as AWS has the new one. That is sealed for you, and AWS asks "
        "you to change it when you first sign in with it.",
    )


@require_http_methods(["GET", "POST"])
def register(request: PortalRequest, pk: int) -> HttpResponse:
    """Register MFA device."""
    return _register(request, find_own(request, pk))


@freshly_signed_in
def _register(request: PortalRequest, iam_user: IAMUser) -> HttpResponse:
    return _ask(
        request,
        OptionalReasonForm,
        mfa_devices.start_registration,
        about={"iam_user": iam_user},
        back=page_of(iam_user),
        title=f"Register an MFA device for {iam_user}",
        button="Register MFA device",
        warning="For an authenticator app on your phone. A QR code is made for you alone and shown once. When you have "
        "scanned it, you type two codes that the app shows.",
    )


@NEVER_LOGGED
@require_http_methods(["GET", "POST"])
def enable(request: PortalRequest, pk: int) -> HttpResponse:
    """Enter the codes of a new MFA device."""
    iam_user = find_own(request, pk)
    registration = _open_registration(iam_user)
    return _ask_codes(
        request,
        mfa_devices.enable_device,
        about={"registration": registration},
        back=page_of(iam_user),
        title=f"Enter two codes of your new device for {iam_user}",
        button="Enable MFA device",
        warning=registration.words,
    )


@require_http_methods(["GET", "POST"])
def give_up(request: PortalRequest, pk: int) -> HttpResponse:
    """Give up a new MFA device. It takes no fresh sign-in: nothing is in use yet."""
    iam_user = find_own(request, pk)
    return _ask(
        request,
        OptionalReasonForm,
        mfa_devices.give_up_registration,
        about={"registration": _open_registration(iam_user)},
        back=page_of(iam_user),
        title=f"Give up your new MFA device of {iam_user}",
        button="Give up",
        button_kind="danger",
        warning="It is deleted in AWS, and what your app took over shows nothing of use any more. You can register "
        "another one at once.",
    )


@NEVER_LOGGED
@require_http_methods(["GET", "POST"])
def resync(request: PortalRequest, pk: int, device: int) -> HttpResponse:
    """Resync MFA device."""
    iam_user = find_own(request, pk)
    mfa_device = _device(iam_user, device)
    return _ask_codes(
        request,
        mfa_devices.resync_device,
        about={"mfa_device": mfa_device},
        back=page_of(iam_user),
        title=f"Resync your MFA device of {iam_user}",
        button="Resync MFA device",
        warning=f"{mfa_device}: where its clock went astray, AWS refuses its codes. By two in a row it learns how far.",
    )


@require_http_methods(["GET", "POST"])
def remove(request: PortalRequest, pk: int, device: int) -> HttpResponse:
    """Remove MFA device: its owner, or somebody who looks after the IAM user, for a lost phone."""
    iam_user = find(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    return _remove(request, _device(iam_user, device))


@freshly_signed_in
def _remove(request: PortalRequest, mfa_device: MFADevice) -> HttpResponse:
    iam_user = mfa_device.iam_user
    is_own = iam_user.owner_id == request.user.pk
    return _ask(
        request,
        ReasonForm,
        mfa_devices.remove_device,
        about={"mfa_device": mfa_device},
        back=page_of(iam_user) if is_own else iam_users.page_of(iam_user),
        title=f"Remove an MFA device of {iam_user}",
        button="Remove MFA device",
        button_kind="danger",
        warning=f"{sort_of(mfa_device)} {mfa_device}. {_what_is_left(iam_user, mfa_device)}",
    )


def _what_is_left(iam_user: IAMUser, mfa_device: MFADevice) -> str:
    """What it means for signing in."""
    if iam_user.mfa_devices.exclude(pk=mfa_device.pk).exists():
        return "Its other MFA devices stay."
    return (
        "It is the last one: from then on the password alone is enough to sign in, and what its policies allow only "
        "with MFA is refused. Register another one first, if the phone is at hand."
    )


def _device(iam_user: IAMUser, pk: int) -> MFADevice:
    return get_object_or_404(iam_user.mfa_devices.select_related("iam_user__account", "iam_user__organization"), pk=pk)


def _open_registration(iam_user: IAMUser) -> MFARegistration:
    """The new device of the IAM user that is being registered; 404 where there is none."""
    rows = MFARegistration.objects.open().new_devices().filter(iam_user=iam_user)
    return get_object_or_404(rows.select_related("iam_user__account", "iam_user__organization"))


def _ask_codes(request: PortalRequest, decide: Callable[..., object], **context: Any) -> HttpResponse:
    """Without allauth's way of carrying on after the sign-in: it would keep the codes in the session until then."""

    @reauthentication_required
    def ask(request: PortalRequest) -> HttpResponse:
        return _ask(request, TwoCodesForm, decide, **context)

    try:
        answer: HttpResponse = ask(request)
    except ReauthenticationRequired:
        if request.method != "POST" and not request.htmx:
            raise
        return dialogs.done(request, request.path)
    return answer


def _ask(
    request: PortalRequest,
    form_class: type[forms.Form],
    decide: Callable[..., object],
    *,
    about: dict[str, Any],
    back: str,
    **context: Any,
) -> HttpResponse:
    """`about` is what the use-case takes besides what the form asks; the form says how it went."""
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        decided(form, decide, by=request.user, at=timezone.now(), **about, **form.cleaned_data)
        if form.is_valid():
            return dialogs.done(request, back)
    return dialogs.show(request, form=form, back=back, **context)
