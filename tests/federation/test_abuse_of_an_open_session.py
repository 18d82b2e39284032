"""What somebody can do who finds a browser in which another person is signed in (A11, A32)."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Duty, Organization, Person
from tests import factories

PASSWORD = "correct horse battery staple"
OWN, EVIL = "olive@acme.test", "evil@evil.test"


@pytest.fixture
def olive(acme: Organization) -> Person:
    somebody = factories.member(OWN, Duty.OWNER, of=acme)
    somebody.set_password(PASSWORD)
    somebody.save()
    EmailAddress.objects.create(user=somebody, email=OWN, verified=True, primary=True)
    return somebody


@pytest.fixture
def found(client: Client, olive: Person) -> Client:
    """A browser in which Olive signed in a while ago."""
    client.force_login(olive)
    return client


@pytest.mark.parametrize(
    "sent",
    [
        {"action_add": "", "email": "third@evil.test"},
        {"action_primary": "", "email": EVIL},
        {"action_remove": "", "email": EVIL},
    ],
)
def test_nobody_changes_the_e_mail_without_the_password(found: Client, olive: Person, sent: dict[str, str]) -> None:
    EmailAddress.objects.create(user=olive, email=EVIL, verified=True)
    before = list(EmailAddress.objects.order_by("pk").values())

    answer = found.post(reverse("account_email"), sent)

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert list(EmailAddress.objects.order_by("pk").values()) == before
    olive.refresh_from_db()
    assert (olive.email, mail.outbox) == (OWN, [])


def test_with_the_password_the_e_mail_changes(found: Client, olive: Person) -> None:
    EmailAddress.objects.create(user=olive, email="olive@new.test", verified=True)
    found.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    found.post(reverse("account_email"), {"action_primary": "", "email": "olive@new.test"})

    olive.refresh_from_db()
    assert olive.email == "olive@new.test"


def test_the_e_mail_of_somebody_else_is_not_taken(found: Client, acme: Organization) -> None:
    somebody = factories.member("mia@acme.test", Duty.MEMBER, of=acme)
    EmailAddress.objects.create(user=somebody, email=somebody.email, verified=True, primary=True)
    found.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    for email in ("mia@acme.test", "MIA@acme.test"):
        found.post(reverse("account_email"), {"action_add": "", "email": email})

    for message in mail.outbox:
        for link in re.findall(r"https?://\S+/confirm-email/\S+", str(message.body)):
            Client().post(link)

    assert EmailAddress.objects.get(email__iexact="mia@acme.test", verified=True).user == somebody
    found.post(reverse("account_email"), {"action_primary": "", "email": "mia@acme.test"})
    assert Person.objects.get(email="mia@acme.test") == somebody


def test_a_copied_cookie_is_worth_nothing_once_its_owner_signed_out(found: Client) -> None:
    copied = Client()
    copied.cookies[settings.SESSION_COOKIE_NAME] = found.cookies[settings.SESSION_COOKIE_NAME].value
    assert copied.get(reverse("home")).status_code == 200

    found.post(reverse("account_logout"))

    assert copied.get(reverse("home")).status_code == 302


def test_a_new_password_ends_the_other_sessions(found: Client, olive: Person) -> None:
    olive.set_password("another long pass phrase")
    olive.save()

    assert found.get(reverse("home")).status_code == 302


def test_an_ended_membership_counts_at_the_next_request(found: Client, olive: Person) -> None:
    olive.membership_set.update(ended_at=olive.created_at)

    assert found.get(reverse("team")).status_code == 404
    assert "Acme" not in found.get(reverse("home")).content.decode()
    assert found.get(reverse("admin:index")).headers["Location"] == f"{reverse('admin:login')}?next=/admin/"
