"""`manage.py create_organization`: from the command to the first sign-in."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Membership, Organization, Person
from portal.ledger.models import Entry

PASSWORD = "a-long-enough-password"


def created(*arguments: str) -> str:
    out = StringIO()
    call_command("create_organization", *arguments, stdout=out)
    return out.getvalue()


def link_in(text: str) -> str:
    (link,) = re.findall(r"^https?://\S+$", text, re.MULTILINE)
    return link


def test_the_link_leads_the_owner_to_their_organization(db: None, settings: Any) -> None:
    settings.PORTAL_URL = "https://gatehouse.example"
    link = link_in(created("Acme", "--owner", "olive@acme.test"))
    client = Client()
    assert link.startswith("https://gatehouse.example/auth/password/reset/key/")

    form = client.get(link.removeprefix("https://gatehouse.example"), follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    client.post("/auth/login/", {"login": "olive@acme.test", "password": PASSWORD})

    home = client.get("/")
    assert home.status_code == 200
    assert home.context["request"].organization == Organization.objects.get(name="Acme")


def test_a_link_serves_once(db: None) -> None:
    path = "/" + link_in(created("Acme", "--owner", "olive@acme.test")).split("/", 3)[3]
    first = Client().get(path, follow=True)
    Client().get(path, follow=True)
    client = Client()
    form = client.get(path, follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})

    again = Client().get(path, follow=True)

    assert b'name="password1"' in first.content
    assert b'name="password1"' not in again.content


def test_the_link_is_not_in_the_ledger(db: None) -> None:
    key = link_in(created("Acme", "--owner", "olive@acme.test")).rstrip("/").rpartition("-")[2]

    assert key not in str(list(Entry.objects.values()))


def test_somebody_who_is_here_already_gets_no_link(oskar: Person) -> None:
    text = created("Acme", "--owner", "Oskar@globex.test")

    assert "http" not in text
    assert "been here before" in text
    assert Membership.objects.filter(person=oskar).count() == 2


def test_a_second_one_of_the_name_is_refused(db: None) -> None:
    created("Acme", "--owner", "olive@acme.test")

    with pytest.raises(CommandError, match="called ACME already"):
        created("ACME", "--owner", "other@acme.test")
    assert not Person.objects.filter(email="other@acme.test").exists()


def test_the_owner_is_called_what_the_command_says(db: None) -> None:
    created("Acme", "--owner", "olive@acme.test", "--owner-name", "Olive Okafor")

    assert Person.objects.get().name == "Olive Okafor"
