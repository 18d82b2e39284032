"""Mails: to those who may decide while a request waits, and to who asked once it is decided."""

import pytest
from django.core import mail
from django.utils import timezone

from accounts import tasks
from accounts.models import Duty, IAMGroup, IAMUser, Organization, Person, Request
from accounts.usecases.requests import decline_request, withdraw_request
from tests import factories
from tests.accounts.usecases.test_make_request import ask


@pytest.fixture
def asked(olive: Person, lena: Person, ada: Person, ledger_writer: IAMUser, administrators: IAMGroup) -> Request:
    return ask(lena, ledger_writer, reason="On call & <b>now</b>")


def test_those_who_may_decide_are_told(acme: Organization, asked: Request) -> None:
    factories.member("newcomer@acme.test", Duty.ADMIN, of=acme)

    tasks.tell_of_request(asked.pk)

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["olive@acme.test"], "Decide: Add ledger-writer to administrators")
    assert "On call & <b>now</b>" in sent.body
    assert f"/requests/{asked.pk}/" in sent.body


def test_who_asked_is_told_what_came_of_it(olive: Person, asked: Request) -> None:
    decline_request(by=olive, request=asked, words="Use the pipeline", at=timezone.now())

    tasks.tell_of_request(asked.pk)

    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["lena@acme.test"], "Declined: Add ledger-writer to administrators")
    assert "Use the pipeline" in sent.body


def test_of_what_is_withdrawn_or_unknown_nobody_is_told(lena: Person, asked: Request) -> None:
    withdraw_request(by=lena, request=asked, at=timezone.now())

    for told in (asked.pk, 987654, "1", True):
        tasks.tell_of_request(told)

    assert mail.outbox == []
