"""Deciding that an IAM user gets an access key, whose secret is sealed for its owner."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person
from accounts.models.iam_user_record import on_their_way
from accounts.usecases.browser_keys import told_of_browser
from accounts.usecases.recipients import recipient_of, told_of
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record

# IAM and AWS STS quotas: "Access keys assigned to an IAM user", active or not; not adjustable.
KEYS_PER_USER = 2
MAKING_ONE = {Kind.ACCESS_KEY_CREATED, Kind.ROTATION_STARTED}


@transaction.atomic
def create_access_key(
    *, by: Person, iam_user: IAMUser, at: datetime, reason: str = "", browser_key: str = ""
) -> IAMUser:
    """Decide that the IAM user shall have one more access key; `browser_key` is that of its owner's browser.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises envelope.OutsideEnvelope: for a lead, when it can do more than the team may have.
    :raises ValidationError: without an owner, with two keys, while one is on its way, or for a bad `browser_key`.
    """
    access.require_on_iam_user(by=by, to=Permission.CREATE_ACCESS_KEY, iam_user=iam_user)
    check_open(iam_user)
    check_stays(iam_user)
    recipient = recipient_of(iam_user)
    envelope.require_within(by=by, iam_user=iam_user)
    _require_room(iam_user)
    browser = told_of_browser(browser_key=browser_key, by=by, recipient=recipient)
    record(
        organization=iam_user.organization,
        kind=Kind.ACCESS_KEY_CREATED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, **told_of(recipient), **browser},
        deliver=carried_to(iam_user),
    )
    return iam_user


def _require_room(iam_user: IAMUser) -> None:
    # One at a time, so that a form that is sent twice makes one key.
    if any(entry.kind in MAKING_ONE for entry in on_their_way(iam_user)):
        raise ValidationError(f"An access key of {iam_user} is on its way. Wait for it.")
    if AccessKey.objects.present().filter(iam_user=iam_user).count() >= KEYS_PER_USER:
        raise ValidationError(f"{iam_user} has {KEYS_PER_USER} access keys, AWS's limit. Delete one first.")
