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
