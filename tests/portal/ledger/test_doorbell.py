"""A broker that is away costs nothing: no error, no long wait, no delivery."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery, current_app
from kombu.exceptions import OperationalError

from portal.conf.celery import BROKER_TRANSPORT_OPTIONS
from portal.ledger import deliver, doorbell
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Target
from tests.portal.ledger.carrying import AT, Bell, Carrier

Decide = Callable[..., Entry]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def real_bell(monkeypatch: pytest.MonkeyPatch, bell: Bell) -> doorbell.Doorbell:
    """A doorbell that speaks to Celery."""
    fresh = doorbell.Doorbell()
    monkeypatch.setattr(doorbell, "doorbell", fresh)
    return fresh


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would be sent to the broker."""
    messages: list[tuple[Any, ...]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: messages.append((name, options)))
    return messages


def speaking_to(address: str) -> Celery:
    """The portal's Celery with another broker."""
    app = Celery("elsewhere", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(broker_url=address, broker_transport_options=BROKER_TRANSPORT_OPTIONS)
    return app


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """The address of a broker that lets everybody in and answers nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_it_sends_ids_alone_to_the_queue_of_who_waits(
    decide: Decide, real_bell: doorbell.Doorbell, sent: list[tuple[Any, ...]]
) -> None:
    decide(deliver=(Target("111122223333", "arn:a", "bulk"),))

    [(name, options)] = sent
    assert name == "portal.ledger.tasks.deliver"
    assert options["args"] == [Delivery.objects.get().pk]
    assert options["queue"] == "bulk"
    assert not options.get("kwargs")


@pytest.mark.usefixtures("real_bell")
@pytest.mark.parametrize("is_silent", [False, True])
def test_a_broker_that_is_down_at_the_commit_loses_nothing(
    decide: Decide,
    carrier: Carrier,
    silent_broker: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_silent: bool,
) -> None:
    address = silent_broker if is_silent else "redis://127.0.0.1:1/0"
    monkeypatch.setattr(doorbell, "current_app", speaking_to(address))
    started = time.monotonic()

    decide("a")

    assert time.monotonic() - started < 6
    assert "The broker did not answer" in caplog.text
    assert deliver.deliver_due(at=AT) == 1
    assert Delivery.objects.get().state == "done"


def test_a_broker_that_did_not_answer_is_left_alone_for_a_while(
    decide: Decide, real_bell: doorbell.Doorbell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def refuse(name: str, **options: object) -> None:
        tries.append(name)
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", refuse)
    for _ in range(3):
        decide("a", "b")
    assert len(tries) == 1

    monkeypatch.setattr(real_bell, "_rests_until", 0.0)
    decide("a")
    assert len(tries) == 2


def test_a_doorbell_that_breaks_in_any_way_does_not_reach_the_person(
    decide: Decide, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(deliveries: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(doorbell.doorbell, "ring", explode)

    decide("a")

    assert Delivery.objects.get().state == "due"
    assert "on_commit" in caplog.text


def test_the_sweep_rings_for_what_nobody_heard(decide: Decide, bell: Bell) -> None:
    decide("a", "b")
    decide("a")
    bell.clear()

    deliver.sweep(at=AT)

    first, second = Delivery.objects.filter(sequence=1).order_by("pk")
    assert sorted(bell) == [first.pk, second.pk]


def test_a_backlog_is_rung_for_in_portions(decide: Decide, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "RUNG_PER_SWEEP", 2)
    decide("a", "b", "c")
    bell.clear()

    deliver.sweep(at=AT)

    assert len(bell) == 2
