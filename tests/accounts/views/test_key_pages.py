"""Rotate key, the assistant where AWS has no room, and the changes of keys outside a rotation."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, Account, IAMUser, Person, Rotation
from accounts.usecases import access_keys
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

READ = {"last_used_source": "get_access_key_last_used", "last_used_read_at": timezone.now()}


@pytest.fixture
def key(ledger_reader: IAMUser) -> AccessKey:
    AccessKey.objects.update(**READ, last_used_date=timezone.now(), last_used_service="s3")
    return ledger_reader.access_keys.get()


@pytest.fixture
def unused(key: AccessKey) -> AccessKey:
    return factories.access_key(key.iam_user, **READ)


def rotate(key: AccessKey) -> str:
    return reverse("start_rotation", args=[key.pk])


def test_rotating_says_what_will_happen_and_leads_to_the_rotation(enter: Enter, mia: Person, key: AccessKey) -> None:
    client = enter(mia)

    assert "This one goes on working until the new one is proven" in client.get(rotate(key)).content.decode()
    answer = client.post(rotate(key))

    assert answer.headers["Location"] == reverse("rotation", args=[Rotation.objects.get().pk])
    assert Entry.objects.get().kind == "accounts.rotation.started"


def test_asking_twice_leads_to_the_one_that_is_open(enter: Enter, mia: Person, key: AccessKey) -> None:
    client = enter(mia)

    places = {client.post(rotate(key)).headers["Location"] for _ in range(3)}
    places.add(client.get(rotate(key)).headers["Location"])

    assert places == {reverse("rotation", args=[Rotation.objects.get().pk])}
    assert Entry.objects.count() == 1


def test_a_lead_rotates_for_the_owner(enter: Enter, lena: Person, key: AccessKey, envelope: None) -> None:
    client = enter(lena)

    assert "sealed for Mia" in client.get(rotate(key)).content.decode()
    client.post(rotate(key))

    assert Rotation.objects.get().recipient == key.iam_user.owner


def test_an_inactive_one_is_refused_in_words(enter: Enter, mia: Person, key: AccessKey) -> None:
    AccessKey.objects.update(status="Inactive")

    assert "is inactive, so nothing works with it" in enter(mia).post(rotate(key)).content.decode()
    assert not Rotation.objects.exists()


def test_one_that_aws_no_longer_holds_is_not_there(enter: Enter, mia: Person, key: AccessKey) -> None:
    AccessKey.objects.update(gone_at=timezone.now())

    assert enter(mia).get(rotate(key)).status_code == 404


# The assistant


def test_both_places_taken_it_proposes_the_unused_one_inactive_first(
    enter: Enter, mia: Person, key: AccessKey, unused: AccessKey
) -> None:
    text = enter(mia).get(rotate(key)).content.decode()

    assert "has 2 access keys, and AWS allows 2" in text
    assert f"Proposed: <b>{unused}</b>" in text
    proposed = text.split("Proposed:")[1].split("Its access keys")[0]
    assert f"{reverse('make_key_inactive', args=[unused.pk])}?rotate={key.pk}" in proposed
    assert reverse("delete_access_key", args=[unused.pk]) not in proposed
    assert reverse("make_key_inactive", args=[key.pk]) not in proposed
    for words in (key.access_key_id, "for s3", "never used"):
        assert words in text


def test_htmx_is_sent_to_the_whole_page(enter: Enter, mia: Person, key: AccessKey, unused: AccessKey) -> None:
    assert enter(mia).get(rotate(key), headers={"HX-Request": "true"}).headers["HX-Redirect"] == rotate(key)


def test_a_post_without_room_decides_nothing(enter: Enter, mia: Person, key: AccessKey, unused: AccessKey) -> None:
    assert "Make room first" in enter(mia).post(rotate(key)).content.decode()
    assert not Rotation.objects.exists()


def test_its_dialogs_lead_back_to_it_and_it_follows(
    enter: Enter, mia: Person, key: AccessKey, unused: AccessKey
) -> None:
    client = enter(mia)

    answer = client.post(f"{reverse('make_key_inactive', args=[unused.pk])}?rotate={key.pk}")

    assert answer.headers["Location"] == rotate(key)
    text = client.get(rotate(key)).content.decode()
    assert f'hx-get="{reverse("key_slots", args=[key.pk])}" hx-trigger' in text
    assert "Make key inactive: pending" in text


def test_once_it_is_inactive_it_proposes_to_delete_it(
    enter: Enter, mia: Person, key: AccessKey, unused: AccessKey
) -> None:
    AccessKey.objects.filter(pk=unused.pk).update(status="Inactive")

    text = enter(mia).get(rotate(key)).content.decode()

    assert f"{reverse('delete_access_key', args=[unused.pk])}?rotate={key.pk}" in text
    assert "It cannot be undone" in text


def test_of_three_it_says_how_many_go(enter: Enter, mia: Person, key: AccessKey, unused: AccessKey) -> None:
    factories.access_key(key.iam_user, status="Inactive")

    text = enter(mia).get(rotate(key)).content.decode()

    assert "has 3 access keys, and AWS allows 2. 2 of them go first" in text


def test_of_two_in_use_none_is_proposed(enter: Enter, mia: Person, key: AccessKey, unused: AccessKey) -> None:
    AccessKey.objects.update(last_used_date=timezone.now())

    text = enter(mia).get(rotate(key)).content.decode()

    assert "Proposed:" not in text
    assert "none is proposed" in text


def test_once_there_is_room_its_part_offers_to_rotate(
    enter: Enter, mia: Person, key: AccessKey, unused: AccessKey
) -> None:
    AccessKey.objects.filter(pk=unused.pk).update(gone_at=timezone.now())

    part = enter(mia).get(reverse("key_slots", args=[key.pk])).content.decode()

    assert "There is room for a new key" in part
    assert f'href="{rotate(key)}"' in part


# Outside a rotation


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("make_key_inactive", "Active", "accounts.access_key.deactivated"),
        ("delete_access_key", "Inactive", "accounts.access_key.deleted"),
    ],
)
def test_each_asks_and_decides_once(
    enter: Enter, mia: Person, key: AccessKey, name: str, status: str, kind: str
) -> None:
    AccessKey.objects.update(status=status)
    client, address = enter(mia), reverse(name, args=[key.pk])

    assert "It was last used on" in client.get(address).content.decode()
    answer = client.post(address, {"reason": "Not needed"})
    again = client.post(address, {"reason": "Not needed"})

    assert answer.headers["Location"] == reverse("my_access")
    assert "is on its way. Wait for it." in again.content.decode()
    assert (Entry.objects.get().kind, Entry.objects.get().reason) == (kind, "Not needed")


def test_an_owner_has_back_what_they_made_inactive(enter: Enter, mia: Person, key: AccessKey) -> None:
    access_keys.make_key_inactive(by=mia, access_key=key, at=timezone.now())
    from_aws(key)

    enter(mia).post(reverse("make_key_active", args=[key.pk]))

    assert Entry.objects.order_by("-sequence")[0].kind == "accounts.access_key.activated"


def from_aws(key: AccessKey) -> None:
    """It has arrived."""
    entry = Entry.objects.get()
    entry.deliveries.update(state="done", done_at=timezone.now())
    AccessKey.objects.filter(pk=key.pk).update(status="Inactive")


@pytest.mark.parametrize("rotating", ["x", "987654", "²", "9" * 40, "//evil.test"])
def test_nothing_else_is_led_back_to(enter: Enter, mia: Person, key: AccessKey, rotating: str) -> None:
    answer = enter(mia).post(f"{reverse('make_key_inactive', args=[key.pk])}?rotate={rotating}")

    assert answer.headers["Location"] == reverse("my_access")


# The panel of an IAM user's page


@pytest.mark.parametrize(
    ("who", "offers"), [("mia", True), ("lena", True), ("olive", True), ("hugo", False), ("ada", False)]
)
def test_the_iam_users_page_offers_to_those_who_may(
    request: pytest.FixtureRequest, enter: Enter, key: AccessKey, who: str, offers: bool
) -> None:
    text = enter(request.getfixturevalue(who)).get(reverse("iam_user", args=[key.iam_user_id])).content.decode()

    assert (rotate(key) in text) is offers
    assert (reverse("make_key_inactive", args=[key.pk]) in text) is offers


def test_the_panel_leads_to_the_open_rotation(enter: Enter, hugo: Person, key: AccessKey) -> None:
    rotation = factories.rotation(key)

    text = enter(hugo).get(reverse("iam_user", args=[key.iam_user_id])).content.decode()

    assert reverse("rotation", args=[rotation.pk]) in text


def test_without_an_owner_nobody_rotates(enter: Enter, olive: Person, acme_prod: Account) -> None:
    nobodys: Any = factories.access_key(factories.iam_user(acme_prod, "nobodys"))

    text = enter(olive).get(reverse("iam_user", args=[nobodys.iam_user_id])).content.decode()

    assert rotate(nobodys) not in text
