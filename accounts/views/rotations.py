"""The page of a rotation: how far it is, the one next step, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, ReasonForm, decided
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Rotation
from accounts.usecases import imports
from accounts.usecases import rotation as usecases
from accounts.usecases.stuck_steps import gives_way
from accounts.views import dialogs
from accounts.views.due import due_of
from accounts.views.fresh_sign_in import freshly_signed_in
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.rotation_steps import (
    HELD_UP,
    NOT_MADE,
    Next,
    moment_in_words,
    next_of,
    of_rotation,
    sealed_of,
    steps_of,
)
from accounts.views.way_to_aws import history_of, on_its_way, open_deliveries_of
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret

State = Rotation.State
OF_SECRETS = (Kind.SECRET_OPENED, Kind.SECRET_ASKED_AGAIN, Kind.SECRET_EXPIRED)


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One rotation."""
    return render(request, "accounts/rotation.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while something is on its way."""
    return render(request, "accounts/_rotation.html", _context(request, pk))


@require_POST
def refresh(request: PortalRequest, pk: int) -> HttpResponse:
    """Refresh now: read the IAM user's keys and their last use."""
    rotation = find(request, pk)
    try:
        imports.refresh_iam_user(by=request.user, iam_user=rotation.iam_user, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("rotation", pk=pk)


@require_http_methods(["GET", "POST"])
def make_inactive(request: PortalRequest, pk: int) -> HttpResponse:
    """Make old key inactive."""
    rotation = changeable(request, pk)
    why = _why_not_yet(rotation)
    return _ask(
        request,
        rotation,
        usecases.make_old_key_inactive,
        title=f"Make old key {rotation.old_key} inactive",
        button="Make old key inactive",
        warning=f"{why}AWS refuses the old key within seconds. It can be undone with Make old key active.",
        needs_reason=bool(why),
    )


@require_http_methods(["GET", "POST"])
def make_active(request: PortalRequest, pk: int) -> HttpResponse:
    """Make old key active."""
    rotation = changeable(request, pk)
    return _ask(
        request,
        rotation,
        usecases.make_old_key_active,
        title=f"Make old key {rotation.old_key} active",
        button="Make old key active",
        warning="What still has the old key works again within seconds. The new key works as before. "
        "Once you have found what missed it, make the old key inactive again.",
    )


@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Delete old key: whoever may not is told so before they are asked for a fresh sign-in."""
    return _delete(request, changeable(request, pk))


@freshly_signed_in
def _delete(request: PortalRequest, rotation: Rotation) -> HttpResponse:
    is_watched = rotation.is_watched(at=timezone.now())
    until = moment_in_words(rotation.watch_until) if rotation.watch_until else ""
    why = f"It is watched until {until}, so that what misses it can show. " if is_watched else ""
    return _ask(
        request,
        rotation,
        usecases.delete_old_key,
        title=f"Delete old key {rotation.old_key}",
        button="Delete old key",
        button_kind="danger",
        warning=f"{why}AWS deletes it for good. It cannot be undone.",
        needs_reason=is_watched,
    )


@require_http_methods(["GET", "POST"])
def give_up(request: PortalRequest, pk: int) -> HttpResponse:
    """Give up rotation."""
    return _give_up(request, changeable(request, pk))


@freshly_signed_in
def _give_up(request: PortalRequest, rotation: Rotation) -> HttpResponse:
    return _ask(
        request,
        rotation,
        usecases.give_up_rotation,
        title="Give up rotation",
        button="Give up rotation",
        button_kind="danger",
        warning=f"The new key {rotation.new_key or ''} is deleted and its secret wiped, which cannot be undone. "
        f"The old key {rotation.old_key} stays as it is. Another rotation can be started.",
    )


def find(request: PortalRequest, pk: int) -> Rotation:
    """The rotation, if the person sees its IAM user in the organization they are looking at; else 404."""
    rows = Rotation.objects.visible_to(request.user).filter(organization=organization_of(request))
    related = ("iam_user__account", "iam_user__team", "iam_user__organization", "old_key", "new_key")
    return get_object_or_404(rows.select_related("organization", "recipient", "started_by", *related), pk=pk)


def changeable(request: PortalRequest, pk: int) -> Rotation:
    """The rotation for a form. The use-case asks again; here it saves people a form that could only be refused."""
    rotation = find(request, pk)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_ACCESS_KEYS, iam_user=rotation.iam_user)
    return rotation


def _ask(
    request: PortalRequest,
    rotation: Rotation,
    decide: Callable[..., Rotation],
    *,
    needs_reason: bool = False,
    **context: Any,
) -> HttpResponse:
    form_class = ReasonForm if needs_reason else OptionalReasonForm
    form, back = form_class(request.POST if request.method == "POST" else None), reverse("rotation", args=[rotation.pk])
    if request.method == "POST" and form.is_valid():
        done = decided(form, decide, by=request.user, rotation=rotation, at=timezone.now(), **form.cleaned_data)
        if done is not None:
            return dialogs.done(request, back)
    return dialogs.show(request, form=form, back=back, **context)


def _why_not_yet(rotation: Rotation) -> str:
    """Why the old key should not be made inactive yet; nothing where it may."""
    if rotation.old_key_was_used_since:
        return f"The old key was used {use_in_words(rotation.old_key)}, after the new one was in use. "
    if rotation.state != State.PROVEN:
        return "Nobody has seen the new key work yet: if it does not, nothing works until you undo this. "
    return ""


def use_in_words(access_key: AccessKey) -> str:
    """When, for what and where it was last used: "on 3 November at 12:00 UTC for s3 in eu-west-1"."""
    when = moment_in_words(access_key.last_used_date) if access_key.last_used_date else "at an unknown time"
    service = f" for {access_key.last_used_service}" if access_key.last_used_service else ""
    region = f" in {access_key.last_used_region}" if access_key.last_used_region else ""
    return f"on {when}{service}{region}"


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    rotation, now = find(request, pk), timezone.now()
    iam_user = rotation.iam_user
    of_iam_user = Entry.objects.of(rotation.organization).about("iam_user", iam_user.pk)
    entries = _entries_of(rotation, of_iam_user)
    pending = on_its_way(request, open_deliveries_of(of_iam_user), at=now)
    # What is stuck about keys gives way to what is decided next.
    in_the_way = [row for row in pending if not gives_way(row["delivery"])]
    may_decide = _may_change(request, iam_user) and not in_the_way
    reading = iam_user.imports.open().first()
    return {
        "rotation": rotation,
        "iam_user": iam_user,
        "shown": of_rotation(rotation),
        "steps": steps_of(rotation, {entry.kind: entry for entry in entries.order_by("sequence")}),
        "next": _next(rotation, request, pending, sealed=sealed_of(rotation, at=now), may_decide=may_decide, now=now),
        "keys": _keys(rotation, now),
        "still_used": _still_used(rotation),
        "pending": pending,
        "reading": reading,
        "is_moving": reading is not None
        or _is_followed_soon(rotation)
        or any(one["shown"].is_moving for one in pending),
        **_head(rotation, request),
        "may_prove": may_decide and rotation.state == State.DELIVERED,
        "history": history_of(entries, at=now),
        **_ways_back(rotation, may_decide=may_decide, is_stuck=bool(pending)),
    }


def _head(rotation: Rotation, request: PortalRequest) -> dict[str, Any]:
    is_own, iam_user = rotation.iam_user.owner_id == request.user.pk, rotation.iam_user
    return {
        "is_own": is_own,
        "up_words": "My access" if is_own else str(iam_user),
        "subtitle": f"{rotation.old_key}, {iam_user} in {iam_user.account.name}",
    }


def _next(
    rotation: Rotation,
    request: PortalRequest,
    pending: list[dict[str, Any]],
    *,
    sealed: SealedSecret | None,
    may_decide: bool,
    now: datetime,
) -> Next:
    in_the_way = [row["delivery"] for row in pending if not gives_way(row["delivery"])]
    if any(delivery.state == Delivery.State.STUCK for delivery in in_the_way):
        return HELD_UP
    if in_the_way:
        return Next("Nothing to do at the moment", "What was decided is on its way to AWS; this page follows.")
    if pending and rotation.state == State.STARTED:
        return NOT_MADE
    step = next_of(rotation, by=request.user, at=now, sealed=sealed)
    return step if may_decide else replace(step, button="", address="")


def _ways_back(rotation: Rotation, *, may_decide: bool, is_stuck: bool) -> dict[str, str]:
    """What else may be decided now, by the address of its dialog; an empty one offers nothing."""
    is_new_in_use = rotation.new_key is not None and rotation.new_key.last_used_date is not None
    offered = {
        "undo_address": ("make_old_key_active", rotation.state == State.DEACTIVATED),
        "skip_address": ("make_old_key_inactive", rotation.state == State.DELIVERED),
        "give_up_address": (
            "give_up_rotation",
            (rotation.state in (State.MADE, State.DELIVERED) and not is_new_in_use)
            or (rotation.state == State.STARTED and is_stuck),
        ),
    }
    return {
        key: reverse(name, args=[rotation.pk]) if may_decide and is_offered else ""
        for key, (name, is_offered) in offered.items()
    }


def _entries_of(rotation: Rotation, of_iam_user: QuerySet[Entry]) -> QuerySet[Entry]:
    """What was decided in it, and what became of the new key's secret."""
    within = Q(details__rotation=rotation.pk)
    if rotation.new_key is not None:
        within |= Q(kind__in=OF_SECRETS, details__access_key_id=rotation.new_key.access_key_id)
    return of_iam_user.filter(within)


def _keys(rotation: Rotation, now: datetime) -> list[dict[str, Any]]:
    """Both keys side by side, the old one first."""
    account = rotation.iam_user.account
    named = (("Old key", rotation.old_key), ("New key", rotation.new_key))
    return [
        {
            "title": title,
            "key": key,
            "age": key.age_days(at=now) if key else 0,
            "known": key.known_from(account) if key else None,
            "due": due_of(key, organization=rotation.organization, at=now) if key and key.gone_at is None else None,
        }
        for title, key in named
    ]


def _still_used(rotation: Rotation) -> str:
    """The warning that something still has the old key."""
    if rotation.state not in (State.PROVEN, State.DEACTIVATED) or not rotation.old_key_was_used_since:
        return ""
    return f"Last {use_in_words(rotation.old_key)}, after the new key was in use already."


def _is_followed_soon(rotation: Rotation) -> bool:
    """Whether AWS was read to hold something that the rotation follows within a minute."""
    new_key = rotation.new_key
    return rotation.state == State.DELIVERED and new_key is not None and new_key.last_used_date is not None


def _may_change(request: PortalRequest, iam_user: IAMUser) -> bool:
    """Whether to offer the steps: courtesy only, the use-cases decide again."""
    is_own = iam_user.owner_id == request.user.pk
    return is_own or access.may(
        by=request.user, to=Permission.CHANGE_ACCESS_KEYS, organization=iam_user.organization, team=iam_user.team
    )
