"""The dialogs about keys outside a rotation: each asks, calls one use-case, and leads back to where one came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import AccessKey
from accounts.usecases import access_keys
from accounts.views import dialogs
from accounts.views.fresh_sign_in import freshly_signed_in
from accounts.views.key_slots import back_of, find_key
from accounts.views.organization import PortalRequest
from accounts.views.rotations import use_in_words


@require_http_methods(["GET", "POST"])
def make_inactive(request: PortalRequest, pk: int) -> HttpResponse:
    """Make key inactive."""
    access_key = _changeable(request, pk)
    return _ask(
        request,
        access_key,
        access_keys.make_key_inactive,
        title=f"Make key {access_key} inactive",
        button="Make key inactive",
        warning=f"{_used(access_key)} AWS refuses whatever has it from then on. It can be undone with Make key active.",
    )


@require_http_methods(["GET", "POST"])
def make_active(request: PortalRequest, pk: int) -> HttpResponse:
    """Make key active."""
    access_key = _changeable(request, pk)
    return _ask(
        request,
        access_key,
        access_keys.make_key_active,
        title=f"Make key {access_key} active",
        button="Make key active",
        warning="Whatever has it works again within seconds.",
    )


@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Delete access key: whoever may not is told so before they are asked for a fresh sign-in."""
    return _delete(request, _changeable(request, pk))


@freshly_signed_in
def _delete(request: PortalRequest, access_key: AccessKey) -> HttpResponse:
    return _ask(
        request,
        access_key,
        access_keys.delete_access_key,
        title=f"Delete access key {access_key}",
        button="Delete access key",
        button_kind="danger",
        warning=f"{_used(access_key)} AWS deletes it for good. It cannot be undone.",
    )


def _changeable(request: PortalRequest, pk: int) -> AccessKey:
    """The key for a form. The use-case asks again; here it saves people a form that could only be refused."""
    access_key = find_key(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_ACCESS_KEYS, iam_user=access_key.iam_user)
    return access_key


def _ask(
    request: PortalRequest, access_key: AccessKey, decide: Callable[..., AccessKey], **context: Any
) -> HttpResponse:
    form, back = OptionalReasonForm(request.POST if request.method == "POST" else None), _back(request, access_key)
    if request.method == "POST" and form.is_valid():
        done = decided(form, decide, by=request.user, access_key=access_key, at=timezone.now(), **form.cleaned_data)
        if done is not None:
            return dialogs.done(request, back)
    return dialogs.show(request, form=form, back=back, **context)


def _back(request: PortalRequest, access_key: AccessKey) -> str:
    """Back to the assistant that makes room for rotating another key, else to where one's keys are."""
    rotating = request.GET.get("rotate", "")
    others = AccessKey.objects.present().filter(iam_user=access_key.iam_user)
    if rotating.isascii() and rotating.isdigit() and others.filter(pk=int(rotating[:18])).exists():
        return reverse("start_rotation", args=[int(rotating[:18])])
    return back_of(request, access_key.iam_user)


def _used(access_key: AccessKey) -> str:
    """What is known of its use, before somebody takes it away."""
    if access_key.last_used_date is not None:
        return f"It was last used {use_in_words(access_key)}."
    if access_key.last_used_read_at is not None:
        return "AWS has never seen it used."
    return "Its last use is not known yet."
