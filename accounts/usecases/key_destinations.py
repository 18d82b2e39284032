"""Deciding that an application reads its access key in AWS Secrets Manager, and how often the portal rotates it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope, owners
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import IAMUser, KeyDestination, Person, Rotation
from accounts.models.key_destination import secret_name_of
from accounts.usecases.recipients import recipient_of
from accounts.usecases.records import about_iam_user
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record

WHILE_ROTATED = "A rotation of {} is open. End that first."


@transaction.atomic
def set_destination(
    *, by: Person, iam_user: IAMUser, region: str, rotate_every_days: int | None, at: datetime, reason: str = ""
) -> KeyDestination:
    """Decide that new keys of the application go into Secrets Manager of its account, in this Region.

    The owner may, and whoever may create access keys for it: whoever reads that secret in AWS has the key.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead who is not the owner, and for an owner whom its tags alone name, as for
        a rotation.
    :raises ValidationError: for a person's IAM user, without an owner, for a Region or number of days that is none,
        and while a rotation is open.
    """
    access.require_on_own_or(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    check_open(iam_user)
    check_stays(iam_user)
    if iam_user.kind != IAMUser.Kind.APPLICATION:
        raise ValidationError(f"{iam_user} is a person's: its secrets are shown to them, and to nobody else.")
    if by == recipient_of(iam_user):
        owners.require_believed(by=by, iam_user=iam_user)
    else:
        envelope.require_within(by=by, iam_user=iam_user)
    _require_no_rotation(iam_user)
    destination = KeyDestination.objects.filter(iam_user=iam_user).first() or KeyDestination(
        organization=iam_user.organization,
        account=iam_user.account,
        iam_user=iam_user,
        secret_name=secret_name_of(iam_user.user_name),
    )
    destination.region, destination.rotate_every_days = region, rotate_every_days
    destination.set_by, destination.set_at = by, at
    destination.full_clean()
    destination.save()
    details = {"name": destination.secret_name, "region": region, "rotate_every_days": rotate_every_days}
    _record(Kind.KEY_DESTINATION_SET, iam_user, by=by, at=at, reason=reason, details=details)
    return destination


@transaction.atomic
def end_destination(*, by: Person, iam_user: IAMUser, at: datetime, reason: str = "") -> None:
    """Decide that new keys are sealed for the owner again. The secret in AWS stays: the application reads it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: where there is none, and while a rotation is open.
    """
    access.require_on_own_or(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    check_open(iam_user)
    _require_no_rotation(iam_user)
    destination = KeyDestination.objects.filter(iam_user=iam_user).first()
    if destination is None:
        raise ValidationError(f"New keys of {iam_user} are sealed for its owner already.")
    details = {"name": destination.secret_name, "region": destination.region}
    destination.delete()
    _record(Kind.KEY_DESTINATION_ENDED, iam_user, by=by, at=at, reason=reason, details=details)


def _require_no_rotation(iam_user: IAMUser) -> None:
    if Rotation.objects.open().filter(iam_user=iam_user).exists():
        raise ValidationError(WHILE_ROTATED.format(iam_user))


def _record(
    kind: Kind, iam_user: IAMUser, *, by: Person, at: datetime, reason: str, details: Mapping[str, object]
) -> None:
    record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details=details,
    )
