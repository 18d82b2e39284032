"""Proving that the new key of a rotation works where it is needed, by a request that was signed there with its secret.

AWS is asked in the middle, since the answer decides; no transaction is open meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access
from accounts.access import Permission
from accounts.importers import signed_requests
from accounts.importers.signed_requests import SignedRequest, Unusable
from accounts.models import Person, Rotation, UsedSignature
from accounts.usecases import rotation_following
from accounts.usecases.standing import check_open

FIELD = "signed_request"
OF_THE_OLD_KEY = (
    "This request was signed with the old key, {old}: that place has it still. Put the new key, {new}, there, then run "
    "the command again."
)
OF_ANOTHER_KEY = (
    "This request was signed with another key. Put the new key, {new}, where it is needed, then run the command there."
)
OF_ANOTHER_IAM_USER = (
    "AWS says that this key belongs to another IAM user than {}. Press Refresh now on the IAM user, and look what "
    "became of its keys."
)
USED_BEFORE = "This request was used before, and proves nothing twice. Make another one with the command."


def prove_new_key(*, by: Person, rotation: Rotation, signed_request: str, at: datetime) -> Rotation:
    """Take a presigned GetCallerIdentity, made where the new key is needed, for the proof that it works there.

    What was pasted is not kept, and stands in no entry.

    :raises access.NotThere: :raises access.NotAllowed: as for the other steps of a rotation.
    :raises ValidationError: with what to do: unless the new key's secret was opened and nothing has proven it yet; for
        what is no such request, has expired, was used before, or was signed with another key; where AWS does not
        believe it.
    """
    _require(rotation, by=by)
    with _refusing():
        request = signed_requests.read(signed_request, partition=rotation.account.partition, at=at)
    _require_new(request, rotation)
    with _refusing():
        signer = signed_requests.ask(request)
    if (signer.user_id, signer.account_id) != (rotation.iam_user.user_id, rotation.account.account_id):
        raise ValidationError({FIELD: OF_ANOTHER_IAM_USER.format(rotation.iam_user)})
    _conclude(rotation, request, by=by, at=at)
    return rotation


def forget_used_signatures(*, at: datetime) -> int:
    """Forget those of requests that have expired: their time refuses them. How many went."""
    return UsedSignature.objects.expired(at=at).delete()[0]


@transaction.atomic
def _require(rotation: Rotation, *, by: Person) -> None:
    """Lock the IAM user, then read the rotation again: of two who prove at once, the second sees the first."""
    access.require_on_own_or(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=rotation.iam_user)
    check_open(rotation.iam_user)
    rotation.refresh_from_db()
    if rotation.state != Rotation.State.DELIVERED:
        raise ValidationError(f"This cannot be done now: {rotation.get_state_display().lower()}.")


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Unusable as refusal:
        raise ValidationError({FIELD: str(refusal)}) from None


def _require_new(request: SignedRequest, rotation: Rotation) -> None:
    """Return for a request of the new key that was not used yet."""
    old, new = rotation.old_key.access_key_id, rotation.new_key and rotation.new_key.access_key_id
    if request.access_key_id != new:
        words = OF_THE_OLD_KEY if request.access_key_id == old else OF_ANOTHER_KEY
        raise ValidationError({FIELD: words.format(old=old, new=new)})
    if UsedSignature.objects.filter(digest=request.digest).exists():
        raise ValidationError({FIELD: USED_BEFORE})


@transaction.atomic
def _conclude(rotation: Rotation, request: SignedRequest, *, by: Person, at: datetime) -> None:
    """What AWS said is written down, unless something else has happened meanwhile."""
    _require(rotation, by=by)
    try:
        with transaction.atomic():
            UsedSignature.objects.create(
                organization=rotation.organization, rotation=rotation, digest=request.digest, used_at=at,
                expires_at=request.expires_at,
            )  # fmt: skip
    except IntegrityError:
        raise ValidationError({FIELD: USED_BEFORE}) from None
    rotation_following.prove(rotation=rotation, proven_by=Rotation.ProvenBy.REQUEST, used_at=at, by=by, at=at)
