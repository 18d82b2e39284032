"""Deciding about console access: create, reset and remove the login profile of an IAM user.

Whoever decides never sees the password: the worker makes it, and it is sealed for the IAM user's owner.
"""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope, owners
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import IAMUser, LoginProfile, Person
from accounts.models.iam_user_record import on_their_way
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record

OF_LOGIN_PROFILES = (Kind.LOGIN_PROFILE_CREATED, Kind.LOGIN_PROFILE_RESET, Kind.LOGIN_PROFILE_DELETED)


@transaction.atomic
def create_login_profile(*, by: Person, iam_user: IAMUser, at: datetime, reason: str = "") -> IAMUser:
    """Decide that the IAM user shall have a console password, which its owner changes at the first sign-in.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead, when it can do more than the team may have.
    :raises ValidationError: without an owner, or when it has a password already or on its way.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    recipient = _checked_recipient(by=by, iam_user=iam_user)
    if LoginProfile.objects.filter(iam_user=iam_user).exists():
        raise ValidationError(f"{iam_user} has a console password already. Reset it, or remove it first.")
    _record(Kind.LOGIN_PROFILE_CREATED, by=by, iam_user=iam_user, recipient=recipient, reason=reason, at=at)
    return iam_user


@transaction.atomic
def reset_login_profile(*, by: Person, iam_user: IAMUser, at: datetime, reason: str = "") -> IAMUser:
    """Decide that the IAM user shall have another console password; the old one ends with the delivery.

    Its owner may, and whoever may change console access.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: when it can do more than the team may have, for a lead who is not the owner, and
        for an owner whom only its tags name.
    :raises ValidationError: without an owner, for a lead where the owner's duty is higher, or without a password.
    """
    access.require_on_own_or(by=by, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    _require_open(iam_user)
    recipient = recipient_of(iam_user)
    if by == recipient:
        owners.require_believed(by=by, iam_user=iam_user)
    else:
        owners.require_reach(by=by, iam_user=iam_user)
    _require_nothing_on_its_way(iam_user)
    _require_password(iam_user)
    _record(Kind.LOGIN_PROFILE_RESET, by=by, iam_user=iam_user, recipient=recipient, reason=reason, at=at)
    return iam_user


@transaction.atomic
def remove_login_profile(*, by: Person, iam_user: IAMUser, at: datetime, reason: str = "") -> IAMUser:
    """Decide that the IAM user shall have no console password. Taking away needs no envelope and no owner.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it has none.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_CONSOLE_ACCESS, iam_user=iam_user)
    check_open(iam_user)
    _require_nothing_on_its_way(iam_user)
    _require_password(iam_user)
    _record(Kind.LOGIN_PROFILE_DELETED, by=by, iam_user=iam_user, recipient=None, reason=reason, at=at)
    return iam_user


def _checked_recipient(*, by: Person, iam_user: IAMUser) -> Person:
    """For whom a password may be made, the row being locked."""
    _require_open(iam_user)
    recipient = recipient_of(iam_user)
    envelope.require_within(by=by, iam_user=iam_user)
    _require_nothing_on_its_way(iam_user)
    return recipient


def _require_open(iam_user: IAMUser) -> None:
    """Lock the row; AWS holds it, and nobody is taking it away."""
    check_open(iam_user)
    check_stays(iam_user)


def _require_nothing_on_its_way(iam_user: IAMUser) -> None:
    if any(entry.kind in OF_LOGIN_PROFILES for entry in on_their_way(iam_user)):
        raise ValidationError(f"A decision about the console password of {iam_user} is on its way. Wait for it.")


def _require_password(iam_user: IAMUser) -> None:
    if not LoginProfile.objects.filter(iam_user=iam_user).exists():
        raise ValidationError(f"{iam_user} has no console password, as far as the portal has read.")


def _record(kind: Kind, *, by: Person, iam_user: IAMUser, recipient: Person | None, reason: str, at: datetime) -> None:
    record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, **({} if recipient is None else told_of(recipient))},
        deliver=carried_to(iam_user),
    )
