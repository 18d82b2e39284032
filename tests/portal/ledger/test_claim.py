"""Two workers, dead workers and slow workers: one claim, one settlement."""

from collections.abc import Callable
from threading import Event

import pytest
from django.conf import settings
from django.db import transaction

from portal.ledger import deliver
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from tests.portal.ledger.carrying import AT, MINUTE, Bell, Carrier, together

Decide = Callable[..., Entry]

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What a process that is gone looks like from inside: nothing after it runs."""


def die(delivery: Delivery, carrier: Carrier, at: object = AT) -> None:
    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliver.deliver(delivery.pk, at=at)  # type: ignore[arg-type]


def one() -> Delivery:
    return Delivery.objects.get()


@pytest.mark.parametrize("workers", [2, 8])
def test_of_several_workers_at_the_same_moment_one_claims(decide: Decide, carrier: Carrier, workers: int) -> None:
    for round_ in range(5):
        decide("a")
        delivery = Delivery.objects.order_by("-pk")[0]
        carrier.carried.clear()

        results = together(workers, lambda _, pk=delivery.pk: deliver.deliver(pk))  # type: ignore[misc]

        assert results == [None] * workers
        assert len(carrier.carried) == 1
        assert len(carrier.settled) == round_ + 1


@pytest.mark.only_on("postgresql")
def test_nobody_waits_for_a_row_that_somebody_is_deciding_about(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    delivery, has_lock, may_end = one(), Event(), Event()

    def two_at_once(who: int) -> str:
        if who == 0:
            with transaction.atomic():
                Delivery.objects.select_for_update().get(pk=delivery.pk)
                has_lock.set()
                return "waited" if not may_end.wait(10) else "released"
        assert has_lock.wait(10)
        deliver.deliver(delivery.pk)
        may_end.set()
        return "passed over"

    assert together(2, two_at_once) == ["released", "passed over"]
    assert carrier.carried == []
    assert one().state == Delivery.State.DUE


def test_workers_side_by_side_keep_each_subjects_order(decide: Decide, carrier: Carrier) -> None:
    for _ in range(4):
        decide("a", "b", "c")
    ids = list(Delivery.objects.values_list("pk", flat=True))

    def ring_for_all(_: int) -> None:
        while Delivery.objects.open().exists():
            for pk in reversed(ids):
                deliver.deliver(pk)

    assert together(4, ring_for_all) == [None] * 4

    for subject in ("arn:a", "arn:b", "arn:c"):
        order = [delivery.sequence for delivery in carrier.carried if delivery.subject == subject]
        assert order == [1, 2, 3, 4]
    assert len(carrier.settled) == 12


def test_one_whose_worker_died_is_taken_back_and_carried_again(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    decide("a")
    die(one(), carrier)
    bell.clear()
    assert one().state == "calling"

    deliver.sweep(at=AT + MINUTE * 2)

    assert (one().state, one().claim, one().times_stranded) == ("due", None, 1)
    assert bell == [one().pk]
    deliver.deliver(one().pk, at=AT + MINUTE * 2)
    assert (one().state, one().times_stranded) == ("done", 0)
    assert len(carrier.carried) == 2
    assert len(carrier.settled) == 1


def test_it_is_not_taken_back_before_its_lease_is_over(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    decide("a")
    die(one(), carrier)
    bell.clear()

    deliver.sweep(at=one().lease_until)

    assert one().state == "calling"
    assert bell == []


def test_the_lease_is_measured_by_the_databases_clock(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    before = database_now()

    carrier.answers = [Killed()]
    with pytest.raises(Killed):
        deliver.deliver(one().pk)

    lease = one().lease_until
    assert lease is not None
    assert 0 <= (lease - before).total_seconds() - settings.DELIVERY_LEASE_SECONDS < 30


def test_a_slow_worker_does_not_settle_what_another_has_settled(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    carried_again = Event()

    def slowly() -> str:
        deliver.take_back_stranded(AT + 2 * MINUTE)
        deliver.deliver(one().pk, at=AT + 2 * MINUTE)
        carried_again.set()
        return "the slow worker's answer"

    carrier.answers = [slowly, "the other worker's answer"]

    deliver.deliver(one().pk, at=AT)

    assert carried_again.is_set()
    assert carrier.settled == ["the other worker's answer"]
    assert (one().state, one().attempts) == ("done", 2)


def test_a_slow_workers_error_does_not_undo_what_another_has_settled(decide: Decide, carrier: Carrier) -> None:
    decide("a")

    def slowly() -> None:
        deliver.take_back_stranded(AT + 2 * MINUTE)
        deliver.deliver(one().pk, at=AT + 2 * MINUTE)
        raise ZeroDivisionError

    carrier.answers = [slowly]

    deliver.deliver(one().pk, at=AT)

    assert one().state == "done"


def test_a_slow_worker_still_settles_when_nobody_took_it_back(decide: Decide, carrier: Carrier) -> None:
    decide("a")

    def slowly() -> str:
        Delivery.objects.update(lease_until=AT - MINUTE)
        return "late"

    carrier.answers = [slowly]

    deliver.deliver(one().pk, at=AT)

    assert carrier.settled == ["late"]


def test_one_that_kills_its_workers_again_and_again_is_stuck(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    now = AT
    for _ in range(deliver.MAX_TIMES_STRANDED):
        die(one(), carrier, now)
        now += 2 * MINUTE
        deliver.take_back_stranded(now)

    assert (one().state, one().stuck_kind) == ("stuck", "unknown")
    assert "5 times in a row" in one().error


def test_three_sweeps_at_the_same_moment_do_no_harm(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    die(one(), carrier)

    assert together(3, lambda _: deliver.sweep(at=AT + 2 * MINUTE)) == [None] * 3

    assert (one().state, one().times_stranded) == ("due", 1)
