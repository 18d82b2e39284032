"""Reminders of access keys that are due: to the owner in time, then to the leads; each of them once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends import locmem

from accounts import access
from accounts.access import NotAllowed, NotThere
from accounts.models import AccessKey, Account, Duty, IAMUser, KeyReminder, Membership, Organization, Person, Team
from accounts.usecases.key_reminders import remind, snooze_reminders
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def mias(acme_prod: Account, payments: Team, mia: Person) -> IAMUser:
    return factories.iam_user(acme_prod, "ledger-writer", team=payments, owner=mia)


@pytest.fixture
def key(mias: IAMUser) -> Callable[[float], AccessKey]:
    """An active key that is due in so many days, by the rule of 90."""

    def key(days: float, **fields: Any) -> AccessKey:
        return factories.access_key(mias, create_date=AT - 90 * DAY + days * DAY, **fields)

    return key


@pytest.mark.parametrize(
    ("days", "stages"),
    [
        (14.5, []),
        (14, ["14"]),
        (7.1, ["14"]),
        (7, ["7"]),
        (1.1, ["7"]),
        (1, ["1"]),
        (0.1, ["1"]),
        (0, ["0"]),
        (-6, ["0"]),
    ],
)
def test_the_owner_is_told_at_each_stage(key: Callable[..., AccessKey], days: float, stages: list[str]) -> None:
    key(days)

    assert remind(by=None, at=AT) == len(stages)
    assert list(KeyReminder.objects.values_list("stage", flat=True)) == stages
    assert [message.to for message in mail.outbox] == [["mia@acme.test"]] * len(stages)


def test_nobody_is_told_the_same_twice(key: Callable[..., AccessKey]) -> None:
    key(7)
    remind(by=None, at=AT)

    assert remind(by=None, at=AT + timedelta(hours=1)) == 0
    assert remind(by=None, at=AT + 6 * DAY) == 1
    assert [reminder.stage for reminder in KeyReminder.objects.order_by("pk")] == ["7", "1"]


def test_one_mail_names_all_that_is_new(key: Callable[..., AccessKey]) -> None:
    keys = [key(7), key(-3)]

    assert remind(by=None, at=AT) == 1
    [message] = mail.outbox
    assert message.subject.endswith("2 access keys are due in Acme")
    assert all(one.access_key_id in message.body for one in keys)
    assert "Due in 7 days" in message.body
    assert "Overdue (22 Nov 2026)" in message.body


def test_the_leads_are_told_after_a_week(key: Callable[..., AccessKey], lena: Person) -> None:
    key(-7)

    remind(by=None, at=AT)

    assert sorted(address for message in mail.outbox for address in message.to) == ["lena@acme.test", "mia@acme.test"]


def test_the_rule_is_the_organizations(key: Callable[..., AccessKey], acme: Organization) -> None:
    Organization.objects.filter(pk=acme.pk).update(rotate_after_days=365)
    key(0)

    assert remind(by=None, at=AT) == 0


@pytest.mark.parametrize("fields", [{"status": "Inactive"}, {"gone_at": AT}])
def test_of_a_key_that_works_no_more_nobody_is_told(key: Callable[..., AccessKey], fields: dict[str, Any]) -> None:
    key(-30, **fields)

    assert remind(by=None, at=AT) == 0


def test_while_it_is_rotated_nobody_is_told(key: Callable[..., AccessKey]) -> None:
    factories.rotation(key(-3))

    assert remind(by=None, at=AT) == 0


def test_whoever_has_left_is_not_told_and_holds_nobody_up(
    key: Callable[..., AccessKey], mia: Person, acme: Organization
) -> None:
    key(-3)
    Membership.objects.filter(person=mia).update(ended_at=AT)

    assert remind(by=None, at=AT) == 0
    assert not KeyReminder.objects.exists()


def test_a_mail_that_was_not_taken_is_sent_later(
    key: Callable[..., AccessKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    key(1)

    def refuse(*args: object) -> int:
        raise SMTPServerDisconnected

    with monkeypatch.context() as away:
        away.setattr(locmem.EmailBackend, "send_messages", refuse)
        assert remind(by=None, at=AT) == 0

    assert remind(by=None, at=AT + timedelta(minutes=5)) == 0
    assert remind(by=None, at=AT + timedelta(minutes=16)) == 1


def test_no_person_may_have_it_run(olive: Person) -> None:
    with pytest.raises(access.NotThere):
        remind(by=olive, at=AT)


def test_snoozed_until_its_time_is_over(key: Callable[..., AccessKey], mia: Person) -> None:
    access_key = key(-3)
    snooze_reminders(by=mia, access_key=access_key, until=AT + 3 * DAY, reason="Moves on Friday", at=AT)

    assert remind(by=None, at=AT + DAY) == 0
    assert remind(by=None, at=AT + 4 * DAY) == 1
    entry = Entry.objects.get()
    assert (entry.kind, entry.reason) == ("accounts.access_key.snoozed", "Moves on Friday")
    assert entry.details == {
        "access_key_id": access_key.access_key_id,
        "until": (AT + 3 * DAY).isoformat(),
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": " "}, "Say why"),
        ({"until": AT}, "within the next 30 days"),
        ({"until": AT + 31 * DAY}, "within the next 30 days"),
    ],
)
def test_a_snooze_has_a_reason_and_an_end(
    leaves_nothing: Any, key: Callable[..., AccessKey], mia: Person, fields: dict[str, Any], words: str
) -> None:
    access_key = key(-3)
    given: dict[str, Any] = {"until": AT + DAY, "reason": "Moves on Friday"}

    with leaves_nothing(ValidationError, words):
        snooze_reminders(by=mia, access_key=access_key, at=AT, **given | fields)


def test_a_key_that_is_gone_is_not_snoozed(leaves_nothing: Any, key: Callable[..., AccessKey], mia: Person) -> None:
    access_key = key(-3, gone_at=AT)

    with leaves_nothing(ValidationError, "no longer holds"):
        snooze_reminders(by=mia, access_key=access_key, until=AT + DAY, reason="x", at=AT)


def test_the_lead_snoozes_and_others_do_not(
    key: Callable[..., AccessKey], acme: Organization, payments: Team, lena: Person, hugo: Person, oskar: Person
) -> None:
    access_key = key(-3)
    other = factories.member("max@acme.test", Duty.MEMBER, of=acme, team=payments)

    def snooze(by: Person) -> None:
        snooze_reminders(by=by, access_key=access_key, until=AT + DAY, reason="x", at=AT)

    snooze(lena)
    for person, refusal in ((hugo, NotAllowed), (other, NotThere), (oskar, NotThere)):
        with pytest.raises(refusal):
            snooze(person)
