"""Deciding about a delivery that is stuck: try it again, or give it up."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.delivery import baseline
from accounts.kinds import Kind
from accounts.models import IAMUser, Person
from accounts.usecases.first_keys import MAKING_ONE
from accounts.usecases.records import about_iam_user, carried_to, require_reason
from portal.ledger import deliver
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, record


@transaction.atomic
def try_again(*, by: Person, delivery: Delivery, reason: str, at: datetime) -> Delivery:
    """Have a stuck or waiting delivery carried again, now.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason, or when it is neither stuck nor waiting.
    """
    _require(by=by, delivery=delivery, reason=reason)
    stood = _as_it_stands(delivery)
    try:
        deliver.retry(delivery=delivery)
    except deliver.CannotBeRetried:
        raise ValidationError("It is on its way or has ended: there is nothing to try again.") from None
    _record(Kind.DELIVERY_RETRIED, by=by, delivery=delivery, reason=reason, at=at, details=stood)
    return delivery


@transaction.atomic
def give_up(*, by: Person, delivery: Delivery, reason: str, at: datetime) -> Delivery:
    """Decide that a stuck delivery shall never reach AWS; what waits behind it goes on.

    Where it may have made an access key and nobody heard of it, that is decided to be looked for: nobody knows its
    secret. That search itself is given up only once it has said what it found.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason, or when it is not stuck or waiting.
    """
    _require(by=by, delivery=delivery, reason=reason)
    _require_an_answer(delivery)
    stood = _as_it_stands(delivery)
    try:
        deliver.abandon(delivery=delivery, at=at)
    except deliver.CannotBeAbandoned:
        raise ValidationError("It is on its way or has ended: there is nothing to give up.") from None
    _record(Kind.DELIVERY_GIVEN_UP, by=by, delivery=delivery, reason=reason, at=at, details=stood)
    _look_for_a_lost_key(by=by, delivery=delivery, reason=reason, at=at)
    return delivery


def _require(*, by: Person, delivery: Delivery, reason: str) -> None:
    access.require(by=by, to=Permission.CHANGE_DELIVERIES, organization=delivery.organization)
    require_reason(reason)


def _require_an_answer(delivery: Delivery) -> None:
    if delivery.entry.kind == Kind.ACCESS_KEY_CLEARED_UP and delivery.state != Delivery.State.STUCK:
        raise ValidationError("The portal has not looked yet. Wait until it says what it found.")


def _look_for_a_lost_key(*, by: Person, delivery: Delivery, reason: str, at: datetime) -> None:
    doubt = baseline.doubt(delivery)
    if doubt is None or delivery.entry.kind not in MAKING_ONE:
        return
    iam_user = IAMUser.objects.select_related("account", "organization").get(pk=int(delivery.entry.subject_id))
    record(
        organization=delivery.organization,
        kind=Kind.ACCESS_KEY_CLEARED_UP,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"entry": str(delivery.entry_id), "user_name": iam_user.user_name, **doubt},
        deliver=carried_to(iam_user),
    )


def _as_it_stands(delivery: Delivery) -> dict[str, object]:
    return {"entry": str(delivery.entry_id), "attempts": delivery.attempts, "error": delivery.error}


def _record(
    kind: Kind, *, by: Person, delivery: Delivery, reason: str, at: datetime, details: dict[str, object]
) -> None:
    record(
        organization=delivery.organization,
        kind=kind,
        by=by,
        subject=Subject("delivery", str(delivery.pk), delivery.subject),
        at=at,
        reason=reason,
        details=details,
    )
