"""The chart above the deliveries."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import IAMUser, Person
from accounts.usecases import iam_users
from accounts.views.charts import HEIGHT, HOURS, deliveries_per_hour
from portal.ledger.models import Delivery
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def delivered(lena: Person, ledger_reader: IAMUser) -> Delivery:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    delivery = Delivery.objects.get()
    Delivery.objects.update(state=Delivery.State.DONE, done_at=delivery.created_at + timedelta(seconds=2))
    return Delivery.objects.get()


def test_each_hour_has_a_bar_and_the_busiest_is_the_highest(delivered: Delivery) -> None:
    bars = deliveries_per_hour(Delivery.objects.all(), at=delivered.created_at + timedelta(seconds=3))

    assert len(bars) == HOURS
    (bar,) = [bar for bar in bars if bar.count]
    assert (bar.count, bar.took, bar.height) == (1, "2.0 s", HEIGHT)
    assert bar.hour <= delivered.created_at + timedelta(seconds=2)


def test_what_is_older_than_a_day_is_left_out(delivered: Delivery) -> None:
    bars = deliveries_per_hour(Delivery.objects.all(), at=delivered.created_at + timedelta(hours=25))

    assert sum(bar.count for bar in bars) == 0


def test_the_page_says_it_in_words_too(enter: Enter, olive: Person, delivered: Delivery) -> None:
    text = enter(olive).get(reverse("deliveries")).content.decode()

    assert "1 deliveries in the last 24 hours" in text
    assert "2.0 s" in text


def test_another_organization_has_an_empty_one(enter: Enter, oskar: Person, delivered: Delivery) -> None:
    assert "0 deliveries in the last 24 hours" in enter(oskar).get(reverse("deliveries")).content.decode()
