"""What the recipient of a secret decides besides opening it: give it up, hand it over, stop a key that leaked."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.iam_user_record import on_their_way
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import rotation_following
from accounts.usecases.records import about_iam_user, carried_to
from accounts.usecases.sealed_secrets import record_of, require_recipient, tell
from accounts.usecases.standing import check_open, check_stays
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret

TELL_HANDED_OVER = "accounts.tasks.tell_of_hand_over"
GIVEN_UP = "Its recipient gave up the new key's secret without opening it."
STOPPED = "Its secret may be somebody else's, so the new key was made inactive."
NO_OTHER_WORKS = (
    "The old key is inactive, so nothing would work any more. Make it active again in the rotation, then come back."
)

State = SealedSecret.State


@transaction.atomic
def give_up_secret(*, by: Person, secret_id: uuid.UUID, at: datetime, reason: str = "") -> SealedSecret:
    """Decide that nobody opens it: it is wiped, its key deleted in AWS, and a rotation ends with the old key as it was.

    :raises access.NotThere: for anybody but the recipient.
    :raises ValidationError: for a password, and for one that does not wait any more.
    """
    sealed = require_recipient(by=by, secret_id=secret_id)
    _require_of_key(sealed)
    for given_up in seal.withdraw(SealedSecret.objects.filter(pk=sealed.pk)):
        record_of(kind=Kind.SECRET_GIVEN_UP, sealed=given_up, by=by, at=at, reason=reason)
        rotation_following.expired(access_key_id=Bond.of(sealed).id, at=at, words=GIVEN_UP)
        return given_up
    raise ValidationError("It does not wait any more. Reload the page to see what became of it.")


@transaction.atomic
def stop_key(*, by: Person, secret_id: uuid.UUID, at: datetime, reason: str = "") -> AccessKey:
    """Decide that nothing works with the key of a secret that may be somebody else's.

    The recipient of the secret may, and the owner of the IAM user. A rotation to this key ends; the old key stays.

    :raises access.NotThere: for everybody else, and for a password.
    :raises ValidationError: where the key is gone or inactive, and while the old key is inactive.
    """
    access_key, iam_user = require_key_of(by=by, secret_id=secret_id)
    check_open(iam_user)
    access_key.refresh_from_db(fields=["status", "gone_at"])
    if access_key.gone_at is not None or access_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(f"{access_key} does not work any more. There is nothing to stop.")
    rotation = Rotation.objects.open().filter(new_key=access_key).select_related("old_key").first()
    _require_nothing_on_its_way(access_key, rotation)
    if rotation is not None:
        _require_old_key_works(rotation)
        rotation_following.stopped(rotation=rotation, by=by, at=at, words=STOPPED)
    record(
        organization=iam_user.organization,
        kind=Kind.ACCESS_KEY_DEACTIVATED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "access_key_id": access_key.access_key_id},
        deliver=carried_to(iam_user),
    )
    return access_key


@transaction.atomic
def hand_over_secret(
    *, by: Person, secret_id: uuid.UUID, recipient: Person, at: datetime, reason: str = ""
) -> SealedSecret:
    """Decide that somebody else opens it: it is sealed anew for them, for the time that it has left, and they are told.

    Only the owner of an application's IAM user may, who could open it and pass it on by worse means; so nobody reaches
    anything by this that its owner does not give them.

    :raises access.NotThere: for anybody but the recipient.
    :raises ValidationError: for one to whom it was handed over itself, for what is no application's access key, is
        sealed to a browser or waits no more, and for a person who is not in the organization.
    """
    sealed = require_recipient(by=by, secret_id=secret_id)
    _require_of_key(sealed)
    iam_user = IAMUser.objects.get(pk=Bond.of(sealed).iam_user_id)
    check_open(iam_user)
    check_stays(iam_user)
    _require_may_hand_over(by, iam_user, recipient)
    try:
        handed = seal.hand_over(secret_id=secret_id, by=by, to=recipient, at=at)
    except (seal.AlreadyOpened, seal.Expired, seal.HandedOver, seal.OfOneBrowser) as refusal:
        raise ValidationError(str(refusal)) from None
    entry = record_of(kind=Kind.SECRET_HANDED_OVER, sealed=handed, by=by, at=at, reason=reason, handed_from=by.email)
    tell(TELL_HANDED_OVER, entry)
    return handed


def require_key_of(*, by: Person, secret_id: uuid.UUID) -> tuple[AccessKey, IAMUser]:
    """The key that a secret is of, and whose it is, for its recipient and the owner of the IAM user.

    :raises access.NotThere: for everybody else, and for a password.
    """
    sealed = SealedSecret.objects.filter(pk=secret_id).defer(*seal.WIPED).first()
    if sealed is None:
        raise access.NotThere
    iam_user = IAMUser.objects.select_related("account", "organization").get(pk=Bond.of(sealed).iam_user_id)
    if by.pk not in (sealed.recipient_id, iam_user.owner_id) or not by.belongs_to(iam_user.organization):
        raise access.NotThere
    access_key = AccessKey.objects.filter(iam_user=iam_user, access_key_id=Bond.of(sealed).id).first()
    if access_key is None:
        raise access.NotThere
    return access_key, iam_user


def may_hand_over(*, by: Person, sealed: SealedSecret, iam_user: IAMUser) -> bool:
    """Whether the page offers it."""
    is_key = Bond.of(sealed).purpose is Purpose.ACCESS_KEY
    is_application = iam_user.kind == IAMUser.Kind.APPLICATION
    return is_key and is_application and iam_user.owner_id == by.pk and not sealed.browser_key


def _require_may_hand_over(by: Person, iam_user: IAMUser, recipient: Person) -> None:
    if iam_user.owner_id != by.pk:
        raise ValidationError(f"Only the owner of {iam_user} hands its secrets over.")
    if iam_user.kind != IAMUser.Kind.APPLICATION:
        raise ValidationError("A key of a person is for that person. Only those of applications are handed over.")
    if recipient == by:
        raise ValidationError({"recipient": "It is sealed for you already."})
    if not recipient.belongs_to(iam_user.organization):
        raise ValidationError({"recipient": f"{recipient} is disabled or not in your organization."})


def _require_of_key(sealed: SealedSecret) -> None:
    if Bond.of(sealed).purpose is not Purpose.ACCESS_KEY:
        raise ValidationError("This is a password. Ask whoever made it for another one.")


def _require_nothing_on_its_way(access_key: AccessKey, rotation: Rotation | None) -> None:
    """A step of the rotation that has not arrived may take the other key away."""
    for entry in on_their_way(access_key.iam_user):
        of_key = entry.details.get("access_key_id") == access_key.access_key_id
        if of_key or (rotation is not None and entry.details.get("rotation") == rotation.pk):
            raise ValidationError(f"A change of {access_key} is on its way. Wait for it.")


def _require_old_key_works(rotation: Rotation) -> None:
    if rotation.old_key.gone_at is None and rotation.old_key.status != AccessKey.Status.ACTIVE:
        raise ValidationError(NO_OTHER_WORKS)
