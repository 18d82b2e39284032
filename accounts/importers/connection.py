"""One test of a connection, from its row's "Waiting" to "Passed" or "Failed"."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Protocol

from django.db import OperationalError

from accounts.importers import probes
from accounts.importers.probes import Check, Finding, Outcome, Verdict
from accounts.models import ConnectionTest, Person
from portal.ledger.clock import database_now

logger = logging.getLogger(__name__)

# Longer than Celery lets a task run.
LEASE = timedelta(minutes=3)
WHOLE = "The test"
UNFORESEEN = "The portal failed while it tested the connection ({}). Its log says more; the account is as it was."


class Conclude(Protocol):
    """The use-case that writes down what a test found, if the test is still this worker's."""

    def __call__(self, *, by: Person | None, test: ConnectionTest, finding: Finding, at: datetime) -> None: ...


def run(test_id: int, *, conclude: Conclude) -> None:
    """Test the connection, and have `conclude` decide what follows from it."""
    if not _claim(test_id):
        return
    test = ConnectionTest.objects.select_related("account", "asked_by").get(pk=test_id)
    conclude(by=test.asked_by, test=test, finding=_found(test), at=database_now())


def _claim(test_id: int) -> bool:
    waiting = ConnectionTest.objects.filter(pk=test_id, state=ConnectionTest.State.WAITING)
    return waiting.update(state=ConnectionTest.State.TESTING, lease_until=database_now() + LEASE) == 1


def _found(test: ConnectionTest) -> Finding:
    try:
        return probes.examine(test.account)
    except OperationalError:
        # The database is away, so no outcome can be stored: the test is taken for dead when its lease is over.
        raise
    except Exception as error:
        logger.exception("Test %s of a connection failed in a way that nobody foresaw", test.pk)
        words = UNFORESEEN.format(type(error).__name__)
        return Finding(Verdict.FAILED, words, (Check(WHOLE, Outcome.UNCLEAR, words),))
