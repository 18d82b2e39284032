"""Recording: an entry and its deliveries, inside the caller's transaction or not at all.

Once the transaction commits, workers are told of the deliveries; where nobody hears it, the next sweep finds them.
Names that people chose, such as the keys of tags, belong in the values of an entry's details and never among its keys:
a key that looks like the name of a secret is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models
from django.utils import timezone

from portal.ledger import chain, doorbell
from portal.ledger.models import Delivery, Entry, Head

REASON_LENGTH = 2000
PORTAL = "Gatehouse"

# Whether it is a secret is not seen from the value, so the name decides; a yes or no about a secret is none.
SECRET_NAMES = re.compile(r"passw|secret|token|credential|private_?key|session_?key|seed|otp|passcode", re.IGNORECASE)

# PostgreSQL's text holds no NUL, and half of a surrogate pair has no UTF-8.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class NotInTransaction(Exception):
    """An entry would be written apart from the change that it tells of."""


class NotRecordable(Exception):
    """What the entry says cannot be stored, or not in the same way by every database."""


class ReasonTooLong(NotRecordable):
    """The reason does not fit into an entry."""


class SecretInDetails(NotRecordable):
    """The details name something that is a secret by its name."""


@dataclass(frozen=True)
class Subject:
    """What an entry is about: the kind of thing, its id here, and its name or ARN as text that outlives it."""

    type: str
    id: str
    name: str


@dataclass(frozen=True)
class Target:
    """Where an entry must be carried: the AWS account's id, the ARN it is about, and who waits for it."""

    lane: str
    subject: str
    queue: str = Delivery.Queue.INTERACTIVE


def record(
    *,
    organization: models.Model,
    kind: str,
    by: AbstractBaseUser | None,
    subject: Subject,
    at: datetime,
    reason: str = "",
    ticket: str = "",
    details: Mapping[str, object] | None = None,
    deliver: tuple[Target, ...] = (),
) -> Entry:
    """Write down one decision and what must reach AWS, in the transaction that makes it.

    `by` is None where the portal itself acts. `details` is JSON without floating-point numbers.

    :raises NotInTransaction: outside a transaction. :raises ReasonTooLong: over 2,000 characters.
    :raises SecretInDetails: where a key of the details looks like a secret's name.
    :raises ValidationError: for another text that is longer than its field.
    :raises NotRecordable: for a naive time, or a text or value that the databases would not give back alike.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("Record entries inside the transaction that makes the change.")
    entry = Entry(
        organization_id=organization.pk,
        kind=str(kind),
        by_id="" if by is None else str(by.pk),
        by_name=PORTAL if by is None else str(by),
        subject_type=subject.type,
        subject_id=str(subject.id),
        subject_name=subject.name,
        at=at,
        reason=reason,
        ticket=ticket,
        details=dict(details or {}),
    )
    _check(entry)
    _append(entry)
    _post(entry, deliver)
    return entry


def _append(entry: Entry) -> None:
    # Locked until the commit: numbers and hashes of one organization are given one after another, without gaps, and in
    # the order of the commits, on which the order of deliveries relies.
    head, _ = Head.objects.select_for_update().get_or_create(organization_id=entry.organization_id)
    entry.sequence, entry.previous_hash = head.sequence + 1, head.hash
    entry.hash = chain.hash_of(entry)
    entry.save(force_insert=True)
    head.sequence, head.hash = entry.sequence, entry.hash
    head.save(update_fields=["sequence", "hash"])


def _post(entry: Entry, targets: tuple[Target, ...]) -> None:
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            entry=entry,
            organization_id=entry.organization_id,
            sequence=entry.sequence,
            lane=target.lane,
            subject=target.subject,
            queue=target.queue,
            created_at=entry.at,
        )
        for target in targets
    )
    doorbell.ring_on_commit(deliveries)


def _check(entry: Entry) -> None:
    if len(entry.reason) > REASON_LENGTH:
        raise ReasonTooLong(f"A reason has at most {REASON_LENGTH:,} characters; this one has {len(entry.reason):,}.")
    if timezone.is_naive(entry.at):
        raise NotRecordable("The time of an entry says in which time zone it is.")
    for text in (entry.by_name, entry.subject_id, entry.subject_name, entry.reason, entry.ticket):
        _check_text(text)
    _check_value(entry.details)
    # SQLite would keep any length, PostgreSQL would not.
    entry.clean_fields(exclude={"organization", "sequence", "previous_hash", "hash"})


def _check_value(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_key(key, inner)
            _check_value(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_value(inner)
    elif isinstance(value, str):
        _check_text(value)
    elif not isinstance(value, int | None):
        raise NotRecordable(
            f"Details are text, whole numbers, yes or no, lists and objects; not {type(value).__name__}."
        )


def _check_key(key: object, value: object) -> None:
    if not isinstance(key, str):
        raise NotRecordable("The keys of details are text.")
    _check_text(key)
    if SECRET_NAMES.search(key) and not isinstance(value, bool | None):
        raise SecretInDetails(f"Details never hold a secret, and “{key}” is named like one.")


def _check_text(text: str) -> None:
    if UNSTORABLE.search(text):
        raise NotRecordable("The text holds characters that cannot be stored.")
