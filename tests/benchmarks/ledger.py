"""How many entries the ledger takes in a second, each in a transaction of its own, as a use-case writes it."""

import time
from datetime import UTC, datetime

from django.db import transaction

from accounts.models import Organization
from portal.ledger import chain
from portal.ledger.models import Entry
from portal.ledger.record import Subject, Target, record
from tests import factories
from tests.benchmarks.report import Measurement

ROUNDS = 10
PER_ROUND = 100


def measure() -> list[Measurement]:
    """Rounds of a hundred entries, without and with a delivery and its doorbell; then the chain is verified."""
    organization = factories.organization("Ledger")
    alone = [_entries_per_second(organization, deliver=()) for _ in range(ROUNDS)]
    target = (Target("999988887777", "arn:aws:iam::999988887777:user/nobody"),)
    with_delivery = [_entries_per_second(organization, deliver=target) for _ in range(ROUNDS)]
    start = time.perf_counter()
    assert chain.verify(organization) is None
    verified = Entry.objects.of(organization).count() / (time.perf_counter() - start)
    return [
        Measurement("entries recorded", "per second", alone, at_least=True),
        Measurement("entries with a delivery", "per second", with_delivery, at_least=True),
        Measurement("entries verified", "per second", [verified], at_least=True),
    ]


def _entries_per_second(organization: Organization, *, deliver: tuple[Target, ...]) -> float:
    start = time.perf_counter()
    for number in range(PER_ROUND):
        with transaction.atomic():
            record(
                organization=organization,
                kind="tests.bench",
                by=None,
                subject=Subject("thing", str(number), "arn:thing"),
                at=datetime.now(UTC),
                reason="A reason of usual length, as people write it",
                details={"user_name": "mia", "tags": [{"key": "stage", "value": "prod"}], "groups": ["a", "b"]},
                deliver=deliver,
            )
    return PER_ROUND / (time.perf_counter() - start)
