"""Mails about secrets: to whom, what they say, and what they never say."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import tasks
from accounts.models import IAMUser, Person
from accounts.models.sealed import Purpose
from accounts.usecases.own_secrets import hand_over_secret
from accounts.usecases.sealed_secrets import open_sealed_secret
from portal.ledger.models import Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.factories import SECRET

AT = timezone.now()
KEY_ID = "AKIALEDGERWRITER0001"


@pytest.fixture
def sealed(ledger_writer: IAMUser, mia: Person) -> SealedSecret:
    """The secret of an application's key, for Mia, who owns it."""
    IAMUser.objects.update(owner=mia)
    ledger_writer.refresh_from_db()
    factories.access_key(ledger_writer, access_key_id=KEY_ID)
    return factories.sealed_secret(ledger_writer, Purpose.ACCESS_KEY, id=KEY_ID)


def ask_again(sealed: SealedSecret, by: Person, *, minutes: int = 0) -> str:
    """Ask for what is opened, and give the id that the task gets."""
    with pytest.raises(seal.AlreadyOpened):
        open_sealed_secret(by=by, secret_id=sealed.pk, at=AT + timedelta(minutes=minutes), address="203.0.113.9")
    return str(Entry.objects.filter(kind="accounts.secret.asked_again").latest("sequence").pk)


def test_its_recipient_is_told_that_somebody_asked_again(mia: Person, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT, address="198.51.100.7")

    tasks.tell_of_asking_again(ask_again(sealed, mia))

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["mia@acme.test"], "Asked for again: access key of ledger-writer")
    assert "from 198.51.100.7" in sent.body
    assert "from 203.0.113.9" in sent.body
    assert f"/secrets/{sealed.pk}/\n" in sent.body
    assert "make the key inactive at once" in sent.body
    assert SECRET not in sent.body


def test_of_what_was_handed_over_both_are_told(mia: Person, lena: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT)
    open_sealed_secret(by=lena, secret_id=handed.pk, at=AT)

    tasks.tell_of_asking_again(ask_again(handed, lena))

    bodies = {sent.to[0]: sent.body for sent in mail.outbox}
    assert set(bodies) == {"mia@acme.test", "lena@acme.test"}
    assert f"/secrets/{handed.pk}/make-inactive/" in bodies["mia@acme.test"]
    assert "If both were Lena" in bodies["mia@acme.test"]


def test_who_asks_again_and_again_sends_one_mail_an_hour(mia: Person, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)

    for minutes in (0, 1, 59, 121):
        tasks.tell_of_asking_again(ask_again(sealed, mia, minutes=minutes))

    assert len(mail.outbox) == 2
    assert Entry.objects.filter(kind="accounts.secret.asked_again").count() == 4


def test_of_a_password_it_says_what_helps(mia: Person, ledger_writer: IAMUser) -> None:
    password = factories.sealed_secret(ledger_writer, Purpose.PASSWORD, recipient=mia)
    open_sealed_secret(by=mia, secret_id=password.pk, at=AT)

    tasks.tell_of_asking_again(ask_again(password, mia))

    assert "have the password reset at once" in mail.outbox[0].body


def test_the_new_recipient_is_told(mia: Person, lena: Person, sealed: SealedSecret) -> None:
    handed = hand_over_secret(by=mia, secret_id=sealed.pk, recipient=lena, at=AT, reason="You install it & <b>now</b>")

    tasks.tell_of_hand_over(str(Entry.objects.get().pk), told_by="a later release")

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["lena@acme.test"], "For you: access key of ledger-writer")
    assert "Mia has handed a secret over" in sent.body
    assert "You install it & <b>now</b>" in sent.body
    assert f"/secrets/{handed.pk}/\n" in sent.body
    assert SECRET not in sent.body


@pytest.mark.parametrize("told", ["x", 1, None, "00000000-0000-4000-8000-000000000000"])
def test_of_what_is_no_entry_nobody_is_told(db: None, told: object) -> None:
    tasks.tell_of_asking_again(told)
    tasks.tell_of_hand_over(told)

    assert mail.outbox == []


def test_of_another_kind_of_entry_nobody_is_told(mia: Person, sealed: SealedSecret) -> None:
    open_sealed_secret(by=mia, secret_id=sealed.pk, at=AT)
    opened = str(Entry.objects.get().pk)

    tasks.tell_of_asking_again(opened)
    tasks.tell_of_hand_over(opened)

    assert mail.outbox == []
