"""The deliveries' pages, and what is done about a stuck one."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.kinds import Kind
from accounts.models import IAMUser, Person
from accounts.usecases import iam_users
from portal.ledger.models import Delivery, Entry
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def stuck(lena: Person, ledger_reader: IAMUser) -> Delivery:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied UntagUser: not allowed."
    )
    return Delivery.objects.get()


@pytest.mark.parametrize(("who", "status"), [("olive", 200), ("ada", 200), ("lena", 403), ("hugo", 403), ("mia", 403)])
def test_owners_and_auditors_look_at_them(
    request: pytest.FixtureRequest, enter: Enter, stuck: Delivery, who: str, status: int
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(reverse("deliveries")).status_code == status
    assert client.get(reverse("delivery", args=[stuck.pk])).status_code == status


def test_a_stuck_one_says_what_happened_and_what_to_do(enter: Enter, olive: Person, stuck: Delivery) -> None:
    client = enter(olive)

    assert "1 stuck" in client.get(reverse("deliveries")).content.decode()
    text = client.get(reverse("delivery", args=[stuck.pk])).content.decode()
    assert "Stuck: AWS denied it" in text
    assert "AWS denied UntagUser: not allowed." in text
    assert "can allow it for the portal" in text
    assert "Try again" in text


def test_an_auditor_is_offered_nothing_and_refused(enter: Enter, ada: Person, stuck: Delivery) -> None:
    client = enter(ada)

    assert "Try again" not in client.get(reverse("delivery", args=[stuck.pk])).content.decode()
    assert client.post(reverse("try_again", args=[stuck.pk]), {"reason": "x"}).status_code == 403
    stuck.refresh_from_db()
    assert stuck.state == Delivery.State.STUCK


def test_trying_again_makes_it_due_and_stands_in_the_ledger(enter: Enter, olive: Person, stuck: Delivery) -> None:
    enter(olive).post(reverse("try_again", args=[stuck.pk]), {"reason": "The role was mended"})

    stuck.refresh_from_db()
    assert stuck.state == Delivery.State.DUE
    assert Entry.objects.get(kind=Kind.DELIVERY_RETRIED).reason == "The role was mended"


def test_giving_up_ends_it_and_stands_in_the_ledger(enter: Enter, olive: Person, stuck: Delivery) -> None:
    enter(olive).post(reverse("give_up", args=[stuck.pk]), {"reason": "No longer wanted"})

    stuck.refresh_from_db()
    assert stuck.state == Delivery.State.GIVEN_UP
    assert Entry.objects.get(kind=Kind.DELIVERY_GIVEN_UP).reason == "No longer wanted"


@pytest.mark.parametrize("name", ["try_again", "give_up"])
def test_nothing_is_done_without_a_reason(enter: Enter, olive: Person, stuck: Delivery, name: str) -> None:
    enter(olive).post(reverse(name, args=[stuck.pk]), {"reason": "  "})

    stuck.refresh_from_db()
    assert stuck.state == Delivery.State.STUCK
    assert Entry.objects.count() == 1


def test_what_has_arrived_cannot_be_tried_again(enter: Enter, olive: Person, stuck: Delivery) -> None:
    Delivery.objects.update(state=Delivery.State.DONE, stuck_kind="", error="", done_at=timezone.now())

    text = enter(olive).post(reverse("try_again", args=[stuck.pk]), {"reason": "x"}).content.decode()

    assert "there is nothing to try again" in text
    assert Entry.objects.count() == 1


@pytest.mark.parametrize(
    ("query", "finds"), [({"state": "stuck"}, True), ({"state": "done"}, False), ({"lane": "111122223333"}, True)]
)
def test_they_are_filtered(enter: Enter, olive: Person, stuck: Delivery, query: dict[str, str], finds: bool) -> None:
    text = enter(olive).get(reverse("deliveries"), query).content.decode()

    assert (reverse("delivery", args=[stuck.pk]) in text) is finds
