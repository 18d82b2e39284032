"""Seal a secret for one person, open it once, let it expire.

Envelope encryption: each secret has a random 256-bit key of its own, which is wrapped by the newest of `SEALING_KEYS`.
Both layers are bound (AES-GCM's associated data) to the row's id, organization, recipient, purpose and what the secret
belongs to, so that contents moved to another row do not open. Opening and expiring wipe the contents.
"""

import json
import os
import uuid
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction

from portal.secrets import keys
from portal.secrets.models import SealedSecret
from portal.secrets.secret import Secret

FORM = "v1"
WRAPPING = "wrapping"
WIPED: dict[str, None] = {"ciphertext": None, "nonce": None, "wrapped_key": None}

State = SealedSecret.State


class NotYours(Exception):
    """For this person there is no such secret."""


class AlreadyOpened(Exception):
    """The secret was opened before, and is gone."""


class Expired(Exception):
    """The secret was not opened in time."""


class HandedOver(Exception):
    """The secret is somebody else's now."""


class OfOneBrowser(Exception):
    """The secret is sealed to a browser, and nobody else can read it."""


def seal(
    *,
    organization: models.Model,
    recipient: AbstractBaseUser,
    purpose: str,
    bound_to: str,
    secret: Secret,
    at: datetime,
    expires_at: datetime,
    browser_key: str = "",
    carried_by: str = "",
) -> SealedSecret:
    """Keep a secret until its recipient opens it, in the transaction that stores what it belongs to.

    With a `browser_key` it is one that `browser.seal_to` has sealed to that key already.
    """
    sealed = SealedSecret(
        organization_id=organization.pk,
        recipient_id=recipient.pk,
        purpose=purpose,
        bound_to=bound_to,
        key_version=keys.newest_version(),
        browser_key=browser_key,
        carried_by=carried_by,
        created_at=at,
        expires_at=expires_at,
    )
    own_key, bound = os.urandom(keys.KEY_BYTES), _bound(sealed)
    encrypted = keys.encrypt(own_key, secret.reveal().encode(), bound)
    sealed.nonce, sealed.ciphertext = encrypted[: keys.NONCE_BYTES], encrypted[keys.NONCE_BYTES :]
    sealed.wrapped_key = keys.encrypt(keys.key_for(WRAPPING, sealed.key_version), own_key, bound)
    sealed.save(force_insert=True)
    return sealed


def open_once(*, secret_id: uuid.UUID, by: AbstractBaseUser, at: datetime, address: str | None = None) -> Secret:
    """Give the secret to its recipient and wipe it, in one transaction: send it only after the commit.

    A reply that is lost afterwards has lost the secret: the other order would allow two to read it. `address` is the IP
    address from which it is opened.

    :raises NotYours: for anybody but the recipient, and where there is no such secret.
    :raises AlreadyOpened: the second time.
    :raises Expired: after its time. :raises HandedOver: by whoever handed it over.
    :raises Unreadable: when the row was changed; nothing is wiped.
    :raises UnknownKeyVersion: when `SEALING_KEYS` lost its key; nothing is wiped.
    """
    with transaction.atomic():
        sealed = _waiting(secret_id, by, at)
        secret = _unseal(sealed)
        ready = SealedSecret.objects.ready().filter(pk=secret_id, expires_at__gt=at)
        if ready.update(state=State.OPENED, opened_at=at, opened_from=address, **WIPED) != 1:
            raise AlreadyOpened("This secret was opened at this very moment by another request.")
        return secret


