"""The worker that carries entries to AWS.

What happens to one delivery, step by step:

1.  `record()` saves it as *due*, and rings the doorbell once that is committed. The bell may fail: beat calls `sweep()`
    every few seconds, which rings for whatever is due.
2.  A worker looks at the account's pace: where calls are booked ahead it leaves the delivery alone, and whoever ends
    another one in that account rings again. Then it claims by one conditional UPDATE, which counts one row for one
    worker only. Not before its time, and not while an earlier delivery about the same subject is open. The claim is a
    lease by the database's clock.
3.  The kind's handler carries it to AWS, with no transaction open.
4.  In one transaction, and only where the claim is still ours, the handler settles AWS's answer into the domain's rows
    and the delivery is *done*. Then the next delivery about the subject is rung for.
5.  What AWS could not do now *waits*, twice as long each time, with jitter, up to 15 minutes. What AWS denied or
    refused, and whatever nobody foresaw, is *stuck* until a human tries again or gives up. It holds its subject only.
6.  A worker that dies leaves its delivery *calling*. When the lease has run out the sweep takes it back, and it is
    carried again from the start. One that kills its workers again and again gets stuck.
"""

import logging
import random
import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from portal.aws import errors, pace
from portal.ledger import doorbell
from portal.ledger.clock import database_now
from portal.ledger.handlers import Handler, NotToBeCarried, handler_of, register
from portal.ledger.models import Delivery
from portal.ledger.models.delivery import DeliveryQuerySet

__all__ = [
    "CannotBeAbandoned",
    "CannotBeRetried",
    "ClaimLost",
    "Handler",
    "abandon",
    "deliver",
    "deliver_due",
    "keep_baseline",
    "register",
    "retry",
    "sweep",
    "take_back_stranded",
]

logger = logging.getLogger(__name__)

State = Delivery.State
StuckKind = Delivery.StuckKind

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
MAX_TIMES_STRANDED = 5
# What could not get its turn at the account's pace; no attempt is counted, and nothing doubles.
PACE_WAIT = timedelta(seconds=2)
# A backlog is rung for in portions, so that a sweep is short; the next sweeps ring for what is left. Each account has
# its part, so that the backlog of one does not hide what another needs.
RUNG_PER_SWEEP = 500
RUNG_PER_LANE = 100
# One that ends makes room for about one; a second is rung for where that one began elsewhere meanwhile.
RUNG_AFTER_ONE = 2

STUCK_KINDS: dict[type[errors.AWSError], StuckKind] = {
    errors.Denied: StuckKind.DENIED,
    errors.Refused: StuckKind.REFUSED,
    errors.Conflict: StuckKind.CONFLICT,
    errors.NotFound: StuckKind.CONFLICT,
}
UNKNOWN_KIND = "This release of the portal does not know how to carry it out. Try again once all workers are updated."
UNFORESEEN = "The portal failed while carrying it out ({}). Its log says more. Look at what AWS holds, then try again."
KEPT_STRANDING = (
    "The worker ended {} times in a row before it could say what happened. Look at what AWS holds, then try again."
)

# What a delivery holds only in some state is empty in every other.
NOBODYS: dict[str, Any] = {"claim": None, "lease_until": None, "not_before": None, "stuck_kind": ""}

_jitter = random.SystemRandom()


class ClaimLost(Exception):
    """Another worker has taken the delivery back meanwhile; this one must not go on."""


class CannotBeRetried(Exception):
    """The delivery is not waiting for anybody: it is on its way or has ended."""


class CannotBeAbandoned(Exception):
    """The delivery is being carried at this moment, or has ended."""


def deliver(delivery_id: int, *, at: datetime | None = None) -> None:
    """Carry one delivery if it may be carried now; a no to that is no error, since bells ring twice.

    `at` stands for the database's clock, from claim to end.
    """
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None:
        logger.info("Delivery %s is not to be carried now: there is none", delivery_id)
    elif pace.may_begin(delivery.lane, is_urgent=_is_urgent(delivery)):
        _attempt(delivery_id, at)
        _ring_for_held_back(delivery.lane, at)
    else:
        logger.info("Delivery %s waits for its account's pace", delivery_id)


def _attempt(delivery_id: int, at: datetime | None) -> None:
    delivery = _claim(delivery_id, at or database_now())
    if delivery is None:
        logger.info("Delivery %s is not to be carried now", delivery_id)
        return
    try:
        _carry(delivery, at)
    except ClaimLost:
        logger.warning("Delivery %s was taken back while it was carried", delivery_id)
    except (OperationalError, InterfaceError):
        # The database is away, so no outcome can be stored: the sweep takes the delivery back when the lease is over.
        raise
    except pace.NotYet as error:
        _wait_for_the_pace(delivery, error, at or database_now())
    except errors.TryLater as error:
        _wait(delivery, error, at or database_now())
    except errors.AWSError as error:
        _get_stuck(delivery, STUCK_KINDS.get(type(error), StuckKind.UNKNOWN), str(error), error.request_id)
    except Exception as error:
        logger.exception("Delivery %s failed in a way that nobody foresaw", delivery_id)
        _get_stuck(delivery, StuckKind.UNKNOWN, UNFORESEEN.format(type(error).__name__))


