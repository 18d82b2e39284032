"""What the page of an IAM user says of its password and keys beside AWS's facts: what waits, and for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.urls import reverse

from accounts import access
from accounts.access import Permission
from accounts.models import AccessKey, IAMUser, LoginProfile, Organization, Person
from accounts.models.sealed import Bond, Purpose, sealed_for
from accounts.usecases.first_keys import KEYS_PER_USER
from portal.secrets import seal
from portal.secrets.models import SealedSecret


def of_iam_user(
    *, by: Person, iam_user: IAMUser, profile: LoginProfile | None, keys: Collection[AccessKey], at: datetime
) -> dict[str, Any]:
    """For the cards "Console access" and "Access keys"."""
    last = sealed_for(iam_user, Purpose.PASSWORD).defer(*seal.WIPED).order_by("-created_at", "-pk").first()
    is_ready = last is not None and last.state == SealedSecret.State.READY and last.expires_at > at
    is_missed = last is not None and not is_ready and last.opened_at is None
    return {
        "waiting_password": _waiting(last, by) if last is not None and is_ready else None,
        # Of one that was replaced by another nobody needs to know.
        "is_password_missed": is_missed and profile is not None,
        "console_buttons": list(_console_buttons(by, iam_user, profile)),
        "key_address": _key_address(by, iam_user, has_room=len(keys) < KEYS_PER_USER),
        "removable_devices": list(_removable_devices(by, iam_user)),
        "own_console_address": reverse("own_console", args=[iam_user.pk]) if iam_user.owner_id == by.pk else "",
    }


def waiting_keys(*, by: Person, iam_user: IAMUser, at: datetime) -> dict[str, dict[str, Any]]:
    """By the ids of its access keys: whose secret waits for whom."""
    waiting = sealed_for(iam_user, Purpose.ACCESS_KEY).ready().filter(expires_at__gt=at)
    return {Bond.of(sealed).id: _waiting(sealed, by) for sealed in waiting.select_related("recipient")}


def waiting_for(*, person: Person, organization: Organization, at: datetime) -> list[dict[str, Any]]:
    """What waits for the person to open it, most urgent first."""
    waiting = SealedSecret.objects.of(organization).ready().filter(recipient=person.pk, expires_at__gt=at)
    rows = [(sealed, Bond.of(sealed)) for sealed in waiting.defer(*seal.WIPED).order_by("expires_at", "pk")]
    iam_users = IAMUser.objects.select_related("account").in_bulk([bond.iam_user_id for _, bond in rows])
    return [
        {"sealed": sealed, "iam_user": iam_users[bond.iam_user_id], "address": reverse("secret", args=[sealed.pk])}
        for sealed, bond in rows
    ]


def _waiting(sealed: SealedSecret, by: Person) -> dict[str, Any]:
    is_mine = sealed.recipient_id == by.pk
    address = reverse("secret", args=[sealed.pk]) if is_mine else ""
    return {"sealed": sealed, "recipient": "you" if is_mine else sealed.recipient, "address": address}


def _console_buttons(by: Person, iam_user: IAMUser, profile: LoginProfile | None) -> list[dict[str, str]]:
    if not _may(by, Permission.CHANGE_CONSOLE_ACCESS, iam_user):
        return []
    offered = {"create": "Create"} if profile is None else {"reset": "Reset password", "remove": "Remove"}
    return [
        {"words": words, "address": reverse(f"{name}_console_access", args=[iam_user.pk])}
        for name, words in offered.items()
    ]


def _removable_devices(by: Person, iam_user: IAMUser) -> Iterator[dict[str, object]]:
    """For whoever looks after it, when somebody has lost a phone; its owner has a page for that."""
    if iam_user.owner_id != by.pk and _may(by, Permission.CHANGE_CONSOLE_ACCESS, iam_user):
        for device in iam_user.mfa_devices.order_by("pk"):
            yield {"device": device, "address": reverse("remove_mfa_device", args=[iam_user.pk, device.pk])}


def _key_address(by: Person, iam_user: IAMUser, *, has_room: bool) -> str:
    may = has_room and _may(by, Permission.CREATE_ACCESS_KEY, iam_user)
    return reverse("create_access_key", args=[iam_user.pk]) if may else ""


def _may(by: Person, to: Permission, iam_user: IAMUser) -> bool:
    return iam_user.is_in_aws and access.may(by=by, to=to, organization=iam_user.organization, team=iam_user.team)
