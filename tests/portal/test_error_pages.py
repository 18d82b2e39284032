"""What went wrong is said with a way on, also where nothing else of the portal works any more."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.test import Client
from django.test.utils import override_settings
from django.views import defaults

from accounts.models import Person

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# What a Content-Security-Policy without 'unsafe-inline' refuses; blocks of JSON are data to it.
INLINE = re.compile(
    r"""\sstyle=|<style|\son\w+=|javascript:|<script(?![^>]*\ssrc=)(?![^>]*type="application/json")""", re.IGNORECASE
)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_a_script_or_style_of_its_own(template: Path) -> None:
    assert INLINE.findall(template.read_text()) == []


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'symbol id="([\w-]+)"', (settings.BASE_DIR / "static" / "icons.svg").read_text()))
    named = {
        name
        for template in TEMPLATES
        for name in re.findall(r'(?:_icon\.html" with name=|\sicon=)"([\w-]+)"', template.read_text())
    }

    assert named - drawn == set()


def test_a_stumble_needs_neither_person_nor_database() -> None:
    answer = defaults.server_error(HttpRequest())

    assert answer.status_code == 500
    assert "The portal stumbled" in answer.content.decode()
    assert 'href="/"' in answer.content.decode()


@override_settings(DEBUG=False)
def test_a_stranger_who_is_lost_is_offered_to_sign_in(client: Client, db: None) -> None:
    answer = client.get("/nothing-here/")

    assert answer.status_code == 404
    assert "Sign in" in answer.content.decode()


@override_settings(DEBUG=False)
def test_a_person_who_is_lost_keeps_the_frame(client: Client, lena: Person) -> None:
    client.force_login(lena)

    answer = client.get("/team/iam-users/0/")

    assert answer.status_code == 404
    assert "Nothing is here" in answer.content.decode()
    assert 'action="/team/"' in answer.content.decode()


def test_a_form_that_cannot_be_proved_is_explained(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/auth/login/", {"login": "mia@acme.test", "password": "x"})

    assert answer.status_code == 403
    assert "This page was open too long" in answer.content.decode()


def test_what_cannot_be_understood_is_said() -> None:
    answer = defaults.bad_request(HttpRequest(), ValueError("odd"))

    assert answer.status_code == 400
    assert "did not understand" in answer.content.decode()
