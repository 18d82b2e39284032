"""Whether the portal is well: what must be there for it to serve people, and what else is told."""

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.cache import cache, caches
from django.db import DatabaseError, connection, transaction
from django.test import Client
from redis.exceptions import ConnectionError as CacheIsAway

from accounts.models import Organization, Person
from portal import health, heartbeat
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, Target, record

Decide = Callable[..., Delivery]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.ledger.doorbell.doorbell.ring", lambda deliveries: None)


@pytest.fixture
def decide(acme: Organization, olive: Person) -> Decide:
    """Record something that is due since so many seconds."""

    def decide(seconds: float, *, subject: str = "arn:a", **changes: Any) -> Delivery:
        with transaction.atomic():
            entry = record(
                organization=acme,
                kind="tests.thing.made",
                by=olive,
                subject=Subject("thing", "1", subject),
                at=database_now() - timedelta(seconds=seconds),
                deliver=(Target("111122223333", subject),),
            )
        Delivery.objects.filter(entry=entry).update(**changes)
        return Delivery.objects.get(entry=entry)

    return decide


def ready(client: Client, status: int = 200) -> dict[str, Any]:
    """What it says."""
    answer = client.get("/health/ready")
    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]
    told: dict[str, Any] = answer.json()
    return told


def test_it_says_who_is_there(client: Client) -> None:
    heartbeat.worker_lives()
    heartbeat.beat_lives()

    assert ready(client) == {
        "database": True,
        "cache": True,
        "broker": True,
        "worker": True,
        "beat": True,
        "oldest_due_seconds": 0.0,
    }


@pytest.mark.parametrize(("name", "who"), [(heartbeat.WORKER, "worker"), (heartbeat.BEAT, "beat")])
def test_a_silent_worker_or_beat_is_told_and_leaves_the_web_in_service(client: Client, name: str, who: str) -> None:
    heartbeat.worker_lives()
    heartbeat.beat_lives()
    cache.delete(name)

    told = ready(client)

    assert [key for key, value in told.items() if value is False] == [who]


def test_a_broker_that_is_away_is_told_and_leaves_the_web_in_service(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = current_app.connection_for_write("redis://127.0.0.1:1/0")
    monkeypatch.setattr(health.current_app, "connection_for_write", lambda: elsewhere)

    assert ready(client)["broker"] is False


def test_a_broker_that_hangs_is_told_before_a_probe_gives_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        hanging = current_app.connection_for_write(address)
        monkeypatch.setattr(health.current_app, "connection_for_write", lambda: hanging)
        start = time.monotonic()

        assert ready(client)["broker"] is False

    assert time.monotonic() - start < 4


def test_without_its_cache_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object, **_options: object) -> None:
        raise CacheIsAway

    monkeypatch.setattr(caches["default"], "set", away)

    told = ready(client, 503)

    assert (told["cache"], told["worker"], told["beat"], told["database"]) == (False, False, False, True)


def test_without_its_database_it_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "MigrationExecutor", away)

    told = ready(client, 503)

    assert (told["database"], told["cache"], told["oldest_due_seconds"]) == (False, True, None)


def test_a_database_that_was_not_migrated_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["accounts.0009_something"])

    assert ready(client, 503)["database"] is False


def test_it_says_for_how_long_the_oldest_has_been_due(client: Client, decide: Decide) -> None:
    now = database_now()
    decide(5, subject="arn:b")
    decide(300, subject="arn:a")
    decide(3000, subject="arn:c", state="waiting", not_before=now + timedelta(minutes=5))
    decide(3000, subject="arn:d", state="done", done_at=now)
    decide(3000, subject="arn:e", state="stuck", stuck_kind="denied")
    # Its turn comes after the stuck one about the same subject.
    decide(2000, subject="arn:e")

    assert 300 <= ready(client)["oldest_due_seconds"] < 330


def test_one_that_waited_is_due_since_its_wait_is_over(client: Client, decide: Decide) -> None:
    decide(3000, state="waiting", not_before=database_now() - timedelta(seconds=40))

    assert 40 <= ready(client)["oldest_due_seconds"] < 60


def test_signs_of_life_fade(settings: Any) -> None:
    settings.SWEEP_SECONDS = 0
    heartbeat.beat_lives()
    assert heartbeat.is_left(heartbeat.BEAT)

    client: Any = vars(caches["default"])["_cache"].get_client(None)
    key = cache.make_key(heartbeat.BEAT)
    assert 0 < client.pttl(key) <= 1000
    heartbeat.worker_lives()
    assert 0 < client.ttl(cache.make_key(heartbeat.WORKER)) <= heartbeat.WORKER_IS_SILENT_AFTER_SECONDS


def test_a_cache_that_is_away_does_not_end_a_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_arguments: object, **_options: object) -> None:
        raise CacheIsAway

    monkeypatch.setattr(heartbeat.cache, "set", away)

    heartbeat.worker_lives()

    assert "The cache did not take a sign of life" in caplog.text


def test_it_is_said_in_few_queries(client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(5):
        ready(client)
    assert not connection.in_atomic_block
