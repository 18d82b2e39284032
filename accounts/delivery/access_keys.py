"""Carrying "Create access key", and what becomes of a key whose secret was not opened in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.delivery import baseline, held, sealing
from accounts.models import AccessKey, IAMUser, Source
from accounts.models.sealed import Bond, Purpose
from portal.aws import errors
from portal.aws.iam.access_keys import AccessKey as CreatedKey
from portal.aws.iam.access_keys import AccessKeyStatus
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.secrets.secret import Secret


@dataclass(frozen=True)
class NewKey:
    """A key that AWS has just made; its secret is told this once, and sealed to a browser where one was told.

    `known_at` lies behind the call: a list that was read before it could not have it.
    """

    access_key_id: str
    status: str
    create_date: datetime
    secret: Secret
    known_at: datetime
    carried_by: str


@dataclass(frozen=True)
class Expired:
    """What became of the key that nobody opened: deleted, or made inactive because somebody has used it."""

    is_deleted: bool
    known_at: datetime


def carry_creation(entry: Entry, delivery: Delivery) -> NewKey:
    """Make one more access key, with one call; a key whose secret was lost on the way is deleted first.

    :raises Outdated: when its recipient is not the owner any more.
    :raises errors.Refused: when AWS's limit of two keys is reached.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    thing = baseline.access_key(iam, user_name=iam_user.user_name)
    sealing.require_recipient_or_clear(entry, iam_user, thing, delivery)
    held.require_same(iam, iam_user)
    return make(thing, iam_user, delivery)


def make(thing: baseline.Unrepeatable[CreatedKey], iam_user: IAMUser, delivery: Delivery) -> NewKey:
    """Make it, with one call.

    :raises errors.AWSError: as `baseline.make_once`.
    """
    try:
        key = baseline.make_once(thing, delivery=delivery)
    except errors.NotFound as error:
        raise held.may_not_be_seen_yet(iam_user.create_date, error) from None
    bond = Bond(Purpose.ACCESS_KEY, iam_user.pk, key.access_key_id)
    secret = sealing.sealed_to_browser(delivery.entry, delivery, Secret(key.secret_access_key), bond)
    return NewKey(key.access_key_id, key.status, key.create_date, secret, database_now(), str(delivery.pk))


def settle(entry: Entry, answer: NewKey, at: datetime) -> None:
    """The key has a row, and its secret waits for the owner."""
    keep_row(entry, answer)
    bond = Bond(Purpose.ACCESS_KEY, int(entry.subject_id), answer.access_key_id)
    sealing.seal_for_recipient(entry, answer.secret, bond, at, carried_by=answer.carried_by)


def keep_row(entry: Entry, answer: NewKey) -> AccessKey:
    """The row of a key that AWS has just made."""
    iam_user = held.locked(entry)
    # A reading of the account may have seen the key already, and knows of it what is later than this.
    row, _ = AccessKey.objects.get_or_create(
        access_key_id=answer.access_key_id,
        defaults={
            "organization": iam_user.organization,
            "account": iam_user.account,
            "iam_user": iam_user,
            "status": answer.status,
            "create_date": answer.create_date,
            # CreateAccessKey answers what ListAccessKeys tells.
            "source": Source.LIST_ACCESS_KEYS,
            "read_at": answer.known_at,
        },
    )
    return row


def carry_expiry(entry: Entry, delivery: Delivery) -> Expired:
    """Delete the one key that nobody opened, if it was never used; else make it inactive and leave it to people.

    Its owner is asked of AWS: the IAM user may have another name by now.
    """
    iam = held.iam_of(held.subject_of(entry).account)
    access_key_id = entry.details["access_key_id"]
    try:
        used = iam.get_access_key_last_used(access_key_id=access_key_id)
        if used.last_used_date is None:
            iam.delete_access_key(user_name=used.user_name, access_key_id=access_key_id)
        else:
            iam.update_access_key(
                user_name=used.user_name, access_key_id=access_key_id, status=AccessKeyStatus.INACTIVE
            )
    except errors.NotFound:
        return Expired(is_deleted=True, known_at=database_now())
    return Expired(is_deleted=used.last_used_date is None, known_at=database_now())


def settle_expiry(entry: Entry, answer: Expired, at: datetime) -> None:
    """The row says what became of the key."""
    rows = AccessKey.objects.filter(access_key_id=entry.details["access_key_id"])
    outcome = {"gone_at": at} if answer.is_deleted else {"status": AccessKey.Status.INACTIVE}
    rows.update(**outcome, source=Source.LIST_ACCESS_KEYS, read_at=answer.known_at)
