"""When a key is due, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import IAMUser
from accounts.views.due import due_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "words", "is_soon"),
    [
        (0, "due in 90 days", False),
        (76, "due in 14 days", False),
        (78, "due in 12 days", True),
        (89, "due in 1 day", True),
        (90, "due today", True),
        (91, "overdue by 1 day", True),
        (120, "overdue by 30 days", True),
    ],
)
def test_it_is_counted_in_days(ledger_reader: IAMUser, days: int, words: str, is_soon: bool) -> None:
    key = ledger_reader.access_keys.get()
    key.create_date = NOW - timedelta(days=days)

    due = due_of(key, organization=ledger_reader.organization, at=NOW)

    assert due is not None
    assert (due.words, due.is_soon) == (words, is_soon)


def test_the_organization_says_how_long(ledger_reader: IAMUser) -> None:
    key, organization = ledger_reader.access_keys.get(), ledger_reader.organization
    key.create_date, organization.rotate_after_days = NOW - timedelta(days=20), 30

    due = due_of(key, organization=organization, at=NOW)

    assert due is not None
    assert due.words == "due in 10 days"


def test_an_inactive_one_is_never_due(ledger_reader: IAMUser) -> None:
    key = ledger_reader.access_keys.get()
    key.status = "Inactive"

    assert due_of(key, organization=ledger_reader.organization, at=NOW) is None
