"""Subjects in order, subjects and lanes beside each other; stuck ones tried again or given up."""

from collections.abc import Callable

import pytest
from django.db import transaction

from accounts.models import Organization
from portal.aws import errors
from portal.ledger import deliver
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Target
from tests.portal.ledger.carrying import AT, MINUTE, Bell, Carrier

Decide = Callable[..., Entry]

pytestmark = pytest.mark.django_db(transaction=True)


def denied() -> errors.Denied:
    return errors.Denied(operation="CreateUser", code="AccessDenied", message="no.")


def later() -> errors.TryLater:
    return errors.TryLater(operation="CreateUser", code="Throttling", message="slower.")


def delivery_of(entry: Entry) -> Delivery:
    return Delivery.objects.get(entry=entry)


def states() -> list[str]:
    return list(Delivery.objects.order_by("sequence", "pk").values_list("state", flat=True))


def test_a_later_delivery_waits_for_the_earlier_one_of_its_subject(decide: Decide, carrier: Carrier) -> None:
    first, second = decide("a"), decide("a")

    deliver.deliver(delivery_of(second).pk, at=AT)
    assert states() == ["due", "due"]

    deliver.deliver(delivery_of(first).pk, at=AT)
    deliver.deliver(delivery_of(second).pk, at=AT)
    assert [delivery.sequence for delivery in carrier.carried] == [1, 2]


@pytest.mark.parametrize("answer", [denied, later])
def test_it_waits_for_a_stuck_or_waiting_one_too(
    decide: Decide, carrier: Carrier, answer: Callable[[], Exception]
) -> None:
    carrier.answers = [answer()]
    decide("a")
    decide("a")

    deliver.deliver_due(at=AT)

    assert states()[1] == "due"
    assert len(carrier.carried) == 1


def test_a_stuck_one_holds_its_subject_only(decide: Decide, carrier: Carrier, another: Organization) -> None:
    carrier.answers = [denied()]
    decide("a")
    decide("b")
    decide(deliver=(Target("222233334444", "arn:a"),))
    decide("b", organization=another)
    decide("a", organization=another)

    deliver.deliver_due(at=AT)

    assert sorted(states()) == ["done", "done", "done", "done", "stuck"]


def test_the_next_one_is_rung_for_when_one_is_done(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    first, second, _, other = decide("a"), decide("a"), decide("a"), decide("b")
    bell.clear()

    deliver.deliver(delivery_of(first).pk, at=AT)
    assert bell == [delivery_of(second).pk]

    deliver.deliver(delivery_of(other).pk, at=AT)
    assert bell == [delivery_of(second).pk]


def test_a_stuck_one_is_carried_when_it_is_tried_again(decide: Decide, carrier: Carrier, bell: Bell) -> None:
    carrier.answers = [denied()]
    stuck = delivery_of(decide("a"))
    deliver.deliver_due(at=AT)
    bell.clear()

    with transaction.atomic():
        deliver.retry(delivery=stuck)
        assert bell == []

    assert bell == [stuck.pk]
    assert (stuck.state, stuck.attempts, stuck.stuck_kind) == ("due", 0, "")
    deliver.deliver_due(at=AT)
    assert states() == ["done"]


def test_a_waiting_one_can_be_tried_at_once(decide: Decide, carrier: Carrier) -> None:
    carrier.answers = [later()]
    waiting = delivery_of(decide("a"))
    deliver.deliver_due(at=AT)

    deliver.retry(delivery=waiting)

    deliver.deliver_due(at=AT)
    assert states() == ["done"]


@pytest.mark.parametrize("state", ["due", "calling", "done", "given_up"])
def test_what_is_not_waiting_for_anybody_is_not_tried_again(decide: Decide, carrier: Carrier, state: str) -> None:
    delivery = in_state(decide, carrier, state)

    with pytest.raises(deliver.CannotBeRetried):
        deliver.retry(delivery=delivery)

    assert states() == [state]


@pytest.mark.parametrize("state", ["calling", "done", "given_up"])
def test_what_is_on_its_way_or_has_ended_is_not_given_up(decide: Decide, carrier: Carrier, state: str) -> None:
    delivery = in_state(decide, carrier, state)
    carrier.abandoned.clear()

    with pytest.raises(deliver.CannotBeAbandoned):
        deliver.abandon(delivery=delivery, at=AT)

    assert states() == [state]
    assert carrier.abandoned == []


def in_state(decide: Decide, carrier: Carrier, state: str) -> Delivery:
    """A delivery that came into the state by the worker's own doing."""
    delivery = delivery_of(decide("a"))
    if state == "done":
        deliver.deliver(delivery.pk, at=AT)
    elif state == "given_up":
        deliver.abandon(delivery=delivery, at=AT)
    elif state == "calling":
        carrier.answers = [KeyboardInterrupt()]
        with pytest.raises(KeyboardInterrupt):
            deliver.deliver(delivery.pk, at=AT)
    return delivery


@pytest.mark.parametrize("answer", [denied, later])
def test_giving_up_lets_the_next_one_go(
    decide: Decide, carrier: Carrier, bell: Bell, answer: Callable[[], Exception]
) -> None:
    carrier.answers = [answer()]
    first, second = delivery_of(decide("a")), delivery_of(decide("a"))
    deliver.deliver_due(at=AT)
    bell.clear()

    deliver.abandon(delivery=first, at=AT + MINUTE)

    assert (first.state, first.done_at, first.stuck_kind) == ("given_up", AT + MINUTE, "")
    assert carrier.abandoned == [first]
    assert bell == [second.pk]
    deliver.deliver_due(at=AT)
    assert states() == ["given_up", "done"]


def test_a_handler_that_cannot_tidy_up_leaves_it_as_it_was(
    decide: Decide, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    carrier.answers = [denied()]
    stuck = delivery_of(decide("a"))
    deliver.deliver_due(at=AT)
    carrier.abandoned = None  # type: ignore[assignment] # so that the handler's hook raises

    with pytest.raises(AttributeError):
        deliver.abandon(delivery=stuck, at=AT)

    assert states() == ["stuck"]


def test_a_kind_without_a_handler_can_be_given_up(decide: Decide, carrier: Carrier) -> None:
    unknown = delivery_of(decide("a", kind="tests.from.tomorrow"))
    deliver.deliver_due(at=AT)

    deliver.abandon(delivery=unknown, at=AT)

    assert states() == ["given_up"]


def test_the_querysets_find_the_open_the_stuck_and_the_subjects(
    decide: Decide, carrier: Carrier, organization: Organization, another: Organization
) -> None:
    carrier.answers = [denied()]
    stuck, done = delivery_of(decide("a")), delivery_of(decide("b"))
    deliver.deliver_due(at=AT)

    assert list(Delivery.objects.of(organization).open()) == [stuck]
    assert list(Delivery.objects.stuck()) == [stuck]
    assert list(Delivery.objects.of(organization).for_subject("arn:b")) == [done]
    assert not Delivery.objects.of(another).exists()
