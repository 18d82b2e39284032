"""Celery as the doorbell that it is to be: each setting is read under its right name, and is in force."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import signals
from django.conf import settings
from kombu import Connection, Consumer

from portal import heartbeat
from portal.celery import app
from portal.conf.celery import BROKER_TRANSPORT_OPTIONS
from tests import services

OURS = ("portal.", "accounts.", "federation.")
WHAT_WAITS = {"countdown", "eta", "apply_async"}


@pytest.fixture
def broker() -> Iterator[Connection]:
    """The broker of this run, with empty queues."""
    with app.connection_for_write() as connection:
        for queue in app.conf.task_queues:
            queue(connection.default_channel).declare()
            queue(connection.default_channel).purge()
        yield connection


def test_a_task_is_done_only_when_it_is_done() -> None:
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1


def test_results_are_kept_nowhere() -> None:
    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None


def test_messages_are_json_alone() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_a_task_ends_before_the_broker_takes_it_for_lost() -> None:
    visibility = BROKER_TRANSPORT_OPTIONS["visibility_timeout"]

    assert settings.DELIVERY_LEASE_SECONDS < app.conf.task_time_limit < 120 == visibility
    assert app.conf.broker_transport_options["visibility_timeout"] == visibility
    with app.connection_for_write() as connection:
        assert vars(connection.default_channel)["visibility_timeout"] == visibility


def test_every_task_of_ours_obeys_them() -> None:
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if name.startswith(OURS)]

    assert {task.name for task in ours} >= {"portal.ledger.tasks.deliver", "portal.ledger.tasks.sweep"}
    for task in ours:
        assert task.acks_late is True, task.name
        assert task.reject_on_worker_lost is True, task.name
        assert task.ignore_result is True, task.name
        assert task.serializer == "json", task.name


def test_what_beat_sends_is_a_task_that_exists_and_is_void_when_nobody_took_it() -> None:
    app.loader.import_default_modules()
    for name, line in app.conf.beat_schedule.items():
        assert line["task"] in app.tasks, name
        assert line["options"]["expires"] <= line["schedule"], name
    assert app.conf.beat_schedule["sweep-deliveries"]["schedule"] == settings.SWEEP_SECONDS


def waiting(text: str) -> list[str]:
    """What would have a task wait in the broker."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            names = [keyword.arg for keyword in node.keywords] + [getattr(node.func, "attr", None)]
            found += [name for name in names if name in WHAT_WAITS]
    return found


def test_nothing_waits_in_the_broker() -> None:
    """A time belongs into the database (`not_before`): a broker hands what waits too long to a second worker."""
    files = [path for folder in ("portal", "accounts", "federation") for path in (services.ROOT / folder).rglob("*.py")]

    assert {str(path): found for path in files if (found := waiting(path.read_text()))} == {}
    assert waiting("task.apply_async(countdown=3)") == ["countdown", "apply_async"]
    assert waiting("app.send_task('x', eta=soon)") == ["eta"]


def test_a_worker_takes_what_a_person_waits_for_before_bulk_and_imports(broker: Connection) -> None:
    for queue in ["import", "bulk", "interactive"] * 3:
        app.send_task("tests.nothing", queue=queue, connection=broker)
    taken: list[str] = []

    def take(_body: object, message: object) -> None:
        taken.append(message.delivery_info["routing_key"])  # type: ignore[attr-defined]
        message.ack()  # type: ignore[attr-defined]

    queues = [queue(broker.default_channel) for queue in app.conf.task_queues]
    with Consumer(broker.default_channel, queues, callbacks=[take], prefetch_count=1, accept=["json"]):
        while len(taken) < 9:
            broker.drain_events(timeout=5)

    assert taken == ["interactive"] * 3 + ["bulk"] * 3 + ["import"] * 3


def test_workers_are_given_their_queues_in_that_order() -> None:
    order = [queue.name for queue in app.conf.task_queues]

    assert order == ["interactive", "bulk", "import"]
    programs = Path(services.ROOT / "portal/supervisor/programs.py").read_text()
    assert f'"--queues", "{",".join(order)}"' in programs


def test_beat_leaves_its_sign_when_it_has_sent_a_sweep_and_for_nothing_else(broker: Connection) -> None:
    app.send_task("portal.ledger.tasks.deliver", args=[0], queue="bulk", connection=broker)
    assert not heartbeat.is_left(heartbeat.BEAT)

    app.send_task("portal.ledger.tasks.sweep", queue="bulk", connection=broker)
    assert heartbeat.is_left(heartbeat.BEAT)
    assert not heartbeat.is_left(heartbeat.WORKER)


def test_a_worker_leaves_its_sign_with_each_heartbeat() -> None:
    signals.heartbeat_sent.send(sender=None)

    assert heartbeat.is_left(heartbeat.WORKER)
    assert not heartbeat.is_left(heartbeat.BEAT)
