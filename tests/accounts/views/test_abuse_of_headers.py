"""What a page of the embedded installation carries, where DEBUG is on (A29)."""

import pytest
from django.test import override_settings
from django.urls import reverse

from accounts.models import Person
from tests.accounts.views.conftest import Enter


@override_settings(DEBUG=True)
@pytest.mark.parametrize("name", ["iam_user", "account", "delivery"])
def test_what_is_not_there_is_as_strict_as_what_is(enter: Enter, oskar: Person, name: str) -> None:
    client = enter(oskar)

    there, missing = client.get(reverse("home")), client.get(reverse(name, args=[404]))

    assert (there.status_code, missing.status_code) == (200, 404)
    assert missing.headers["Content-Security-Policy"] == there.headers["Content-Security-Policy"]


@override_settings(DEBUG=True)
@pytest.mark.parametrize("address", ["/nowhere/", "/admin/nowhere/", "/auth/nowhere/", "/static/nowhere.css"])
def test_an_address_that_nobody_made_is_as_strict_and_lists_no_others(
    enter: Enter, olive: Person, address: str
) -> None:
    client = enter(olive)

    there, missing = client.get(reverse("home")), client.get(address)

    assert missing.status_code == 404
    assert missing.headers["Content-Security-Policy"] == there.headers["Content-Security-Policy"]
    assert "Nothing is here" in missing.content.decode()
    assert "URLconf" not in missing.content.decode()


@override_settings(DEBUG=True)
def test_an_address_without_its_last_slash_is_still_led_on(enter: Enter, olive: Person) -> None:
    assert enter(olive).get("/team").headers["Location"] == "/team/"
