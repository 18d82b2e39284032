"""What the tests of rotations share: an IAM user of Mia's with one key, and rotations of it in each state."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.kinds import Kind
from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.sealed import Purpose
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
State = Rotation.State
HAS_NEW_KEY = (State.MADE, State.DELIVERED, State.PROVEN, State.DEACTIVATED, State.DONE)
IS_OVER = (State.DONE, State.GIVEN_UP, State.LAPSED)


@pytest.fixture
def mias(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """The IAM user, owned by Mia."""
    IAMUser.objects.filter(pk=ledger_writer.pk).update(owner=mia)
    ledger_writer.refresh_from_db()
    return ledger_writer


@pytest.fixture
def old_key(mias: IAMUser) -> AccessKey:
    """Its one key."""
    return factories.access_key(mias, create_date=AT - 100 * DAY)


def rotated(old_key: AccessKey, state: str, **fields: Any) -> Rotation:
    """A rotation of the key that has come this far."""
    given: dict[str, Any] = {"state": state}
    if state in HAS_NEW_KEY:
        given["new_key"] = factories.access_key(old_key.iam_user, create_date=AT - 2 * DAY)
    if state in (State.PROVEN, State.DEACTIVATED, State.DONE):
        given |= {"proven_at": AT - DAY, "proven_by": "use", "new_key_first_used_at": AT - DAY}
        use(given["new_key"], at=AT - DAY)
    if state == State.DEACTIVATED:
        given |= {"deactivated_at": AT - 8 * DAY, "watch_until": AT - DAY}
        turn(old_key, "Inactive", read_at=AT - 9 * DAY)
    if state in IS_OVER:
        given["ended_at"] = AT
    return factories.rotation(old_key, **given | fields)


def new_key_of(rotation: Rotation) -> AccessKey:
    """It has one."""
    assert rotation.new_key is not None
    return rotation.new_key


def use(access_key: AccessKey, *, at: datetime) -> None:
    """Let a reading have seen it used."""
    access_key.last_used_date, access_key.last_used_read_at = at, at + HOUR
    access_key.last_used_source = "get_access_key_last_used"
    access_key.save()


def turn(access_key: AccessKey, status: str, *, read_at: datetime = AT - HOUR) -> None:
    """Let a reading have seen it with this status."""
    access_key.status, access_key.read_at = status, read_at
    access_key.save()


def go(access_key: AccessKey, *, at: datetime = AT - HOUR) -> None:
    """Let a reading have seen that it is gone."""
    access_key.gone_at = at
    access_key.save()


def waiting_secret(rotation: Rotation) -> SealedSecret:
    """The new key's secret, which nobody has opened."""
    return factories.sealed_secret(rotation.iam_user, Purpose.ACCESS_KEY, id=new_key_of(rotation).access_key_id)


def stick(kind: Kind, *, error: str = "AWS denied it.", **fields: Any) -> Delivery:
    """Let the latest delivery of this kind be stuck."""
    delivery = Delivery.objects.filter(entry__kind=kind).latest("pk")
    given = {"state": "stuck", "stuck_kind": "denied", "error": error, "claim": None, "lease_until": None}
    Delivery.objects.filter(pk=delivery.pk).update(**given | fields)
    delivery.refresh_from_db()
    return delivery


def arrive() -> None:
    """Let everything have reached AWS, without having changed a row."""
    Delivery.objects.update(state="done", done_at=AT, stuck_kind="", error="")


def last_entry() -> Entry:
    return Entry.objects.latest("sequence")


def kinds() -> list[str]:
    """Of all entries, in order."""
    return list(Entry.objects.order_by("sequence").values_list("kind", flat=True))