def deliver_due(*, at: datetime | None = None) -> int:
    """Carry in the foreground what is due and what follows from it; the number of attempts.

    What waits after its attempt is not tried again, however short it waits.
    """
    start = at or database_now()
    take_back_stranded(start)
    attempts = 0
    while ids := _in_turn(start):
        for delivery_id in ids:
            _attempt(delivery_id, at)
        attempts += len(ids)
    return attempts


def sweep(*, at: datetime | None = None) -> None:
    """Take back what was stranded, and ring for what is due: the net under the doorbell."""
    now = at or database_now()
    take_back_stranded(now)
    _ring(_in_turn(now, per_lane=RUNG_PER_LANE)[:RUNG_PER_SWEEP])


def take_back_stranded(now: datetime) -> None:
    """Make deliveries due again whose worker's lease ran out; those that strand again and again are stuck."""
    for delivery in Delivery.objects.stranded(now).order_by("pk"):
        if delivery.times_stranded + 1 < MAX_TIMES_STRANDED:
            logger.warning("Delivery %s was stranded and is taken back", delivery.pk)
            _end_attempt(delivery, state=State.DUE, times_stranded=F("times_stranded") + 1)
        else:
            _get_stuck(delivery, StuckKind.UNKNOWN, KEPT_STRANDING.format(MAX_TIMES_STRANDED))


def keep_baseline(*, delivery: Delivery, baseline: object) -> None:
    """Commit what AWS holds before a call that must not be repeated; a handler's `carry` calls this.

    It also renews the lease, and so is the last moment at which a worker that was too slow learns of it.

    :raises ClaimLost: when another worker has taken the delivery back.
    """
    ours = Delivery.objects.filter(pk=delivery.pk, state=State.CALLING, claim=delivery.claim)
    if ours.update(baseline=baseline, lease_until=_lease(database_now())) != 1:
        raise ClaimLost
    delivery.baseline = baseline


def retry(*, delivery: Delivery) -> None:
    """Make a stuck or waiting delivery due now, inside the use-case that decides it.

    :raises CannotBeRetried: when it is neither stuck nor waiting any more.
    """
    _change(delivery, (State.STUCK, State.WAITING), CannotBeRetried, state=State.DUE, attempts=0)
    doorbell.ring_on_commit([delivery])


def abandon(*, delivery: Delivery, at: datetime) -> None:
    """Give a delivery up, inside the use-case that decides it; its handler tidies the domain's rows.

    :raises CannotBeAbandoned: when it is being carried at this moment or has ended.
    """
    waiting = (State.STUCK, State.WAITING, State.DUE)
    with transaction.atomic():
        _change(delivery, waiting, CannotBeAbandoned, state=State.GIVEN_UP, done_at=at)
        handler = handler_of(delivery.entry.kind)
        if handler is not None and handler.abandon is not None:
            handler.abandon(delivery.entry, delivery, at)
        doorbell.ring_on_commit(_next_about_the_subject(delivery))


def _in_turn(now: datetime, *, lane: str = "", per_lane: int | None = None) -> list[int]:
    """Ids of what may be carried now: what a person waits for, then bulk, then imports; lanes in turn, each by age."""
    rows = Delivery.objects.deliverable(now).order_by("created_at", "pk")
    queues, seen, places = Delivery.Queue.values, Counter[tuple[str, str]](), []
    for pk, queue, its_lane in (rows.filter(lane=lane) if lane else rows).values_list("pk", "queue", "lane"):
        places.append((queues.index(queue), seen[its_lane, queue], pk))
        seen[its_lane, queue] += 1
    places.sort(key=lambda place: place[:2])
    return [pk for _, place, pk in places if per_lane is None or place < per_lane]


def _ring(ids: list[int]) -> None:
    found = Delivery.objects.in_bulk(ids)
    doorbell.ring(found[pk] for pk in ids if pk in found)


def _ring_for_held_back(lane: str, at: datetime | None) -> None:
    """Let the next ones begin where the account's pace held some back: without it they would wait for a sweep."""
    if not pace.has_held_back(lane):
        return
    ids = _in_turn(at or database_now(), lane=lane)
    if len(ids) > RUNG_AFTER_ONE:
        pace.hold_back(lane)
    _ring(ids[:RUNG_AFTER_ONE])


