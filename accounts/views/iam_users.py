"""The page of one IAM user."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import access, envelope
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import AccountImport, Drift, IAMUser, KeyDestination, Offboarding
from accounts.usecases import imports
from accounts.views import credentials, states
from accounts.views.access_in_words import effective_access
from accounts.views.attached_policies import policies_of
from accounts.views.drift import waiting_of
from accounts.views.group_grants import granted_groups
from accounts.views.key_rows import KeyRow, KeyRows
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.way_to_aws import history_of, on_its_way, open_deliveries_of
from portal.ledger.models import Delivery, Entry


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """Everything about one IAM user."""
    return render(request, "accounts/iam_user.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes when a delivery arrives."""
    return render(request, "accounts/_iam_user_facts.html", _context(request, pk))


@require_GET
def state(request: PortalRequest, pk: int) -> HttpResponse:
    """The badge in a list's row."""
    iam_user = find(request, pk)
    delivery = _speaking(list(open_deliveries_of(Entry.objects.of(iam_user.organization).about("iam_user", pk))))
    shown = states.of_iam_user(iam_user, delivery, at=timezone.now())
    return render(request, "accounts/_iam_user_state.html", {"iam_user": iam_user, "shown": shown})


def find(request: PortalRequest, pk: int) -> IAMUser:
    """The IAM user, if the person sees it in the organization they are looking at; else 404."""
    organization = organization_of(request)
    iam_user = get_object_or_404(IAMUser.objects.seen_in(organization, by=request.user).with_facts(), pk=pk)
    # Not read again by whatever asks for it.
    iam_user.organization = organization
    return iam_user


def changeable(request: PortalRequest, pk: int, permission: Permission) -> IAMUser:
    """The IAM user for a form. The use-case asks again; here it saves people a form that could only be refused."""
    iam_user = find(request, pk)
    access.require_on_iam_user(by=request.user, to=permission, iam_user=iam_user)
    return iam_user


def page_of(iam_user: IAMUser) -> str:
    """Its page's address."""
    return reverse("iam_user", args=[iam_user.pk])


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    iam_user, now = find(request, pk), timezone.now()
    profile = getattr(iam_user, "login_profile", None)
    entries = Entry.objects.of(iam_user.organization).about("iam_user", iam_user.pk)
    open_deliveries = list(open_deliveries_of(entries))
    pending, reading = on_its_way(request, open_deliveries, at=now), iam_user.imports.open().first()
    keys = [key for key in iam_user.access_keys.all() if key.gone_at is None]
    allowed, outside = _allowed(request, iam_user), envelope.outside(iam_user)
    return {
        "iam_user": iam_user,
        "shown": states.of_iam_user(iam_user, _speaking(open_deliveries), at=now),
        "pending": pending,
        "is_moving": any(row["shown"].is_moving for row in pending) or reading is not None,
        "keys": _keys(request, iam_user, now),
        **_destination(request, iam_user),
        "known": iam_user.known_from(iam_user.account),
        "credentials": iam_user.iam_credentials.order_by("kind", "create_date", "pk"),
        "policies": policies_of(
            iam_user, open_deliveries, outside=outside.policy_arns, may_change=bool(allowed["may_change_policies"])
        ),
        "access": effective_access(iam_user),
        "outside": outside,
        "outside_words": f"Outside the envelope of team {iam_user.team}",
        "reading": reading,
        "failed_reading": _failed_reading(iam_user),
        "mfa_devices": iam_user.mfa_devices.order_by("pk"),
        "subtitle": _subtitle(iam_user),
        "login_profile": profile,
        **credentials.of_iam_user(by=request.user, iam_user=iam_user, profile=profile, keys=keys, at=now),
        "memberships": _memberships(iam_user, open_deliveries),
        "drift": waiting_of(iam_user),
        "history": history_of(entries, at=now),
        **allowed,
    }


def _destination(request: PortalRequest, iam_user: IAMUser) -> dict[str, Any]:
    """Where an application's new keys go, and whether to offer another place."""
    if iam_user.kind != IAMUser.Kind.APPLICATION:
        return {}
    team, may = iam_user.team, iam_user.owner_id == request.user.pk
    to = Permission.CREATE_ACCESS_KEY
    may = may or access.may(by=request.user, to=to, organization=iam_user.organization, team=team)
    destination = KeyDestination.objects.filter(iam_user=iam_user).first()
    return {"destination": destination, "may_set_destination": may and iam_user.is_in_aws and iam_user.owner_id}


def _keys(request: PortalRequest, iam_user: IAMUser, now: datetime) -> list[KeyRow]:
    """Each key, what is due of it, and whose its secret waits for."""
    rows = KeyRows(by=request.user, organization=iam_user.organization, iam_users=[iam_user], at=now)
    return rows.of(iam_user, credentials.waiting_keys(by=request.user, iam_user=iam_user, at=now))


def _failed_reading(iam_user: IAMUser) -> AccountImport | None:
    """The last reading of this IAM user by itself, where it failed and nothing newer is known."""
    last = iam_user.imports.order_by("-created_at", "-pk").first()
    if last is None or last.state != AccountImport.State.FAILED:
        return None
    known_at = iam_user.known_from(iam_user.account).at
    return last if known_at is None or known_at < last.created_at else None


