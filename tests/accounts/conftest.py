"""The fixtures of the accounts' tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from accounts import models
from accounts.models import Account, IAMUser, Team
from portal.ledger import doorbell
from portal.ledger.models import Delivery, Entry
from tests import factories

ROWS = (*(getattr(models, name) for name in models.__all__ if hasattr(getattr(models, name), "_meta")), Entry, Delivery)


@pytest.fixture
def leaves_nothing(db: None) -> Callable[..., AbstractContextManager[pytest.ExceptionInfo[Exception]]]:
    """A block that must raise what is named, and after which every table has the rows that it had before."""

    @contextmanager
    def block(refusal: type[Exception], match: str | None = None) -> Iterator[pytest.ExceptionInfo[Exception]]:
        before = [list(model.objects.order_by("pk").values()) for model in ROWS]
        with pytest.raises(refusal, match=match) as refused:
            yield refused
        assert [list(model.objects.order_by("pk").values()) for model in ROWS] == before

    return block


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: what is to be delivered is delivered by the test."""
    monkeypatch.setattr(doorbell.doorbell, "ring", lambda deliveries: None)


@pytest.fixture
def ledger_writer(acme_prod: Account, payments: Team, envelope: None) -> IAMUser:
    """An application's IAM user of Payments, which AWS held when it was last read."""
    return factories.iam_user(
        acme_prod,
        "ledger-writer",
        team=payments,
        kind="application",
        purpose="Writes the ledger",
        tags={"stage": "prod"},
    )
