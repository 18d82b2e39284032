"""Applications on a schedule: started when due, gated on use, never ahead of what AWS has shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import access
from accounts.models import AccessKey, Account, IAMUser, KeyDestination, Person, Rotation, Team
from accounts.usecases.scheduled_rotations import tend_scheduled_rotations
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def writer(acme_prod: Account, payments: Team, mia: Person) -> IAMUser:
    return factories.iam_user(
        acme_prod, "ledger-writer", team=payments, owner=mia, kind="application", purpose="Writes the ledger"
    )


@pytest.fixture
def destination(writer: IAMUser, mia: Person) -> KeyDestination:
    return factories.key_destination(writer, by=mia, rotate_every_days=30)


@pytest.fixture
def old_key(writer: IAMUser) -> AccessKey:
    return factories.access_key(writer, create_date=AT - 30 * DAY)


@pytest.fixture
def proven(destination: KeyDestination, old_key: AccessKey, acme_prod: Account) -> Rotation:
    """Begun by the portal; the new key was used two days ago, and the report is of today."""
    acme_prod.report_generated_at = AT
    acme_prod.save(update_fields=["report_generated_at"])
    new_key = factories.access_key(old_key.iam_user, last_used_date=AT - 2 * DAY, **READ)
    return factories.rotation(
        old_key, started_by=None, new_key=new_key, destination=destination, state="proven",
        new_key_first_used_at=AT - 2 * DAY,
    )  # fmt: skip


READ: dict[str, Any] = {"last_used_source": "credential_report", "last_used_read_at": AT}


def decided() -> list[str]:
    return list(Entry.objects.order_by("sequence").values_list("kind", flat=True))


def test_it_begins_when_its_time_has_come(destination: KeyDestination, old_key: AccessKey) -> None:
    assert tend_scheduled_rotations(by=None, at=AT - DAY) == 0
    assert tend_scheduled_rotations(by=None, at=AT) == 1

    rotation = Rotation.objects.get()
    assert (rotation.old_key, rotation.started_by, rotation.destination) == (old_key, None, destination)
    assert (Entry.objects.get().by_id, Delivery.objects.get().queue) == ("", "bulk")
    assert tend_scheduled_rotations(by=None, at=AT) == 0


def test_without_a_schedule_nothing_begins(destination: KeyDestination, old_key: AccessKey) -> None:
    KeyDestination.objects.update(rotate_every_days=None)

    assert tend_scheduled_rotations(by=None, at=AT) == 0


def test_with_two_active_keys_it_says_so_and_touches_none(
    destination: KeyDestination, old_key: AccessKey, writer: IAMUser
) -> None:
    factories.access_key(writer)

    assert tend_scheduled_rotations(by=None, at=AT) == 0
    assert "two active access keys" in KeyDestination.objects.get().trouble
    assert decided() == []


def test_trouble_that_is_over_is_forgotten(destination: KeyDestination, writer: IAMUser) -> None:
    tend_scheduled_rotations(by=None, at=AT)
    assert KeyDestination.objects.get().trouble == "It has no active access key to rotate."

    factories.access_key(writer, create_date=AT)
    tend_scheduled_rotations(by=None, at=AT)
    assert KeyDestination.objects.get().trouble == ""


def test_the_old_key_becomes_inactive_a_day_after_the_new_one_was_seen(proven: Rotation) -> None:
    assert tend_scheduled_rotations(by=None, at=AT) == 1
    assert decided() == ["accounts.access_key.deactivated"]
    assert Entry.objects.get().details["is_override"] is False


@pytest.mark.parametrize(
    ("rotation", "account"),
    [
        ({"new_key_first_used_at": AT - DAY + timedelta(minutes=1)}, {}),
        ({}, {"report_generated_at": AT - 2 * DAY}),
        ({}, {"report_generated_at": None}),
        ({"state": "delivered", "new_key_first_used_at": None}, {}),
    ],
)
def test_and_not_before_that_is_known(proven: Rotation, rotation: dict[str, Any], account: dict[str, Any]) -> None:
    Rotation.objects.update(**rotation or {"state": "proven"})
    Account.objects.filter(pk=proven.account_id).update(**account or {"name": "x"})

    assert tend_scheduled_rotations(by=None, at=AT) == 0
    assert decided() == []


def test_not_while_something_uses_the_old_one(proven: Rotation) -> None:
    AccessKey.objects.filter(pk=proven.old_key_id).update(last_used_date=AT - DAY, **READ)

    assert tend_scheduled_rotations(by=None, at=AT) == 0
    assert "something has it still" in KeyDestination.objects.get().trouble


def test_it_is_deleted_when_it_was_watched(proven: Rotation) -> None:
    Rotation.objects.update(state="deactivated", deactivated_at=AT - 7 * DAY, watch_until=AT)
    AccessKey.objects.filter(pk=proven.old_key_id).update(status="Inactive")

    assert tend_scheduled_rotations(by=None, at=AT - timedelta(minutes=1)) == 0
    assert tend_scheduled_rotations(by=None, at=AT) == 1
    assert decided() == ["accounts.access_key.deleted"]


def test_what_a_person_began_a_person_ends(proven: Rotation, mia: Person) -> None:
    Rotation.objects.update(started_by=mia)

    assert tend_scheduled_rotations(by=None, at=AT) == 0


def test_no_person_may_have_it_run(olive: Person) -> None:
    with pytest.raises(access.NotThere):
        tend_scheduled_rotations(by=olive, at=AT)
