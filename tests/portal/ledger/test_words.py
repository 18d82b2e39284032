"""What pages say about a delivery, and what the database holds about its states."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from portal.ledger.models import Delivery, Entry
from tests.portal.ledger.carrying import AT

Decide = Callable[..., Entry]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"state": "due"}, "Pending"),
        ({"state": "calling"}, "Pending"),
        ({"state": "done"}, "Delivered"),
        ({"state": "given_up"}, "Given up"),
        ({"state": "stuck", "stuck_kind": "denied"}, "Stuck: AWS denied it"),
        ({"state": "waiting", "not_before": AT + timedelta(minutes=4)}, "Waiting until 12:04"),
        ({"state": "waiting", "not_before": AT + timedelta(hours=13)}, "Waiting until 24 Nov 01:00"),
        ({"state": "waiting", "not_before": AT - timedelta(seconds=1)}, "Pending"),
    ],
)
def test_the_state_in_words(facts: dict[str, Any], words: str) -> None:
    assert Delivery(**facts).state_in_words(AT) == words


def test_times_are_the_readers() -> None:
    waiting = Delivery(state="waiting", not_before=AT + timedelta(minutes=4))

    with timezone.override("Europe/Berlin"):
        assert waiting.state_in_words(AT) == "Waiting until 13:04"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "facts",
    [
        {"state": "calling"},
        {"claim": "11111111-1111-4111-8111-111111111111", "lease_until": AT},
        {"state": "waiting"},
        {"not_before": AT},
        {"state": "stuck"},
        {"stuck_kind": "denied"},
        {"state": "done"},
        {"state": "given_up"},
        {"done_at": AT},
    ],
)
def test_the_database_refuses_states_that_contradict_themselves(decide: Decide, facts: dict[str, Any]) -> None:
    decide("a")

    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.update(**facts)
