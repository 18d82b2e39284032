"""The fixtures of the secrets' tests: two people, and a secret for one of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from accounts.models import Organization, Person
from portal.secrets.models import SealedSecret
from portal.secrets.seal import seal
from portal.secrets.secret import Secret

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CANARY = "CANARYwJalrXUtnFEMIK7MDENGbPxRfiCY"


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def canary() -> str:
    """A secret that is found wherever it should not be."""
    return CANARY


@pytest.fixture
def organization() -> Organization:
    return Organization.objects.create(name="Acme", slug="acme")


@pytest.fixture
def person() -> Person:
    return get_user_model().objects.create(email="mia@acme.test", name="Mia Member")


@pytest.fixture
def another_person() -> Person:
    return get_user_model().objects.create(email="hugo@acme.test", name="Hugo Helpdesk")


@pytest.fixture
def seal_for(organization: Organization, person: Person) -> Callable[..., SealedSecret]:
    """Seal the canary for Mia for fifteen minutes."""

    def seal_for(**changes: Any) -> SealedSecret:
        told: dict[str, Any] = {
            "organization": organization,
            "recipient": person,
            "purpose": "access_key",
            "bound_to": "AKIAIOSFODNN7EXAMPLE",
            "secret": Secret(CANARY),
            "at": AT,
            "expires_at": AT + timedelta(minutes=15),
        }
        return seal(**{**told, **changes})

    return seal_for
