"""Rotate key: the question, or where AWS has no room for another key, which of them may go first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import AccessKey, IAMUser, KeyDestination, Rotation
from accounts.secret_forms import OwnKeyForm
from accounts.usecases import rotation as usecases
from accounts.usecases.first_keys import KEYS_PER_USER
from accounts.views import dialogs
from accounts.views.fresh_sign_in import freshly_signed_in
from accounts.views.key_proposals import propose
from accounts.views.key_rows import Change, KeyRow, KeyRows
from accounts.views.organization import PortalRequest, organization_of


@require_http_methods(["GET", "POST"])
def start_rotation(request: PortalRequest, pk: int) -> HttpResponse:
    """Rotate key: the rotation that is open already, else the assistant where AWS has no room, else the question."""
    access_key = find_key(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CREATE_ACCESS_KEY, iam_user=access_key.iam_user)
    open_one = Rotation.objects.open().filter(iam_user=access_key.iam_user).first()
    if open_one is not None:
        return dialogs.done(request, reverse("rotation", args=[open_one.pk]))
    if AccessKey.objects.present().filter(iam_user=access_key.iam_user).count() >= KEYS_PER_USER:
        return _make_room(request, access_key)
    return _start(request, access_key)


@require_GET
def slots(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the assistant that changes while something is on its way."""
    access_key = find_key(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CREATE_ACCESS_KEY, iam_user=access_key.iam_user)
    return render(request, "accounts/_key_slots.html", _slots(request, access_key))


def find_key(request: PortalRequest, pk: int) -> AccessKey:
    """The key, if AWS holds it and the person sees its IAM user in the organization they are looking at; else 404."""
    rows = AccessKey.objects.present().filter(organization=organization_of(request))
    related = ("iam_user__account", "iam_user__organization", "iam_user__owner", "iam_user__team")
    return get_object_or_404(rows.filter(pk__in=_seen(request)).select_related(*related), pk=pk)


def _seen(request: PortalRequest) -> Any:
    return AccessKey.objects.visible_to(request.user).values("pk")


@freshly_signed_in
def _start(request: PortalRequest, access_key: AccessKey) -> HttpResponse:
    iam_user, destination = access_key.iam_user, KeyDestination.objects.filter(iam_user=access_key.iam_user).first()
    is_own = iam_user.owner_id == request.user.pk and destination is None
    form = (OwnKeyForm if is_own else OptionalReasonForm)(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        started = decided(
            form, usecases.start_rotation, by=request.user, access_key=access_key, at=timezone.now(),
            **form.cleaned_data,
        )  # fmt: skip
        if started is not None:
            return dialogs.done(request, reverse("rotation", args=[started.pk]))
    return dialogs.show(
        request,
        title=f"Rotate key {access_key}",
        form=form,
        button="Rotate key",
        back=back_of(request, iam_user),
        fields="accounts/_own_key_fields.html" if is_own else None,
        warning=f"A second key is made beside this one, and {_where_to(iam_user, destination, is_own=is_own)} This one "
        "goes on working until the new one is proven and you make this one inactive yourself.",
    )


def _where_to(iam_user: IAMUser, destination: KeyDestination | None, *, is_own: bool) -> str:
    if destination is not None:
        return f"put into {destination}, where the application reads it."
    whose = "you and this browser; another browser cannot open it" if is_own else str(iam_user.owner or "its owner")
    gone = f"A secret that nobody opens within {settings.SECRET_HOURS} hours is wiped, and its key deleted."
    return f"its secret sealed for {whose}. {gone}"


def _make_room(request: PortalRequest, access_key: AccessKey) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRedirect(request.get_full_path())
    return render(request, "accounts/key_slots.html", _slots(request, access_key))


def _slots(request: PortalRequest, access_key: AccessKey) -> dict[str, Any]:
    now, organization = timezone.now(), organization_of(request)
    iam_user = IAMUser.objects.with_facts().get(pk=access_key.iam_user_id)
    rows = KeyRows(by=request.user, organization=organization, iam_users=[iam_user], at=now)
    keys = rows.of(iam_user)
    proposal = propose([row.key for row in keys], at=now) if len(keys) >= KEYS_PER_USER else None
    proposed = next((row for row in keys if proposal and row.key == proposal.access_key), None)
    return {
        "access_key": access_key,
        "iam_user": iam_user,
        # The page itself is about rotating: below, a key is only looked at and changed.
        "keys": [replace(row, rotate_address="") for row in keys],
        "most": KEYS_PER_USER,
        "too_many": len(keys) - KEYS_PER_USER + 1,
        "proposal": proposal,
        "proposed": proposed,
        "change": _change(proposed, access_key),
        "is_itself": proposed is not None and proposed.key == access_key,
        "reading": iam_user.imports.open().first(),
        "is_moving": any(row.is_moving for row in keys) or iam_user.imports.open().exists(),
        "back": back_of(request, iam_user),
        "up_words": "My access" if iam_user.owner_id == request.user.pk else str(iam_user),
        "subtitle": f"{access_key}, {iam_user} in {iam_user.account.name}",
    }


def _change(proposed: KeyRow | None, rotating: AccessKey) -> Change | None:
    """What is proposed to do with it: what is active is made inactive first, and only then deleted."""
    if proposed is None or not proposed.changes:
        return None
    change = proposed.changes[-1]
    return Change(change.words, f"{change.address}?rotate={rotating.pk}")


def back_of(request: PortalRequest, iam_user: IAMUser) -> str:
    """Where Cancel leads: one's own things, or the IAM user that one looks after."""
    is_own = iam_user.owner_id == request.user.pk
    return reverse("my_access") if is_own else reverse("iam_user", args=[iam_user.pk])
