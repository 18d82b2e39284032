"""What the tests of pages share: clients of people, and rows to look at."""

import re
from collections.abc import Callable

import pytest
from django.http import HttpResponse, HttpResponseBase
from django.test import Client

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from tests import factories

Enter = Callable[[Person], Client]


# Masked anew in each answer, so that it tells nothing (Django, django.middleware.csrf).
CSRF_TOKEN = re.compile(rb"\b[A-Za-z0-9]{64}\b")


def plain(answer: HttpResponseBase) -> bytes:
    """The answer's body without what differs in every answer."""
    assert isinstance(answer, HttpResponse)
    return CSRF_TOKEN.sub(b"", answer.content)


@pytest.fixture
def enter() -> Enter:
    """A browser in which the person is signed in."""

    def entered(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return entered


@pytest.fixture
def ledger_reader(acme_prod: Account, payments: Team, mia: Person, ledger_writers: IAMGroup) -> IAMUser:
    """An IAM user of Payments with everything that a page can show, owned by Mia."""
    iam_user = factories.iam_user(
        acme_prod,
        "ledger-reader",
        team=payments,
        owner=mia,
        path="/portal/acme/payments/",
        tags={"cost-center": "4711"},
    )
    factories.access_key(iam_user, access_key_id="AKIALEDGERREADER0001")
    factories.group_membership(iam_user, ledger_writers)
    factories.login_profile(iam_user)
    factories.mfa_device(iam_user)
    return iam_user


@pytest.fixture
def platform_robot(acme_dev: Account, platform: Team) -> IAMUser:
    """An application of a team that nobody of the cast leads."""
    return factories.iam_user(acme_dev, "platform-robot", team=platform, kind=IAMUser.Kind.APPLICATION)
