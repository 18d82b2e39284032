"""My access: one's own keys, what is due, what waits; and nobody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, Account, Duty, IAMUser, Organization, Person
from accounts.models.sealed import Purpose
from accounts.usecases import access_keys
from accounts.usecases import rotation as steps
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.views.conftest import Enter

KEY_ID = "AKIALEDGERREADER0001"


def text_of(client: Client, **query: str) -> str:
    answer = client.get(reverse("my_access"), query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def key(ledger_reader: IAMUser) -> AccessKey:
    return ledger_reader.access_keys.get()


def change(key: AccessKey, **fields: Any) -> None:
    AccessKey.objects.filter(pk=key.pk).update(**fields)


def test_it_is_in_the_side_bar_of_everybody_who_belongs_here(enter: Enter, mia: Person, olive: Person) -> None:
    for person in (mia, olive):
        assert f'href="{reverse("my_access")}"' in enter(person).get(reverse("home")).content.decode()


def test_each_key_says_all_that_is_known(enter: Enter, mia: Person, key: AccessKey) -> None:
    now = timezone.now()
    change(
        key, create_date=now - timedelta(days=78), last_used_date=now - timedelta(hours=2), last_used_service="s3",
        last_used_region="eu-west-1", last_used_source="credential_report", last_used_read_at=now,
    )  # fmt: skip

    text = text_of(enter(mia))

    for words in (KEY_ID, "78 days old", "due in 12 days", "for s3", "in eu-west-1", "Active", "ledger-reader"):
        assert words in text
    assert 'data-source="account authorization details"' in text
    assert 'data-source="credential report"' in text
    assert "<time datetime=" in text
    assert "rotated every 90 days" in text


def test_the_rule_is_the_organizations(enter: Enter, mia: Person, acme: Organization, key: AccessKey) -> None:
    Organization.objects.filter(pk=acme.pk).update(rotate_after_days=30)
    change(key, create_date=timezone.now() - timedelta(days=60))

    text = text_of(enter(mia))

    assert "rotated every 30 days" in text
    assert "Overdue by 30 days" in text


def test_a_key_that_is_due_tonight_is_the_first_thing(enter: Enter, mia: Person, key: AccessKey) -> None:
    change(key, create_date=timezone.now() - timedelta(days=90))

    for page in ("my_access", "home"):
        text = enter(mia).get(reverse(page)).content.decode()
        assert "Waiting for you" in text
        assert reverse("start_rotation", args=[key.pk]) in text
        assert "verdue since today" in text or "ue today" in text


def test_a_key_that_is_not_due_does_not_wait(enter: Enter, mia: Person, key: AccessKey) -> None:
    change(key, create_date=timezone.now())

    assert "Waiting for you" not in text_of(enter(mia))


def test_it_shows_ones_own_and_nobody_elses(
    enter: Enter, lena: Person, mia: Person, key: AccessKey, acme_dev: Account
) -> None:
    own = factories.iam_user(acme_dev, "payouts", owner=lena, kind=IAMUser.Kind.APPLICATION, purpose="Pays out")

    text = text_of(enter(lena))

    assert KEY_ID not in text
    assert "Applications that you own" in text
    assert "payouts" in text
    assert "acme-dev" in text
    assert "Your IAM users" not in text
    assert own.user_name not in text_of(enter(mia))


def test_nothing_of_another_organization_of_theirs(
    enter: Enter, mia: Person, globex: Organization, key: AccessKey
) -> None:
    factories.membership(mia, Duty.MEMBER, of=globex)
    client = enter(mia)
    client.post(reverse("switch_organization", args=["globex"]))

    assert KEY_ID not in text_of(client)


def test_where_nothing_is_theirs_it_says_what_to_do(enter: Enter, ada: Person) -> None:
    text = text_of(enter(ada))

    assert "No IAM user is yours here" in text
    assert "to assign it to you" in text


def test_a_secret_that_waits_is_shown_from_here(
    enter: Enter, mia: Person, ledger_reader: IAMUser, key: AccessKey
) -> None:
    sealed = factories.sealed_secret(ledger_reader, Purpose.ACCESS_KEY, id=KEY_ID)

    text = text_of(enter(mia))

    assert "Show secret" in text
    assert reverse("secret", args=[sealed.pk]) in text


def test_an_open_rotation_waits_with_its_next_step(enter: Enter, mia: Person, key: AccessKey) -> None:
    new_key = factories.access_key(key.iam_user)
    rotation = factories.rotation(key, new_key=new_key, state="delivered", made_at=timezone.now())

    text = text_of(enter(mia))

    assert "Put the new key in use, and prove that it works" in text
    assert reverse("rotation", args=[rotation.pk]) in text
    assert "Go on" in text
    assert reverse("start_rotation", args=[key.pk]) not in text
    assert reverse("delete_access_key", args=[new_key.pk]) not in text


def test_what_is_on_its_way_polls_until_it_has_arrived(enter: Enter, mia: Person, key: AccessKey) -> None:
    access_keys.make_key_inactive(by=mia, access_key=key, at=timezone.now())
    client = enter(mia)

    text = text_of(client)
    assert f'hx-get="{reverse("my_access_facts")}" hx-trigger' in text
    assert text.count("Make key inactive: pending") == 1
    assert reverse("make_key_inactive", args=[key.pk]) not in text

    Delivery.objects.update(state=Delivery.State.DONE, done_at=timezone.now())
    change(key, status="Inactive")
    part = client.get(reverse("my_access_facts")).content.decode()
    assert "hx-trigger" not in part
    assert reverse("make_key_active", args=[key.pk]) in part
    assert reverse("delete_access_key", args=[key.pk]) in part


def test_a_stuck_one_says_so_and_does_not_poll(enter: Enter, mia: Person, key: AccessKey) -> None:
    steps.start_rotation(by=mia, access_key=key, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS said no.")

    text = text_of(enter(mia))

    assert "Stuck: AWS denied it" in text
    assert "Something holds it up" in text
    assert "hx-trigger" not in text.split('id="facts"')[1].split(">")[0]


def test_an_owner_is_not_offered_to_take_back_what_a_lead_did(
    enter: Enter, mia: Person, lena: Person, key: AccessKey, envelope: None
) -> None:
    access_keys.make_key_inactive(by=lena, access_key=key, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.DONE, done_at=timezone.now())
    change(key, status="Inactive")

    assert reverse("make_key_active", args=[key.pk]) not in text_of(enter(mia))
    of_lead = enter(lena).get(reverse("iam_user", args=[key.iam_user_id])).content.decode()
    assert reverse("make_key_active", args=[key.pk]) in of_lead


def test_a_thousand_are_listed_page_by_page(
    enter: Enter, mia: Person, acme_prod: Account, django_assert_max_num_queries: Any
) -> None:
    for number in range(1000):
        factories.access_key(factories.iam_user(acme_prod, f"robot-{number:04}", owner=mia, kind="application"))
    last = factories.access_key(
        factories.iam_user(acme_prod, "robot-late", owner=mia, kind="application"),
        create_date=timezone.now() - timedelta(days=300),
    )
    client = enter(mia)

    with django_assert_max_num_queries(32):
        text = text_of(client)

    assert text.count('id="key-') == 25
    assert "1 to 25 of 1001" in text
    assert text.index("robot-late") < text.index("robot-0000")
    assert last.access_key_id in text
    assert "robot-0999" in text_of(client, page="41")
    assert "1001 to" not in text_of(client, page="no number")


def test_queries_do_not_grow_with_the_keys(
    enter: Enter, mia: Person, acme_prod: Account, key: AccessKey, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        iam_user = factories.iam_user(acme_prod, f"robot-{number:04}", owner=mia, kind="application")
        old, new = factories.access_key(iam_user), factories.access_key(iam_user)
        factories.rotation(old, new_key=new, state="delivered", made_at=timezone.now())
    client = enter(mia)

    with django_assert_max_num_queries(32):
        text_of(client)
    with django_assert_max_num_queries(45):
        client.get(reverse("home"))
