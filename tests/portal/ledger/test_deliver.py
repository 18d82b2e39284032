"""A delivery's way: claimed, carried, settled, or waiting or stuck."""

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from portal.aws import errors
from portal.ledger import clock, deliver, handlers, tasks
from portal.ledger.handlers import AlreadyRegistered, Handler
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Target
from tests.portal.ledger.carrying import AT, KIND, LANE, MINUTE, Bell, Carrier

Decide = Callable[..., Entry]

pytestmark = pytest.mark.django_db(transaction=True)

WORDS: dict[str, Any] = {"operation": "CreateUser", "code": "X", "message": "not so.", "request_id": "req-1"}


def one() -> Delivery:
    return Delivery.objects.get()


def test_it_is_carried_outside_any_transaction_and_settled_inside_one(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [lambda: f"in a transaction: {connection.in_atomic_block}"]
    decide("a")

    deliver.deliver(one().pk, at=AT)

    assert carrier.settled == ["in a transaction: False"]
    assert (one().state, one().done_at, one().attempts, one().claim) == ("done", AT, 1, None)


def test_it_is_done_once_however_often_the_bell_rings(decide: Decide, carrier: Carrier) -> None:
    decide("a")

    for _ in range(3):
        deliver.deliver(one().pk, at=AT)

    assert len(carrier.carried) == len(carrier.settled) == 1


def test_an_id_that_nobody_knows_does_nothing_but_log(carrier: Carrier, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        deliver.deliver(4711)

    assert "Delivery 4711 is not to be carried now" in caplog.text


def test_what_aws_cannot_do_now_waits(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [errors.TryLater(**WORDS)]
    decide("a")

    deliver.deliver(one().pk, at=AT)

    waiting = one()
    assert waiting.state == "waiting"
    assert waiting.not_before is not None
    assert AT + timedelta(seconds=1) <= waiting.not_before <= AT + timedelta(seconds=2)
    assert (waiting.error, waiting.aws_request_id) == ("AWS could not do CreateUser now: not so.", "req-1")


def test_it_is_not_carried_before_its_time(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [errors.TryLater(**WORDS)]
    decide("a")
    deliver.deliver(one().pk, at=AT)

    deliver.deliver(one().pk, at=AT)
    assert len(carrier.carried) == 1

    deliver.deliver(one().pk, at=AT + MINUTE)
    assert (one().state, one().error, one().aws_request_id, one().attempts) == ("done", "", "", 2)


def test_it_waits_twice_as_long_each_time_up_to_fifteen_minutes(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [errors.TryLater(**WORDS) for _ in range(40)]
    decide("a")
    now, pauses = AT, []

    for _ in range(40):
        deliver.deliver(one().pk, at=now)
        until = one().not_before
        assert until is not None
        pauses.append((until - now).total_seconds())
        now = until

    for attempt, pause in enumerate(pauses):
        longest = min(900, 2 * 2**attempt)
        assert longest / 2 <= pause <= longest
    assert len(set(pauses[-10:])) > 1, "What failed together must not come back together."


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (errors.Denied(**WORDS), "denied", "Stuck: AWS denied it"),
        (errors.Refused(**WORDS), "refused", "Stuck: AWS refused it"),
        (errors.Conflict(**WORDS), "conflict", "Stuck: AWS holds something else"),
        (errors.NotFound(**WORDS), "conflict", "Stuck: AWS holds something else"),
        (errors.Unknown(**WORDS), "unknown", "Stuck: the outcome is unknown"),
        (errors.AWSError(**WORDS), "unknown", "Stuck: the outcome is unknown"),
    ],
)
def test_what_aws_will_not_do_is_stuck(
    decide: Decide, carrier: Carrier, error: errors.AWSError, kind: str, words: str
) -> None:
    carrier.answers = [error]
    decide("a")

    deliver.deliver_due(at=AT)
    deliver.deliver_due(at=AT + 1000 * MINUTE)

    assert (one().state, one().stuck_kind, one().attempts) == ("stuck", kind, 1)
    assert (one().error, one().aws_request_id) == (str(error), "req-1")
    assert one().state_in_words(AT) == words
    assert carrier.settled == []


def test_what_does_not_hold_any_more_is_stuck_in_its_handlers_words(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [handlers.Outdated("Mia is not its owner any more. Nothing was sent.")]
    decide("a")

    deliver.deliver_due(at=AT)

    assert (one().state, one().stuck_kind, one().aws_request_id) == ("stuck", "outdated", "")
    assert one().error == "Mia is not its owner any more. Nothing was sent."
    assert one().state_in_words(AT) == "Stuck: it does not hold any more"
    assert carrier.settled == []


def test_what_nobody_foresaw_is_stuck_without_its_words(
    decide: Decide, carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    carrier.answers = [ZeroDivisionError("its words may be a secret")]
    decide("a")

    deliver.deliver(one().pk, at=AT)

    assert (one().state, one().stuck_kind) == ("stuck", "unknown")
    assert "ZeroDivisionError" in one().error
    assert "secret" not in one().error
    assert "nobody foresaw" in caplog.text


def test_a_kind_that_this_release_does_not_know_is_stuck(decide: Decide, carrier: Carrier) -> None:
    decide("a", kind="tests.from.tomorrow")

    deliver.deliver(one().pk, at=AT)

    assert (one().state, one().stuck_kind) == ("stuck", "unknown")
    assert "does not know" in one().error


def test_a_settlement_that_fails_leaves_nothing_and_is_stuck(
    decide: Decide, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(entry: Entry, answer: object, at: object) -> None:
        Delivery.objects.update(baseline="written by settle")
        raise ValueError

    monkeypatch.setattr(handlers, "_handlers", {KIND: Handler(carrier.carry, settle)})
    decide("a")

    deliver.deliver(one().pk, at=AT)

    assert (one().state, one().stuck_kind, one().baseline) == ("stuck", "unknown", None)


def test_a_database_that_went_away_leaves_it_to_the_sweep(
    decide: Decide, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(entry: Entry, answer: object, at: object) -> None:
        raise OperationalError

    monkeypatch.setattr(handlers, "_handlers", {KIND: Handler(carrier.carry, settle)})
    decide("a")

    with pytest.raises(OperationalError):
        deliver.deliver(one().pk, at=AT)

    assert one().state == "calling"


def test_two_handlers_cannot_have_one_kind(carrier: Carrier) -> None:
    with pytest.raises(AlreadyRegistered):
        handlers.register(KIND, Handler(carrier.carry, carrier.settle))


def test_a_drain_goes_on_with_what_follows(decide: Decide, carrier: Carrier) -> None:
    for _ in range(3):
        decide("a", "b")

    assert deliver.deliver_due(at=AT) == 6
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_the_command_drains_and_says_how_much(decide: Decide, carrier: Carrier) -> None:
    decide("a", "b")
    said = StringIO()

    call_command("deliver", stdout=said)

    assert said.getvalue() == "Attempts: 2\n"
    assert not Delivery.objects.open().exists()


def test_tasks_carry_an_id_and_accept_what_a_later_release_adds(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    decide("a", "b")
    first, second = Delivery.objects.order_by("pk")

    tasks.deliver(first.pk, schema=2)
    bell.clear()
    tasks.sweep(schema=2)

    assert set(Delivery.objects.values_list("pk", "state")) == {(first.pk, "done"), (second.pk, "due")}
    assert bell == [second.pk]
    for task in (tasks.deliver, tasks.sweep):
        assert task.ignore_result
        assert task.acks_late
        assert task.reject_on_worker_lost


def test_what_a_person_waits_for_goes_first(decide: Decide, carrier: Carrier) -> None:
    for queue in ("import", "bulk", "interactive"):
        decide(deliver=(Target(LANE, f"arn:{queue}", queue),))

    deliver.deliver_due(at=AT)

    assert [delivery.queue for delivery in carrier.carried] == ["interactive", "bulk", "import"]


def test_a_baseline_is_committed_before_the_call_and_seen_by_the_next_attempt(decide: Decide, carrier: Carrier) -> None:
    def keep_and_lose() -> None:
        deliver.keep_baseline(delivery=carrier.carried[-1], baseline=["AKIA1"])
        raise errors.TryLater(**WORDS, is_doubtful=True)

    carrier.answers = [keep_and_lose]
    decide("a")

    deliver.deliver(one().pk, at=AT)
    assert one().baseline == ["AKIA1"]

    deliver.deliver(one().pk, at=AT + MINUTE)
    assert carrier.carried[-1].baseline == ["AKIA1"]


def test_a_worker_that_lost_its_claim_learns_of_it_before_the_call(decide: Decide, carrier: Carrier) -> None:
    called: list[str] = []

    def keep_too_late() -> None:
        Delivery.objects.update(claim=uuid.uuid4())
        deliver.keep_baseline(delivery=carrier.carried[-1], baseline=[])
        called.append("CreateAccessKey")

    carrier.answers = [keep_too_late]
    decide("a")

    deliver.deliver(one().pk, at=AT)

    assert called == []
    assert (one().state, one().baseline) == ("calling", None)


def test_the_clock_is_the_databases_and_goes_on_within_a_transaction() -> None:
    with transaction.atomic():
        first, second = clock.database_now(), clock.database_now()

    assert first <= second
    assert first.utcoffset() == timedelta(0)
