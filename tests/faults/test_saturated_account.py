"""A real worker at an account's pace: it is not exceeded, and another account does not notice."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account, Envelope, Person, Team
from accounts.usecases.iam_users import create_iam_user
from portal.aws import pace
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from tests import services
from tests.aws.server import AWS

RATE, BURST = 20, 5
COUNT = 25
PATIENCE_SECONDS = 60.0

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Create = Callable[[Account, str], None]


@pytest.fixture
def dev(aws: AWS, acme_dev: Account, prod: Account, payments: Team) -> Account:
    """A second account, inside the envelope of Payments and in AWS too."""
    aws.account(acme_dev.account_id, external_id=acme_dev.external_id)
    Envelope.objects.get(team=payments).accounts.add(acme_dev)
    return acme_dev


@pytest.fixture
def create(olive: Person, payments: Team) -> Create:
    """Decide about one more user."""

    def create(account: Account, user_name: str) -> None:
        create_iam_user(by=olive, team=payments, account=account, user_name=user_name, kind="person", at=database_now())

    return create


def wait_until_delivered(lane: str) -> None:
    """Come back when everything has arrived in the account."""
    end = time.monotonic() + PATIENCE_SECONDS
    while Delivery.objects.open().filter(lane=lane).exists():
        assert time.monotonic() < end, list(Delivery.objects.values_list("state", "error"))
        time.sleep(0.05)


def test_a_backlog_keeps_to_the_pace_of_its_account_and_takes_nothing_of_anothers(
    aws: AWS, prod: Account, dev: Account, create: Create, tmp_path: Path
) -> None:
    environment = services.environment(
        connection,
        **aws.environment,
        CELERY_BROKER_URL=str(settings.CELERY_BROKER_URL),
        CACHE_URL=settings.CACHES["default"]["LOCATION"],
        AWS_CALLS_PER_SECOND=str(RATE),
        AWS_CALLS_BURST=str(BURST),
    )
    with services.running(services.start_worker(environment, tmp_path / "worker.log")):
        for account in (prod, dev):
            create(account, "first")
            wait_until_delivered(account.account_id)
        before, begin = pace.calls()[prod.account_id], time.monotonic()

        # In one transaction, so that the whole backlog stands before the other account's deliveries when bells ring.
        with transaction.atomic():
            for number in range(COUNT):
                create(prod, f"user-{number}")
            for number in range(5):
                create(dev, f"user-{number}")
        for account in (dev, prod):
            wait_until_delivered(account.account_id)
        seconds = time.monotonic() - begin

    calls = pace.calls()[prod.account_id] - before
    assert calls == 3 * COUNT
    # Never faster than the pace; that it is not slower either is for the benchmark, which has the machine to itself.
    assert (calls - BURST) / seconds < 1.1 * RATE
    # Each was decided behind the whole backlog of the other account, and none waited for its end.
    elsewhere = Delivery.objects.filter(lane=dev.account_id).order_by("pk")[1:]
    last = Delivery.objects.filter(lane=prod.account_id).latest("done_at")
    assert last.done_at is not None
    assert all(delivery.done_at is not None and delivery.done_at < last.done_at for delivery in elsewhere)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("done", 1)}
