"""Deliveries and the pace of their account: none is lost, none is counted, the urgent go first, others do not wait."""

from collections.abc import Callable
from typing import Any

import pytest

from portal.aws import pace
from portal.aws.pace import Pace
from portal.ledger import deliver
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Target
from tests.portal.ledger.carrying import AT, LANE, Bell, Carrier

Decide = Callable[..., Entry]
ANOTHER = "222233334444"

pytestmark = pytest.mark.django_db(transaction=True)


def not_yet() -> pace.NotYet:
    return pace.NotYet(operation="CreateUser", code="Pace", message="slowly.")


def book_ahead(lane: str) -> None:
    """Leave the account as it is while other workers wait for its tokens."""
    pace.store().ask("slow", lane, 0, 0.01, 1, 0)
    for _ in range(3):
        pace.store().ask("take", lane, 1, 0.01, 1, 10_000)


def forget_the_pace(lane: str) -> None:
    pace.store()._redis.delete(f"gatehouse:aws:pace:{lane}")


def test_it_does_not_begin_where_calls_are_booked_ahead(decide: Decide, carrier: Carrier) -> None:
    decide("a")
    book_ahead(LANE)

    deliver.deliver(Delivery.objects.get().pk, at=AT)

    assert carrier.carried == []
    assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == ("due", 0)


def test_another_account_does_not_notice(decide: Decide, carrier: Carrier) -> None:
    decide(deliver=(Target(ANOTHER, "arn:b"),))
    book_ahead(LANE)

    deliver.deliver(Delivery.objects.get().pk, at=AT)

    assert Delivery.objects.get().state == "done"


def test_whoever_ends_rings_for_what_was_held_back(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    decide("a", "b", "c", "d")
    first, *others = Delivery.objects.order_by("pk")
    book_ahead(LANE)
    for other in others:
        deliver.deliver(other.pk, at=AT)
    forget_the_pace(LANE)
    bell.clear()

    deliver.deliver(first.pk, at=AT)
    assert bell == [other.pk for other in others[:2]]

    for other in others:
        deliver.deliver(other.pk, at=AT)
    assert {delivery.state for delivery in Delivery.objects.all()} == {"done"}
    assert not pace.has_held_back(LANE)


def test_one_that_gets_no_turn_has_not_tried_and_is_due_again_soon(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [not_yet(), not_yet()]
    decide("a")

    deliver.deliver_due(at=AT)
    later = AT + deliver.PACE_WAIT
    deliver.deliver_due(at=later)

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.not_before) == ("waiting", 0, later + deliver.PACE_WAIT)
    assert "waits for its turn" in delivery.error
    deliver.deliver_due(at=later + deliver.PACE_WAIT)
    assert Delivery.objects.get().state == "done"


@pytest.mark.parametrize(("queue", "is_urgent"), [("interactive", True), ("bulk", False), ("import", False)])
def test_what_a_person_waits_for_is_carried_as_urgent(
    decide: Decide, carrier: Carrier, monkeypatch: pytest.MonkeyPatch, queue: str, is_urgent: bool
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(pace.Store, "ask", lambda _, *arguments: asked.append(arguments))
    carrier.answers = [lambda: Pace(LANE, 1, 1).take(operation_name="GetUser")]
    decide(deliver=(Target(LANE, "arn:a", queue),))

    deliver.deliver(Delivery.objects.get().pk, at=AT)

    begun, taken = asked
    assert begun == ("begin", LANE, is_urgent)
    assert taken[:3] == ("take", LANE, is_urgent)


def test_the_sweep_rings_first_for_what_a_person_waits_for(decide: Decide, bell: Bell) -> None:
    for queue in ("import", "bulk", "interactive"):
        decide(deliver=(Target(LANE, f"arn:{queue}", queue),))
    bell.clear()

    deliver.sweep(at=AT)

    assert [Delivery.objects.get(pk=pk).queue for pk in bell] == ["interactive", "bulk", "import"]


def test_the_backlog_of_one_account_does_not_hide_what_another_needs(
    decide: Decide, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "RUNG_PER_SWEEP", 4)
    decide("a", "b", "c", "d", "e")
    decide(deliver=(Target(ANOTHER, "arn:z"),))
    bell.clear()

    deliver.sweep(at=AT)

    assert [Delivery.objects.get(pk=pk).lane for pk in bell] == [LANE, ANOTHER, LANE, LANE]


def test_a_sweep_rings_for_a_part_of_one_accounts_backlog(
    decide: Decide, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "RUNG_PER_LANE", 3)
    decide("a", "b", "c", "d", "e")
    bell.clear()

    deliver.sweep(at=AT)

    assert bell == list(Delivery.objects.order_by("pk").values_list("pk", flat=True))[:3]


def test_a_backlog_is_carried_at_the_pace_and_none_of_it_is_lost(decide: Decide, carrier: Carrier) -> None:
    lane = Pace(LANE, 40, 5)
    carrier.answers = [lambda: lane.take(operation_name="GetUser")] * 25
    decide(*(f"thing-{number}" for number in range(25)))

    begun = database_now()
    deliver.deliver_due()

    assert Delivery.objects.filter(state="done").count() == 25
    assert 0.45 < (database_now() - begun).total_seconds() < 3
