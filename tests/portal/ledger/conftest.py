"""The fixtures of the ledger's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.crypto import get_random_string

from accounts.models import Organization, Person
from portal.ledger import doorbell, handlers
from portal.ledger.handlers import Handler
from portal.ledger.models import Entry
from portal.ledger.record import Subject, Target, record
from tests.portal.ledger.carrying import AT, KIND, LANE, Bell, Carrier


@pytest.fixture
def organization() -> Organization:
    return Organization.objects.create(name="Acme", slug=get_random_string(8).lower())


@pytest.fixture
def another() -> Organization:
    return Organization.objects.create(name="Globex", slug=get_random_string(8).lower())


@pytest.fixture
def person() -> Person:
    return get_user_model().objects.create(email="olive@acme.test", name="Olive Owner")


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> Carrier:
    """The handler of `KIND`, alone in the registry."""
    told = Carrier()
    monkeypatch.setattr(handlers, "_handlers", {})
    handlers.register(KIND, Handler(carry=told.carry, settle=told.settle, abandon=told.abandon))
    return told


@pytest.fixture(autouse=True)
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    """No broker: who rings is written down."""
    rung = Bell()
    monkeypatch.setattr(doorbell.doorbell, "ring", lambda deliveries: rung.extend(one.pk for one in deliveries))
    return rung


@pytest.fixture
def decide(organization: Organization, person: Person) -> Callable[..., Entry]:
    """Record an entry about a thing, with one delivery for each of its names."""

    def decide(*names: str, **changes: Any) -> Entry:
        told: dict[str, Any] = {
            "organization": organization,
            "kind": KIND,
            "by": person,
            "subject": Subject("thing", "17", "arn:thing"),
            "at": AT,
            "deliver": tuple(Target(LANE, f"arn:{name}") for name in names),
        }
        with transaction.atomic():
            return record(**{**told, **changes})

    return decide
