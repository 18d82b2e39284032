"""Signing in by e-mail and password: what allauth is asked to do, and what it must not let through."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import Person
from tests import factories

PASSWORD = "correct horse battery staple"


@pytest.fixture
def person(db: None) -> Person:
    somebody = factories.person("mia@acme.test")
    somebody.set_password(PASSWORD)
    somebody.save()
    EmailAddress.objects.create(user=somebody, email=somebody.email, verified=True, primary=True)
    return somebody


def sign_in(client: Client, email: str, password: str = PASSWORD) -> int:
    return client.post(reverse("account_login"), {"login": email, "password": password}).status_code


def test_a_person_signs_in_in_whatever_case(client: Client, person: Person) -> None:
    assert sign_in(client, "Mia@ACME.test") == 302
    assert client.get(reverse("home")).status_code == 200


def test_a_wrong_password_is_refused_in_words(client: Client, person: Person) -> None:
    assert sign_in(client, person.email, "wrong") == 200
    assert client.get(reverse("home")).status_code == 302


def test_a_disabled_person_stays_outside_and_sessions_end(client: Client, person: Person) -> None:
    sign_in(client, person.email)
    Person.objects.filter(pk=person.pk).update(is_active=False)

    assert client.get(reverse("home")).status_code == 302
    assert sign_in(Client(), person.email) in (200, 302)
    assert client.get(reverse("home")).status_code == 302


def test_an_e_mail_that_nobody_verified_does_not_sign_in(client: Client, person: Person) -> None:
    EmailAddress.objects.update(verified=False)

    sign_in(client, person.email)

    assert client.get(reverse("home")).status_code == 302


@pytest.mark.django_db
def test_nobody_makes_an_account_for_themselves(client: Client) -> None:
    fields = {"email": "new@evil.test", "password1": PASSWORD, "password2": PASSWORD}

    client.post(reverse("account_signup"), fields)

    assert not Person.objects.exists()


def link_in_mail() -> str:
    """The address at which the new password is set."""
    (link,) = re.findall(r"https?://\S+/reset/key/\S+", str(mail.outbox[0].body))
    return str(link)


@pytest.mark.parametrize("email", ["mia@acme.test", "nobody@acme.test"])
def test_resetting_answers_the_same_for_known_and_unknown(client: Client, person: Person, email: str) -> None:
    answer = client.post(reverse("account_reset_password"), {"email": email})

    assert answer.headers["Location"] == reverse("account_reset_password_done")


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_the_link_in_a_mail_is_made_from_the_setting(client: Client, person: Person, header: str) -> None:
    """A31."""
    hosts = {"Host": "localhost", header: "localhost"}

    client.post(reverse("account_reset_password"), {"email": person.email}, headers=hosts)

    link = link_in_mail()
    assert link.startswith(f"{settings.PORTAL_URL}/auth/password/reset/key/")
    assert "localhost" not in str(mail.outbox[0].body)


def test_a_foreign_host_is_refused(client: Client, person: Person) -> None:
    answer = client.post(reverse("account_reset_password"), {"email": person.email}, headers={"Host": "evil.test"})

    assert answer.status_code == 400
    assert mail.outbox == []


def test_the_link_sets_a_new_password_once(client: Client, person: Person) -> None:
    client.post(reverse("account_reset_password"), {"email": person.email})
    link = link_in_mail()
    form = client.get(link, follow=True).redirect_chain[-1][0]

    client.post(form, {"password1": "another long pass phrase", "password2": "another long pass phrase"})

    assert sign_in(Client(), person.email, "another long pass phrase") == 302
    again = Client().get(link, follow=True).content.decode()
    assert 'name="password1"' not in again


def test_guessing_is_stopped(person: Person) -> None:
    cache.clear()
    client = Client()

    for _ in range(6):
        sign_in(client, person.email, "wrong")
    sign_in(client, person.email)

    assert client.get(reverse("home")).status_code == 302


def test_signing_out_is_a_post(client: Client, person: Person) -> None:
    """A30."""
    sign_in(client, person.email)

    client.get(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 302


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_after_signing_in(client: Client, person: Person, address: str) -> None:
    """A28."""
    answer = client.post(
        f"{reverse('account_login')}?next={address}", {"login": person.email, "password": PASSWORD, "next": address}
    )

    assert answer.headers["Location"] == "/"


def test_a_changed_password_is_told_to_its_owner(client: Client, person: Person) -> None:
    sign_in(client, person.email)
    fields = {"oldpassword": PASSWORD, "password1": "another long pass phrase", "password2": "another long pass phrase"}

    client.post(reverse("account_change_password"), fields)

    assert [mail.outbox[0].to, len(mail.outbox)] == [[person.email], 1]
    assert "another long" not in str(mail.outbox[0].body)
