"""The calendar of what is due: a secret address that is shown once, and what a calendar program reads there."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from accounts.models import Account, CalendarFeed, Membership, Organization, Person, Team
from accounts.models.invitation import hash_of
from accounts.usecases.calendar_feeds import make_feed
from portal.ledger.clock import database_now
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter


@pytest.fixture
def token(acme: Organization, mia: Person) -> str:
    return make_feed(by=mia, organization=acme, at=database_now())


def read(client: Client, token: str) -> Calendar:
    answer = client.get(reverse("calendar", args=[token]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    return Calendar.from_ical(answer.content)


def test_the_address_is_shown_once_and_its_hash_kept(enter: Enter, mia: Person) -> None:
    client = enter(mia)
    page = reverse("calendar_page")

    made = client.post(page).content.decode()

    feed = CalendarFeed.objects.get()
    [token] = [part.split(".ics")[0] for part in made.split("/calendar/")[1:] if ".ics" in part]
    assert feed.token_hash == hash_of(token)
    assert token not in client.get(page).content.decode()
    assert all(token not in str(entry.details) for entry in Entry.objects.all())


def test_it_tells_when_ones_own_active_keys_are_due(
    client: Client, acme_prod: Account, payments: Team, mia: Person, lena: Person, token: str
) -> None:
    own = factories.iam_user(acme_prod, "ledger-writer", team=payments, owner=mia)
    key = factories.access_key(own, access_key_id="AKIAEXAMPLE00000WXYZ")
    factories.access_key(own, status="Inactive")
    factories.access_key(own, gone_at=database_now())
    factories.access_key(factories.iam_user(acme_prod, "lenas", team=payments, owner=lena))

    [event] = read(client, token).walk("VEVENT")

    assert event["SUMMARY"] == "Rotate access key …WXYZ of ledger-writer in acme-prod (111122223333)"
    assert event.decoded("DTSTART") == (key.create_date + timedelta(days=90)).date()
    assert key.access_key_id not in event.to_ical().decode()


def test_a_hostile_name_stays_a_text(
    client: Client, acme: Organization, payments: Team, mia: Person, token: str
) -> None:
    account = factories.account(acme, "222233334444", name="a;b\r\nEND:VEVENT")
    factories.access_key(factories.iam_user(account, "c,d=e@x", team=payments, owner=mia))

    [event] = read(client, token).walk("VEVENT")

    assert "of c,d=e@x in a;b" in str(event["SUMMARY"])
    assert event.to_ical().decode().count("\r\nEND:VEVENT\r\n") == 1


def test_a_new_address_ends_the_older_one(client: Client, acme: Organization, mia: Person, token: str) -> None:
    newer = make_feed(by=mia, organization=acme, at=database_now())

    assert client.get(reverse("calendar", args=[token])).status_code == 404
    assert read(client, newer)


def test_it_ends_when_its_person_ends_it(enter: Enter, client: Client, mia: Person, token: str) -> None:
    assert enter(mia).post(reverse("end_calendar")).status_code == 302

    assert client.get(reverse("calendar", args=[token])).status_code == 404
    kinds = list(Entry.objects.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["accounts.calendar.made", "accounts.calendar.ended"]


@pytest.mark.parametrize("how", ["disabled", "left"])
def test_it_leads_nowhere_once_its_person_is_gone(client: Client, mia: Person, token: str, how: str) -> None:
    if how == "left":
        Membership.objects.filter(person=mia).update(ended_at=database_now())
    else:
        Person.objects.filter(pk=mia.pk).update(is_active=False)

    assert client.get(reverse("calendar", args=[token])).status_code == 404


def test_nobody_reaches_anothers_calendar(enter: Enter, oskar: Person, lena: Person, token: str) -> None:
    for person in (oskar, lena):
        assert enter(person).post(reverse("end_calendar")).status_code == 404
    assert CalendarFeed.objects.count() == 1
