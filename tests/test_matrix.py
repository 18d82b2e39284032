"""Every address, asked by somebody who is not signed in."""

from uuid import UUID

import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import get_resolver, reverse

from tests.matrix import MATRIX, Audience

# A value that each kind of parameter takes; parameters without a kind are allauth's keys, in regular expressions.
VALUES = {"IntConverter": 1, "SlugConverter": "acme", "StringConverter": "x", "UUIDConverter": UUID(int=1)}
OPEN = [name for name, audience in MATRIX.items() if audience is Audience.ANYBODY]
OF_MACHINES = [name for name, audience in MATRIX.items() if audience is Audience.MACHINE]
CLOSED = [name for name in MATRIX if name not in {*OPEN, *OF_MACHINES}]


def address(name: str) -> str:
    """One address of that name, of a thing that need not exist."""
    if name.endswith(":*"):
        return reverse(name.replace("*", "index"))
    possibilities, _, _, converters = get_resolver().reverse_dict.getlist(name)[0]
    _, parameters = possibilities[0]
    values = {parameter: VALUES.get(type(converters.get(parameter)).__name__, "1-a") for parameter in parameters}
    return reverse(name, kwargs=values)


@pytest.mark.django_db
@pytest.mark.parametrize("name", OPEN)
def test_it_answers_whoever_asks(client: Client, name: str) -> None:
    assert client.get(address(name)).status_code < 500


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", CLOSED)
def test_it_sends_those_who_are_not_signed_in_to_the_sign_in_page(client: Client, name: str, method: str) -> None:
    answer = getattr(client, method)(address(name), follow=True)

    assert answer.redirect_chain[-1][0].startswith(resolve_url(settings.LOGIN_URL))


@pytest.mark.django_db
@pytest.mark.parametrize("name", OF_MACHINES)
def test_it_refuses_whoever_comes_from_elsewhere_without_a_token(client: Client, name: str) -> None:
    assert client.get(address(name), REMOTE_ADDR="203.0.113.7").status_code == 403
