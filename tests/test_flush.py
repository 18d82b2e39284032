"""Tests with real transactions are cleared between them, although the ledger's rows cannot be deleted."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from accounts.models import Organization, Person
from portal.ledger import guards
from portal.ledger.models import Entry
from portal.ledger.record import Subject, record


# Twice the same: the second finds what the first left behind.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_it_finds_an_empty_and_guarded_ledger(turn: str, request: pytest.FixtureRequest) -> None:
    assert not Entry.objects.exists()
    assert guards.are_installed(connection)

    organization: Organization = request.getfixturevalue("acme")
    by: Person = request.getfixturevalue("olive")
    with transaction.atomic():
        subject = Subject("thing", "1", "arn:thing")
        record(organization=organization, kind="tests.thing.made", by=by, subject=subject, at=datetime.now(UTC))

    assert Entry.objects.exists()
