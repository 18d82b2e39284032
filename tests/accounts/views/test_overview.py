"""The overview of a team and of an organization: numbers that lead to the IAM users that they count."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMUser, Person, Team
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

NOW = timezone.now()
NUMBER = re.compile(r'<a href="([^"]+)"><b class="figures"[^>]*>([\d,]+)</b><span>([^<]+)<')
PART = re.compile(r'<a href="([^"]+)">([^<]+)</a></th><td class="number">(\d+)<')


@pytest.fixture
def crowd(acme_prod: Account, acme_dev: Account, payments: Team, platform: Team) -> None:
    ages = (5, 40, 75, 100, 200, 500, 500)
    for number, age in enumerate(ages):
        row = factories.iam_user(acme_prod, f"robot-{number}", team=payments, create_date=NOW - timedelta(days=age))
        factories.access_key(row, create_date=NOW - timedelta(days=age))
        factories.login_profile(row)
        if number % 2:
            factories.mfa_device(row)
    factories.access_key(factories.iam_user(acme_dev, "other", team=platform), create_date=NOW - timedelta(days=400))
    factories.drift(IAMUser.objects.get(user_name="robot-0"))


def numbers(client: Client, query: str = "") -> dict[str, tuple[str, int]]:
    text = client.get(f"{reverse('overview')}{query}").content.decode()
    tiles = {words: (html.unescape(address), int(count)) for address, count, words in NUMBER.findall(text)}
    return tiles | {words: (html.unescape(address), int(count)) for address, words, count in PART.findall(text)}


def test_each_number_is_that_of_the_list_to_which_it_leads(enter: Enter, lena: Person, crowd: None) -> None:
    client = enter(lena)

    found = numbers(client)

    assert {words: count for words, (_, count) in found.items()} == {
        "IAM users": 7, "With a key over 90 days old": 4, "Not used in 45 days": 5, "Pending": 0, "Stuck": 0,
        "Drifted": 1, "Up to 30 days": 1, "31 to 60 days": 1, "61 to 90 days": 1, "91 to 180 days": 1,
        "181 to 365 days": 1, "Over a year": 2, "With MFA": 3, "Without MFA": 4,
    }  # fmt: skip
    for words, (address, count) in found.items():
        assert len(client.get(address).context["page"].shown) == count, words


def test_an_owner_sees_all_and_one_team(enter: Enter, olive: Person, payments: Team, crowd: None) -> None:
    client = enter(olive)

    assert numbers(client)["Over a year"][1] == 3
    address, count = numbers(client, f"?team={payments.pk}")["Over a year"]
    assert (count, f"team={payments.pk}" in address) == (2, True)


@pytest.mark.parametrize("asked", ["x", "-1", "987654", "9" * 40])
def test_a_team_that_is_none_is_not_there(enter: Enter, olive: Person, asked: str) -> None:
    assert enter(olive).get(f"{reverse('overview')}?team={asked}").status_code == 404


def test_another_team_or_another_organizations_is_not_there(
    enter: Enter, lena: Person, oskar: Person, platform: Team, payments: Team
) -> None:
    assert enter(lena).get(f"{reverse('overview')}?team={platform.pk}").status_code == 404
    assert enter(oskar).get(f"{reverse('overview')}?team={payments.pk}").status_code == 404


def test_a_member_has_none(enter: Enter, mia: Person, crowd: None) -> None:
    client = enter(mia)

    assert client.get(reverse("overview")).status_code == 403
    assert reverse("overview") not in client.get(reverse("team")).content.decode()


def test_nothing_to_show_is_shown_as_nothing(enter: Enter, oskar: Person) -> None:
    assert numbers(enter(oskar))["IAM users"][1] == 0


def test_more_rows_need_no_more_queries(enter: Enter, olive: Person, crowd: None, acme_prod: Account) -> None:
    client = enter(olive)
    with CaptureQueriesContext(connection) as for_few:
        numbers(client)
    for number in range(30):
        factories.access_key(factories.iam_user(acme_prod, f"more-{number}"))

    with CaptureQueriesContext(connection) as for_many:
        numbers(client)

    assert len(for_many) == len(for_few)
