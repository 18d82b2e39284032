"""A worker that is killed between AWS's answer and its own commit: one user, one entry, and it is delivered."""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import Account, IAMUser, Person, Team
from accounts.usecases.iam_users import create_iam_user
from portal.ledger import chain
from portal.ledger.clock import database_now
from portal.ledger.deliver import sweep
from portal.ledger.models import Delivery, Entry
from tests import services
from tests.accounts.carrying import users
from tests.aws.server import AWS

LEASE_SECONDS = 2
PATIENCE_SECONDS = 45.0

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(aws: AWS) -> dict[str, str]:
    """What a worker needs to work on this test's database, broker and AWS."""
    return services.environment(
        connection,
        **aws.environment,
        CELERY_BROKER_URL=str(settings.CELERY_BROKER_URL),
        CACHE_URL=settings.CACHES["default"]["LOCATION"],
        DELIVERY_LEASE_SECONDS=str(LEASE_SECONDS),
    )


@contextmanager
def locked_against_writing() -> Iterator[None]:
    """Hold the database so that nobody else can write a delivery, as a slow disk or a long transaction would."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        other = sqlite3.connect(facts["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg2.connect(host=facts["HOST"], port=facts["PORT"], user=facts["USER"], dbname=facts["NAME"])
        other.cursor().execute("LOCK TABLE ledger_delivery IN EXCLUSIVE MODE")
    try:
        yield
    finally:
        other.rollback() if connection.vendor == "postgresql" else other.execute("ROLLBACK")
        other.close()


def wait_for(what: Callable[[], bool]) -> None:
    """Come back when it is so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "It did not become so."
        time.sleep(0.1)


def is_delivered() -> bool:
    """Let the net be drawn as beat would, and look."""
    sweep()
    return Delivery.objects.get().state == Delivery.State.DONE


@pytest.fixture
def decided(olive: Person, payments: Team, prod: Account) -> Callable[[], IAMUser]:
    """Olive decides that an IAM user shall exist."""

    def decide() -> IAMUser:
        return create_iam_user(
            by=olive,
            team=payments,
            account=prod,
            user_name="mia",
            kind="person",
            group_names=["ledger-writers"],
            tags={"stage": "prod"},
            at=database_now(),
        )

    return decide


def kill_between_answer_and_commit(
    aws: AWS, environment: dict[str, str], log: Path, decide: Callable[[], IAMUser]
) -> None:
    """Let a worker carry what is decided until AWS has answered its last call, and kill it before it can write."""
    last_call = aws.faults.hang("ListGroupsForUser")
    doomed = services.start_worker(environment, log)
    with services.running(doomed):
        decide()
        assert last_call.reached.wait(PATIENCE_SECONDS), log.read_text()
        with locked_against_writing():
            last_call.release()
            # AWS has answered within this time; the worker waits for the database now.
            time.sleep(1)
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()


def test_between_the_answer_and_the_commit_a_kill_costs_nothing_but_time(
    aws: AWS, prod: Account, environment: dict[str, str], tmp_path: Path, decided: Callable[[], IAMUser]
) -> None:
    kill_between_answer_and_commit(aws, environment, tmp_path / "doomed.log", decided)
    assert users(aws, prod)["mia"]["groups"] == {"ledger-writers"}
    assert Delivery.objects.get().state == Delivery.State.CALLING
    assert not IAMUser.objects.get().is_in_aws

    with services.running(services.start_worker(environment, tmp_path / "next.log")):
        wait_for(is_delivered)

    entry = Entry.objects.get()
    tags = {"stage": "prod", "gatehouse:entry": str(entry.pk)}
    assert users(aws, prod) == {"mia": {"path": "/portal/acme/payments/", "tags": tags, "groups": {"ledger-writers"}}}
    row = IAMUser.objects.get()
    assert row.user_id == aws.boto3(prod.account_id).get_user(UserName="mia")["User"]["UserId"]
    assert Delivery.objects.get().attempts == 2
    assert len(aws.calls("CreateUser")) == 2
    assert chain.verify(entry.organization) is None
