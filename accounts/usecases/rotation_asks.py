"""Deciding that somebody shall be asked to rotate an access key of theirs; it stays theirs to do."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import AccessKey, BulkChange, Person, Rotation, RotationAsk
from accounts.models.rotation_ask import ASK_AGAIN_AFTER
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record


@transaction.atomic
def ask_to_rotate(
    *, by: Person, access_key: AccessKey, bulk_change: BulkChange, at: datetime, reason: str = ""
) -> RotationAsk:
    """Ask the owner of the IAM user. They have a mail of it once all that `bulk_change` asks is decided.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a key that does not work, without an owner, while it is being rotated, and where they
        were asked less than a week ago.
    """
    iam_user = access_key.iam_user
    access.require_on_iam_user(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    check_open(iam_user)
    check_stays(iam_user)
    recipient = recipient_of(iam_user)
    _require_askable(access_key, at)
    ask = RotationAsk.objects.create(
        organization=iam_user.organization, bulk_change=bulk_change, iam_user=iam_user, access_key=access_key,
        recipient=recipient, asked_at=at, lease_until=at,
    )  # fmt: skip
    record(
        organization=iam_user.organization,
        kind=Kind.ROTATION_ASKED_FOR,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "access_key_id": access_key.access_key_id, **told_of(recipient)},
    )
    return ask


def _require_askable(access_key: AccessKey, at: datetime) -> None:
    access_key.refresh_from_db(fields=["status", "gone_at"])
    if access_key.gone_at is not None:
        raise ValidationError(f"AWS no longer holds {access_key}.")
    if access_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(f"{access_key} is inactive, so it needs no rotation.")
    if Rotation.objects.open().of_key(access_key).exists():
        raise ValidationError(f"{access_key} is being rotated already.")
    last = RotationAsk.objects.filter(access_key=access_key).order_by("-asked_at", "-pk").first()
    if last is not None and at < last.asked_at + ASK_AGAIN_AFTER:
        raise ValidationError(
            f"{last.recipient} was asked on {last.asked_at:%d %B %Y}. Ask again after {ASK_AGAIN_AFTER.days} days."
        )
