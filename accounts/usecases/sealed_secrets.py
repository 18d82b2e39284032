"""Opening a sealed secret, once and by its recipient alone, and what happens to those that nobody opened."""

from __future__ import annotations

import uuid
from datetime import datetime

from celery import current_app
from django.db import transaction

from accounts import access
from accounts.kinds import Kind
from accounts.models import IAMUser, Membership, Person
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import mfa_following, rotation_following
from accounts.usecases.records import about_iam_user, carried_to
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import record
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

SWEPT_AT_ONCE = 200
KEY_GOES = {Kind.SECRET_EXPIRED, Kind.SECRET_GIVEN_UP}
TELL_ASKED_AGAIN = "accounts.tasks.tell_of_asking_again"


def open_sealed_secret(*, by: Person, secret_id: uuid.UUID, at: datetime, address: str | None = None) -> Secret:
    """Give the secret to its recipient and wipe it; the ledger says so in the same transaction.

    Asking again for one that is open is written down and mailed: it may be somebody else who opened it. `address` is
    the IP address that asks.

    :raises access.NotThere: for anybody but the recipient, and for one who has left the organization.
    :raises seal.AlreadyOpened: :raises seal.Expired: :raises seal.HandedOver: with what to do, as a sentence.
    :raises portal.secrets.keys.Unreadable: :raises portal.secrets.keys.UnknownKeyVersion: and nothing is wiped.
    """
    sealed = require_recipient(by=by, secret_id=secret_id)
    try:
        with transaction.atomic():
            secret = seal.open_once(secret_id=secret_id, by=by, at=at, address=address)
            record_of(kind=Kind.SECRET_OPENED, sealed=sealed, by=by, at=at, address=address)
            rotation_following.opened(access_key_id=Bond.of(sealed).id, at=at)
            mfa_following.shown(bond=Bond.of(sealed))
    except seal.AlreadyOpened:
        with transaction.atomic():
            tell(
                TELL_ASKED_AGAIN, record_of(kind=Kind.SECRET_ASKED_AGAIN, sealed=sealed, by=by, at=at, address=address)
            )
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
        record_of(kind=Kind.SECRET_EXPIRED, sealed=sealed, by=None, at=at)
        rotation_following.expired(access_key_id=Bond.of(sealed).id, at=at)
        return sealed
    return None


@transaction.atomic
def expire_after_restore(*, by: Person | None, at: datetime) -> list[SealedSecret]:
    """Wipe everything that waits: what was opened since the backup would open a second time.

    AWS is left as it is, since somebody may use such a key by now; a rotation goes on as if its secret was opened, so
    that it can be proven or given up.

    :raises access.NotThere: for whoever is a person: the operator of the server does this.
    """
    access.require_operator(by=by)
    expired = seal.expire_all()
    for sealed in expired:
        record_of(kind=Kind.SECRET_EXPIRED, sealed=sealed, by=None, at=at, after_restore=True)
        rotation_following.opened(access_key_id=Bond.of(sealed).id, at=at)
    return expired


def tell(task: str, entry: Entry) -> None:
    """Have the mail about an entry sent by a worker, once this is committed; the task gets the entry's id alone."""

    def ring() -> None:
        current_app.send_task(task, args=[str(entry.pk)], retry=False, ignore_result=True)

    transaction.on_commit(ring, robust=True)


def record_of(
    *, kind: Kind, sealed: SealedSecret, by: Person | None, at: datetime, reason: str = "", **more: object
) -> Entry:
    """Write down what happened to a sealed secret; where a key goes by it, have that carried to AWS."""
    bond = Bond.of(sealed)
    iam_user = IAMUser.objects.select_related("account", "organization").get(pk=bond.iam_user_id)
    is_key = bond.purpose is Purpose.ACCESS_KEY
    key_goes = kind in KEY_GOES and is_key and iam_user.gone_at is None and not more.get("after_restore")
    return record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={
            "sealed": str(sealed.pk),
            "purpose": sealed.purpose,
            "recipient": Person.objects.get(pk=sealed.recipient_id).email,
            **({"access_key_id": bond.id} if is_key else {}),
            **{name: value for name, value in more.items() if value is not None},
        },
        deliver=carried_to(iam_user, queue=Delivery.Queue.BULK) if key_goes else (),
    )