def hand_over(*, secret_id: uuid.UUID, by: AbstractBaseUser, to: AbstractBaseUser, at: datetime) -> SealedSecret:
    """Seal it anew for somebody else, for the time that it has left; the one who had it can open it no more.

    :raises OfOneBrowser: where a browser alone can read it. :raises NotYours: :raises AlreadyOpened: :raises Expired:
        :raises Unreadable: :raises UnknownKeyVersion: as `open_once`.
    """
    with transaction.atomic():
        sealed = _waiting(secret_id, by, at)
        if sealed.browser_key:
            raise OfOneBrowser("It is sealed to one browser, so nobody else could read it.")
        secret = _unseal(sealed)
        if SealedSecret.objects.ready().filter(pk=secret_id).update(state=State.HANDED, **WIPED) != 1:
            raise AlreadyOpened("This secret was opened at this very moment.")
        return seal(
            organization=sealed.organization, recipient=to, purpose=sealed.purpose, bound_to=sealed.bound_to,
            secret=secret, at=at, expires_at=sealed.expires_at,
        )  # fmt: skip


def expire(*, at: datetime) -> list[SealedSecret]:
    """Wipe the secrets whose time is over, and return them, so that what they belong to can be taken back."""
    return _expire(SealedSecret.objects.overdue(at))


def withdraw(secrets: models.QuerySet[SealedSecret]) -> list[SealedSecret]:
    """Wipe those that were not opened, because what they belong to has ended or has another secret now."""
    return _expire(SealedSecret.objects.ready().filter(pk__in=secrets.values("pk")))


def expire_all() -> list[SealedSecret]:
    """Wipe every unopened secret: after a restore, where one that was opened since would open again."""
    return _expire(SealedSecret.objects.ready())


def rewrap() -> int:
    """Wrap the keys of unopened secrets by the newest of `SEALING_KEYS`; how many. Then the older ones may go."""
    newest = keys.newest_version()
    older = SealedSecret.objects.ready().exclude(key_version=newest).order_by("pk")
    return sum(_rewrap(sealed, newest) for sealed in older.iterator())


def _waiting(secret_id: uuid.UUID, by: AbstractBaseUser, at: datetime) -> SealedSecret:
    """The one that this person may open still."""
    sealed = SealedSecret.objects.filter(pk=secret_id, recipient_id=by.pk).first()
    if sealed is None:
        raise NotYours("There is no such secret for you.")
    if sealed.state == State.OPENED:
        raise AlreadyOpened("This secret was opened before. If it was not you, make its access key inactive.")
    if sealed.state == State.HANDED:
        raise HandedOver("You have handed this secret over. Its new recipient alone can open it.")
    if sealed.state == State.EXPIRED or sealed.expires_at <= at:
        raise Expired("This secret was not opened in time and is gone.")
    return sealed


def _rewrap(sealed: SealedSecret, version: str) -> int:
    bound = _bound(sealed)
    own_key = keys.decrypt(keys.key_for(WRAPPING, sealed.key_version), bytes(sealed.wrapped_key or b""), bound)
    wrapped_key = keys.encrypt(keys.key_for(WRAPPING, version), own_key, bound)
    # It may be opened meanwhile, and must stay wiped then.
    ready = SealedSecret.objects.ready().filter(pk=sealed.pk, key_version=sealed.key_version)
    return ready.update(wrapped_key=wrapped_key, key_version=version)


def _expire(secrets: models.QuerySet[SealedSecret]) -> list[SealedSecret]:
    with transaction.atomic():
        return [
            sealed
            for sealed in secrets.defer(*WIPED).order_by("pk")
            if SealedSecret.objects.ready().filter(pk=sealed.pk).update(state=State.EXPIRED, **WIPED) == 1
        ]


def _unseal(sealed: SealedSecret) -> Secret:
    bound = _bound(sealed)
    own_key = keys.decrypt(keys.key_for(WRAPPING, sealed.key_version), bytes(sealed.wrapped_key or b""), bound)
    encrypted = bytes(sealed.nonce or b"") + bytes(sealed.ciphertext or b"")
    return Secret(keys.decrypt(own_key, encrypted, bound).decode())


def _bound(sealed: SealedSecret) -> bytes:
    parts = [FORM, sealed.pk, sealed.organization_id, sealed.recipient_id, sealed.bound_to, sealed.purpose]
    if sealed.browser_key:
        parts += [sealed.browser_key, sealed.carried_by]
    return json.dumps([str(part) for part in parts]).encode()
