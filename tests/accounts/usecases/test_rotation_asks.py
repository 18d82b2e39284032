"""Asking owners to rotate their access keys: by one bulk change, with one mail to each."""

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, Account, BulkChange, Duty, IAMUser, Organization, Person, RotationAsk, Team
from accounts.usecases import bulk, bulk_keys, bulk_rows
from accounts.usecases.rotation_ask_mails import RETRY, send_rotation_asks
from accounts.usecases.rotation_asks import ask_to_rotate
from portal.ledger.models import Delivery, Entry
from tests import factories

pytestmark = pytest.mark.usefixtures("envelope")

AT = timezone.now()
LATER = AT + timedelta(minutes=1)
Ask = Callable[..., BulkChange]


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What workers were told: none of these tests has a broker to ask."""
    told: list[str] = []
    for module in (bulk, bulk_rows):
        monkeypatch.setattr(module, "ring", lambda pk: told.append("rows"))
    monkeypatch.setattr(bulk_rows, "ring_for_mails", lambda: told.append("mails"))
    return told


@pytest.fixture
def keys(acme_prod: Account, payments: Team, mia: Person, acme: Organization) -> list[AccessKey]:
    """Two of Mia's and one of Max's."""
    max_ = factories.member("max@acme.test", Duty.MEMBER, of=acme, team=payments)
    made = {"create_date": AT - timedelta(days=100)}
    return [
        factories.access_key(factories.iam_user(acme_prod, name, team=payments, owner=owner), **made)
        for name, owner in (("mia-one", mia), ("mia-two", mia), ("max", max_))
    ]


@pytest.fixture
def ask(rung: list[str], acme: Organization) -> Ask:
    """Begin, and decide all rows."""

    def ask(by: Person, keys: list[AccessKey], **more: Any) -> BulkChange:
        given: dict[str, Any] = {"kind": "ask_to_rotate", "at": AT} | more
        change = bulk_keys.start_key_change(by=by, organization=acme, keys=[key.pk for key in keys], **given)
        bulk_rows.carry_on(bulk_change_id=change.pk, at=given["at"])
        change.refresh_from_db()
        return change

    return ask


def sentences(change: BulkChange) -> list[str]:
    return list(change.rows.order_by("position").values_list("sentence", flat=True))


def test_each_is_asked_with_an_entry_and_nothing_goes_to_aws(
    ask: Ask, lena: Person, keys: list[AccessKey], mia: Person, rung: list[str]
) -> None:
    change = ask(lena, keys, reason="Audit in May")

    assert change.state == "done"
    assert set(change.rows.values_list("state", flat=True)) == {"decided"}
    asked = RotationAsk.objects.get(access_key=keys[0])
    assert (asked.recipient, asked.bulk_change, asked.sent_at) == (mia, change, None)
    entries = Entry.objects.filter(kind=Kind.ROTATION_ASKED_FOR)
    assert [entry.details["access_key_id"] for entry in entries.order_by("sequence")] == [
        key.access_key_id for key in sorted(keys, key=lambda key: key.iam_user.user_name)
    ]
    assert {(entry.by_name, entry.reason) for entry in entries} == {("Lena", "Audit in May")}
    assert not Delivery.objects.exists()
    assert rung == ["mails"]


def test_each_owner_gets_one_mail_however_often_it_is_sent(ask: Ask, lena: Person, keys: list[AccessKey]) -> None:
    ask(lena, keys, reason="Audit in May")

    send_rotation_asks(at=LATER)
    send_rotation_asks(at=LATER + timedelta(hours=1))

    by_owner = {message.to[0]: message for message in mail.outbox}
    assert (len(mail.outbox), set(by_owner)) == (2, {"mia@acme.test", "max@acme.test"})
    body = by_owner["mia@acme.test"].body
    assert all(key.access_key_id in body for key in keys[:2])
    assert keys[2].access_key_id not in body
    assert "asked by Lena: Audit in May" in body
    assert "rotate 2 access keys" in by_owner["mia@acme.test"].subject
    assert not RotationAsk.objects.filter(sent_at=None).exists()


def test_no_mail_goes_out_before_all_rows_are_decided(lena: Person, keys: list[AccessKey]) -> None:
    running = factories.bulk_change(lena, lena.membership_set.get().organization, kind="ask_to_rotate", change={})
    ask_to_rotate(by=lena, access_key=keys[0], bulk_change=running, at=AT)

    send_rotation_asks(at=LATER)
    assert mail.outbox == []
    BulkChange.objects.update(state="done", finished_at=AT)
    send_rotation_asks(at=LATER)

    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_is_asked_again(
    ask: Ask, lena: Person, keys: list[AccessKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(lena, keys[:1])

    def away(*args: object) -> None:
        raise SMTPException("mia@acme.test")

    with monkeypatch.context() as patch:
        patch.setattr("accounts.usecases.rotation_ask_mails.send_mail", away)
        send_rotation_asks(at=LATER)
    send_rotation_asks(at=LATER + RETRY - timedelta(seconds=1))
    assert mail.outbox == []
    send_rotation_asks(at=LATER + RETRY)

    assert len(mail.outbox) == 1


def test_who_has_left_or_has_no_such_key_any_more_gets_no_mail(
    ask: Ask, lena: Person, keys: list[AccessKey], mia: Person
) -> None:
    ask(lena, keys)
    AccessKey.objects.filter(pk=keys[2].pk).update(status="Inactive")
    mia.membership_set.update(ended_at=AT)

    send_rotation_asks(at=LATER)

    assert mail.outbox == []


def test_it_is_asked_for_once_a_week(ask: Ask, lena: Person, keys: list[AccessKey]) -> None:
    ask(lena, keys[:1])

    again = ask(lena, keys[:1], at=AT + timedelta(days=6))
    later = ask(lena, keys[:1], at=AT + timedelta(days=7))

    assert "mia@acme.test" in sentences(again)[0] or "was asked on" in sentences(again)[0]
    assert again.rows.get().state == "refused"
    assert later.rows.get().state == "decided"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "Inactive"}, "inactive, so it needs no rotation"),
        ({"owner": None}, "Assign an owner first"),
        ({"rotation": True}, "being rotated already"),
    ],
)
def test_what_needs_no_asking_is_refused(
    ask: Ask, lena: Person, keys: list[AccessKey], change: dict[str, Any], words: str
) -> None:
    key = keys[0]
    if "status" in change:
        AccessKey.objects.filter(pk=key.pk).update(**change)
    elif "owner" in change:
        IAMUser.objects.filter(pk=key.iam_user_id).update(**change)
    else:
        factories.rotation(key)

    done = ask(lena, [key])

    assert done.rows.get().state == "refused"
    assert words in sentences(done)[0]
    assert not RotationAsk.objects.exists()
    assert not Entry.objects.filter(kind=Kind.ROTATION_ASKED_FOR).exists()


def test_a_key_that_is_gone_meanwhile_is_refused(lena: Person, keys: list[AccessKey], ask: Ask) -> None:
    change = bulk_keys.start_key_change(
        by=lena, organization=keys[0].organization, kind="ask_to_rotate", keys=[keys[0].pk], at=AT
    )
    AccessKey.objects.filter(pk=keys[0].pk).update(gone_at=AT)
    bulk_rows.carry_on(bulk_change_id=change.pk, at=AT)

    assert "no longer holds" in sentences(change)[0]


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_without_the_duty_ask_nobody(request: pytest.FixtureRequest, who: str, keys: list[AccessKey]) -> None:
    by = request.getfixturevalue(who)

    with pytest.raises(access.NotAllowed):
        bulk_keys.start_key_change(
            by=by, organization=keys[0].organization, kind="ask_to_rotate", keys=[keys[0].pk], at=AT
        )
    running = factories.bulk_change(by, keys[0].organization, kind="ask_to_rotate", change={})
    if who != "mia":
        with pytest.raises(access.NotAllowed):
            ask_to_rotate(by=by, access_key=keys[0], bulk_change=running, at=AT)
    assert not RotationAsk.objects.exists()


def test_another_organizations_key_is_not_there(oskar: Person, keys: list[AccessKey]) -> None:
    running = factories.bulk_change(oskar, oskar.membership_set.get().organization, kind="ask_to_rotate", change={})

    with pytest.raises(access.NotThere):
        ask_to_rotate(by=oskar, access_key=keys[0], bulk_change=running, at=AT)


def test_what_was_asked_is_open_until_it_is_followed(lena: Person, keys: list[AccessKey], mia: Person) -> None:
    asked = factories.rotation_ask(keys[0], by=lena)
    of_person = RotationAsk.objects.of_person(mia, organization=asked.organization)
    assert list(of_person) == [asked]

    rotation = factories.rotation(keys[0])
    assert list(of_person.all()) == []
    rotation.delete()
    AccessKey.objects.filter(pk=keys[0].pk).update(status="Inactive")
    assert list(of_person.all()) == []
