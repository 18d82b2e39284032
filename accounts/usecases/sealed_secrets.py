"""Opening a sealed secret, once and by its recipient alone, and what happens to those that nobody opened."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from accounts import access
from accounts.kinds import Kind
from accounts.models import IAMUser, Membership, Person
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import mfa_following, rotation_following
from accounts.usecases.records import about_iam_user, carried_to
from portal.ledger.models import Delivery
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

SWEPT_AT_ONCE = 200


def open_sealed_secret(*, by: Person, secret_id: uuid.UUID, at: datetime) -> Secret:
    """Give the secret to its recipient and wipe it; the ledger says so in the same transaction.

    Asking again for one that is open is written down too: it may be somebody else who opened it.

    :raises access.NotThere: for anybody but the recipient, and for one who has left the organization.
    :raises seal.AlreadyOpened: :raises seal.Expired: with what to do, as a sentence.
    :raises portal.secrets.keys.Unreadable: :raises portal.secrets.keys.UnknownKeyVersion: and nothing is wiped.
    """
    sealed = require_recipient(by=by, secret_id=secret_id)
    try:
        with transaction.atomic():
            secret = seal.open_once(secret_id=secret_id, by=by, at=at)
            _record(Kind.SECRET_OPENED, sealed, by=by, at=at)
            rotation_following.opened(access_key_id=Bond.of(sealed).id, at=at)
            mfa_following.shown(bond=Bond.of(sealed))
    except seal.AlreadyOpened:
        with transaction.atomic():
            _record(Kind.SECRET_ASKED_AGAIN, sealed, by=by, at=at)
        raise
    return secret


def require_recipient(*, by: Person, secret_id: uuid.UUID) -> SealedSecret:
    """The secret, without its contents, for the one whose it is, as long as they belong to its organization.

    :raises access.NotThere: for everybody else.
    """
    mine = SealedSecret.objects.filter(pk=secret_id, recipient=by.pk).defer(*seal.WIPED)
    sealed = mine.select_related("organization").first()
    if sealed is None or not Membership.objects.active().of(by).in_organization(sealed.organization_id).exists():
        raise access.NotThere
    return sealed


def expire_sealed_secrets(*, by: Person | None, at: datetime) -> list[SealedSecret]:
    """Wipe what nobody opened in time, and decide that access keys of those go: nobody knows their secrets.

    A password that nobody opened is only told: it may be another one by now.

    :raises access.NotThere: for whoever is a person: the portal does this by itself.
    """
    access.require_operator(by=by)
    overdue = SealedSecret.objects.overdue(at).order_by("expires_at", "pk").values_list("pk", flat=True)
    expired = [_expire(secret_id, at=at) for secret_id in list(overdue[:SWEPT_AT_ONCE])]
    return [sealed for sealed in expired if sealed is not None]


@transaction.atomic
def _expire(secret_id: uuid.UUID, *, at: datetime) -> SealedSecret | None:
    """One, in a transaction of its own; None where it was opened at the last moment."""
    for sealed in seal.withdraw(SealedSecret.objects.overdue(at).filter(pk=secret_id)):
        _record(Kind.SECRET_EXPIRED, sealed, by=None, at=at)
        rotation_following.expired(access_key_id=Bond.of(sealed).id, at=at)
        return sealed
    return None


def _record(kind: Kind, sealed: SealedSecret, *, by: Person | None, at: datetime) -> None:
    bond = Bond.of(sealed)
    iam_user = IAMUser.objects.select_related("account", "organization").get(pk=bond.iam_user_id)
    is_key = bond.purpose is Purpose.ACCESS_KEY
    key_goes = kind is Kind.SECRET_EXPIRED and is_key and iam_user.gone_at is None
    record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        details={
            "sealed": str(sealed.pk),
            "purpose": sealed.purpose,
            "recipient": Person.objects.get(pk=sealed.recipient_id).email,
            **({"access_key_id": bond.id} if is_key else {}),
        },
        deliver=carried_to(iam_user, queue=Delivery.Queue.BULK) if key_goes else (),
    )