def _is_urgent(delivery: Delivery) -> bool:
    return delivery.queue == Delivery.Queue.INTERACTIVE


@transaction.atomic
def _claim(delivery_id: int, now: datetime) -> Delivery | None:
    claim = uuid.uuid4()
    claimed = _passing_over_locked(Delivery.objects.deliverable(now).filter(pk=delivery_id))
    changes = {**NOBODYS, "state": State.CALLING, "claim": claim, "lease_until": _lease(now)}
    if claimed.update(**changes, attempts=F("attempts") + 1) != 1:
        return None
    return Delivery.objects.select_related("entry").filter(pk=delivery_id, claim=claim).first()


def _passing_over_locked(deliveries: DeliveryQuerySet) -> DeliveryQuerySet:
    """Without those that another worker is claiming or a person is deciding about: nobody waits for such a row's lock.

    On PostgreSQL by FOR UPDATE SKIP LOCKED; in SQLite there is one writer, and the conditional UPDATE decides alone.
    """
    if not connection.features.has_select_for_update_skip_locked:
        return deliveries
    free = deliveries.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
    return deliveries.filter(pk__in=list(free))


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


def _carry(delivery: Delivery, at: datetime | None) -> None:
    handler = handler_of(delivery.entry.kind)
    if handler is None:
        _get_stuck(delivery, StuckKind.UNKNOWN, UNKNOWN_KIND)
        return
    # Waiting for the account's pace is to leave most of the lease to the calls themselves.
    try:
        with pace.turn(is_urgent=_is_urgent(delivery), seconds=settings.DELIVERY_LEASE_SECONDS / 3):
            answer = handler.carry(delivery.entry, delivery)
    except NotToBeCarried as error:
        _get_stuck(delivery, StuckKind.REFUSED, str(error))
        return
    now = at or database_now()
    with transaction.atomic():
        # First the claim: its row lock keeps everybody else away until the domain's rows are written too.
        _conclude(delivery, state=State.DONE, done_at=now, error="", aws_request_id="", times_stranded=0)
        handler.settle(delivery.entry, answer, now)
        doorbell.ring_on_commit(_next_about_the_subject(delivery))
    logger.info("Delivered %s", delivery.pk)


def _wait(delivery: Delivery, error: errors.TryLater, now: datetime) -> None:
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(delivery.attempts - 1, 16))
    # Between half and all of it, so that what failed together does not come back together.
    until = now + longest * _jitter.uniform(0.5, 1.0)
    logger.info("Delivery %s waits until %s: %s", delivery.pk, until, error)
    told = {"error": str(error), "aws_request_id": error.request_id}
    _end_attempt(delivery, state=State.WAITING, not_before=until, times_stranded=0, **told)


def _wait_for_the_pace(delivery: Delivery, error: pace.NotYet, now: datetime) -> None:
    logger.info("Delivery %s waits for its account's pace after it had begun", delivery.pk)
    soon = {"state": State.WAITING, "not_before": now + PACE_WAIT, "attempts": F("attempts") - 1}
    _end_attempt(delivery, **soon, error=str(error), times_stranded=0)


def _get_stuck(delivery: Delivery, kind: StuckKind, sentence: str, request_id: str = "") -> None:
    logger.warning("Delivery %s is stuck: %s", delivery.pk, sentence)
    told = {"error": sentence, "aws_request_id": request_id}
    _end_attempt(delivery, state=State.STUCK, stuck_kind=kind, times_stranded=0, **told)


def _end_attempt(delivery: Delivery, **changes: Any) -> None:  # Any: values of the model's fields
    try:
        _conclude(delivery, **changes)
    except ClaimLost:
        logger.warning("Delivery %s is in other hands, which will store their own outcome", delivery.pk)


def _conclude(delivery: Delivery, **changes: Any) -> None:  # Any: values of the model's fields
    ours = Delivery.objects.filter(pk=delivery.pk, state=State.CALLING, claim=delivery.claim)
    if ours.update(**{**NOBODYS, **changes}) != 1:
        raise ClaimLost


def _change(delivery: Delivery, states: tuple[State, ...], refusal: type[Exception], **changes: Any) -> None:
    changed = Delivery.objects.filter(pk=delivery.pk, state__in=states).update(**{**NOBODYS, **changes})
    delivery.refresh_from_db()
    if changed != 1:
        raise refusal(f"It is {delivery.get_state_display().lower()}.")


def _next_about_the_subject(delivery: Delivery) -> list[Delivery]:
    same = Delivery.objects.filter(organization=delivery.organization_id).open().for_subject(delivery.subject)
    return list(same.filter(lane=delivery.lane).order_by("sequence")[:1])
