"""The dialogs that snooze reminders and say where an application's new keys go."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMUser, KeyDestination, KeySnooze, Person, Team
from tests import factories
from tests.accounts.views.conftest import Enter


@pytest.fixture
def writer(acme_prod: Account, payments: Team, mia: Person) -> IAMUser:
    return factories.iam_user(
        acme_prod, "ledger-writer", team=payments, owner=mia, kind="application", purpose="Writes the ledger"
    )


@pytest.fixture
def mias(enter: Enter, mia: Person) -> Client:
    return enter(mia)


def test_reminders_are_snoozed_until_a_time(mias: Client, writer: IAMUser) -> None:
    key = factories.access_key(writer)
    until = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    address = reverse("snooze_reminders", args=[key.pk])

    refused = mias.post(address, {"until": "2020-01-01T00:00", "reason": "x"}).content.decode()
    assert "within the next 30 days" in refused
    assert mias.post(address, {"until": until, "reason": "Moves on Friday"}).headers["Location"] == reverse("my_access")
    assert KeySnooze.objects.get().reason == "Moves on Friday"


def test_an_applications_keys_go_where_it_reads_them_and_back(mias: Client, writer: IAMUser) -> None:
    page, put = reverse("iam_user", args=[writer.pk]), reverse("set_key_destination", args=[writer.pk])
    assert put in mias.get(page).content.decode()

    assert "as AWS does" in mias.post(put, {"region": "Frankfurt"}).content.decode()
    assert mias.post(put, {"region": "eu-central-1", "rotate_every_days": "30"}).headers["Location"] == page
    KeyDestination.objects.update(trouble="It has two active access keys.")
    text = mias.get(page).content.decode()
    assert "gatehouse/ledger-writer/access-key" in text
    assert "every 30 days" in text
    assert "It has two active access keys." in text

    assert mias.post(reverse("end_key_destination", args=[writer.pk])).headers["Location"] == page
    assert not KeyDestination.objects.exists()


def test_a_persons_keys_are_not_put_anywhere(mias: Client, writer: IAMUser) -> None:
    IAMUser.objects.update(kind="person")

    put = reverse("set_key_destination", args=[writer.pk])
    assert put not in mias.get(reverse("iam_user", args=[writer.pk])).content.decode()
    assert "shown to them, and to nobody else" in mias.post(put, {"region": "eu-central-1"}).content.decode()