@require_POST
def refresh(request: PortalRequest, pk: int) -> HttpResponse:
    """Refresh now."""
    iam_user = find(request, pk)
    try:
        imports.refresh_iam_user(by=request.user, iam_user=iam_user, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("iam_user", pk=iam_user.pk)


def _speaking(deliveries: list[Delivery]) -> Delivery | None:
    stuck = [delivery for delivery in deliveries if delivery.state == Delivery.State.STUCK]
    return next(iter([*stuck, *deliveries]), None)


def _memberships(iam_user: IAMUser, deliveries: list[Delivery]) -> list[dict[str, Any]]:
    """The groups that AWS holds it in, and those that are on their way in or out."""
    held = iam_user.group_memberships.select_related("iam_group").order_by("iam_group__group_name", "pk")
    leaving = _groups_of(deliveries, Kind.IAM_USER_REMOVED_FROM_GROUP) | _reverted(deliveries, "held", "decided")
    grants = granted_groups(iam_user)
    rows = [
        {
            "name": row.iam_group.group_name,
            "membership": row,
            "is_leaving": row.iam_group.group_name in leaving,
            "grants": grants.get(row.iam_group.group_name.lower(), []),
        }
        for row in held
    ]
    known = {row["name"] for row in rows}
    coming = _groups_of(deliveries, Kind.IAM_USER_ADDED_TO_GROUP, Kind.IAM_USER_CREATED) - known
    coming |= _reverted(deliveries, "decided", "held") - known
    return rows + [{"name": name, "is_coming": True, "grants": grants.get(name.lower(), [])} for name in sorted(coming)]


def _groups_of(deliveries: list[Delivery], *kinds: Kind) -> set[str]:
    names: set[str] = set()
    for delivery in deliveries:
        if delivery.entry.kind in kinds:
            details = delivery.entry.details
            names |= {details["group"]} if "group" in details else set(details.get("groups", ()))
    return names


def _reverted(deliveries: list[Delivery], of: str, less: str) -> set[str]:
    """The groups that reverts on their way put back, or take away."""
    reverts = [delivery.entry.details for delivery in deliveries if delivery.entry.kind == Kind.DRIFT_REVERTED]
    of_groups = [details for details in reverts if details["attribute"] == Drift.Attribute.GROUPS]
    return {name for details in of_groups for name in set(details[of]) - set(details[less])}


def _subtitle(iam_user: IAMUser) -> str:
    team = f"team {iam_user.team}" if iam_user.team else "no team"
    return f"{iam_user.get_kind_display()} in {iam_user.account.name}, {team}"


def _allowed(request: PortalRequest, iam_user: IAMUser) -> dict[str, Any]:
    """Which buttons to offer: courtesy only, the use-cases decide again. An empty address offers none."""
    asked = {
        "may_tag": Permission.TAG_IAM_USER,
        "may_change_groups": Permission.CHANGE_GROUPS,
        "may_delete": Permission.DELETE_IAM_USER,
        "may_change": Permission.CHANGE_IAM_USER,
        "may_change_policies": Permission.CHANGE_POLICIES,
        "may_change_boundary": Permission.CHANGE_BOUNDARY,
    }
    is_own = iam_user.owner_id == request.user.pk
    may_decide = access.may(
        by=request.user, to=Permission.DECIDE_DRIFT, organization=iam_user.organization, team=iam_user.team
    )
    allowed = {
        name: iam_user.is_in_aws
        and access.may(by=request.user, to=to, organization=iam_user.organization, team=iam_user.team)
        for name, to in asked.items()
    }
    # A lead whose team must have no boundary has none to set.
    allowed["may_change_boundary"] = allowed["may_change_boundary"] and envelope.may_set_a_boundary(
        by=request.user, iam_user=iam_user
    )
    may_ask = allowed["may_change"] and not allowed["may_change_boundary"]
    may_assign = iam_user.gone_at is None and access.may(
        by=request.user, to=Permission.ASSIGN_IAM_USER, organization=iam_user.organization, team=iam_user.team
    )
    return allowed | {
        "ask_boundary_address": reverse("request_boundary", args=[iam_user.pk]) if may_ask else "",
        "assign_address": f"{reverse('assign_iam_users')}?iam_user={iam_user.pk}" if may_assign else "",
        # Also of one that is gone: that is drift too.
        "may_decide_drift": may_decide,
        "may_give_back": iam_user.gone_at is None and (is_own or allowed["may_change_groups"]),
        "add_address": reverse("add_to_group", args=[iam_user.pk]) if allowed["may_change_groups"] else "",
        "attach_address": reverse("attach_policy", args=[iam_user.pk]) if allowed["may_change_policies"] else "",
        "offboarding": Offboarding.objects.open().visible_to(request.user).filter(iam_users__iam_user=iam_user).first(),
        "offboard_address": _offboard_address(request, iam_user),
        "tag_address": reverse("tag_iam_user", args=[iam_user.pk]) if allowed["may_tag"] else "",
    }


def _offboard_address(request: PortalRequest, iam_user: IAMUser) -> str:
    """Where its owner is offboarded, for those who may."""
    owner = iam_user.owner
    if owner is None or not access.may_offboard(by=request.user, organization=iam_user.organization, person=owner):
        return ""
    return reverse("offboard_person", args=[owner.pk])
