"""The page of a rotation: the one next step, the way back, the warnings; each step by its dialog."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, IAMUser, Person, Rotation
from accounts.models.sealed import Purpose
from accounts.usecases import rotation as steps
from accounts.usecases.iam_users import tag_iam_user
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery staple"


@pytest.fixture
def old_key(ledger_reader: IAMUser) -> AccessKey:
    return ledger_reader.access_keys.get()


@pytest.fixture
def new_key(ledger_reader: IAMUser, old_key: AccessKey) -> AccessKey:
    return factories.access_key(ledger_reader, create_date=timezone.now())


def rotation_of(old_key: AccessKey, new_key: AccessKey, state: str, **fields: Any) -> Rotation:
    return factories.rotation(old_key, new_key=new_key, state=state, made_at=timezone.now(), **fields)


@pytest.fixture
def proven(old_key: AccessKey, new_key: AccessKey) -> Rotation:
    now = timezone.now()
    return rotation_of(
        old_key, new_key, "proven", opened_at=now, proven_at=now, proven_by="use", new_key_first_used_at=now - HOUR
    )


@pytest.fixture
def watched(old_key: AccessKey, new_key: AccessKey) -> Rotation:
    AccessKey.objects.filter(pk=old_key.pk).update(status="Inactive")
    now = timezone.now()
    return rotation_of(
        old_key, new_key, "deactivated", opened_at=now, proven_at=now, proven_by="use", deactivated_at=now,
        watch_until=now + timedelta(days=7),
    )  # fmt: skip


def text_of(client: Client, rotation: Rotation, name: str = "rotation") -> str:
    answer = client.get(reverse(name, args=[rotation.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def addresses(rotation: Rotation, *names: str) -> list[str]:
    return [f'href="{reverse(name, args=[rotation.pk])}"' for name in names]


STEPS = ("make_old_key_inactive", "make_old_key_active", "delete_old_key", "give_up_rotation")


def offered(text: str, rotation: Rotation) -> set[str]:
    return {name for name in STEPS if addresses(rotation, name)[0] in text}


# What is next, by state


def test_while_the_new_key_is_on_its_way_it_polls_and_offers_nothing(
    enter: Enter, mia: Person, old_key: AccessKey
) -> None:
    rotation = steps.start_rotation(by=mia, access_key=old_key, at=timezone.now())

    text = text_of(enter(mia), rotation)

    assert f'hx-get="{reverse("rotation_facts", args=[rotation.pk])}" hx-trigger' in text
    assert "This page follows" in text.replace("this page", "This page")
    assert offered(text, rotation) == set()
    assert "Not made yet." in text


def test_a_secret_that_waits_is_the_next_step_of_its_recipient_alone(
    enter: Enter, mia: Person, lena: Person, old_key: AccessKey, new_key: AccessKey
) -> None:
    rotation = rotation_of(old_key, new_key, "made")
    sealed = factories.sealed_secret(old_key.iam_user, Purpose.ACCESS_KEY, id=new_key.access_key_id)
    secret = f'href="{reverse("secret", args=[sealed.pk])}"'

    assert secret in text_of(enter(mia), rotation)
    of_lead = text_of(enter(lena), rotation)
    assert secret not in of_lead
    assert "opens the new key&#x27;s secret" in of_lead
    assert offered(of_lead, rotation) == {"give_up_rotation"}


def test_a_secret_that_nobody_opened_in_time_is_told(
    enter: Enter, mia: Person, old_key: AccessKey, new_key: AccessKey
) -> None:
    text = text_of(enter(mia), rotation_of(old_key, new_key, "made"))

    assert "Nobody opened the new key&#x27;s secret in time" in text


def test_then_it_says_how_to_prove_the_new_key(
    enter: Enter, mia: Person, hugo: Person, old_key: AccessKey, new_key: AccessKey
) -> None:
    rotation = rotation_of(old_key, new_key, "delivered", opened_at=timezone.now())

    text = text_of(enter(mia), rotation)

    assert "The new key works" in text
    assert offered(text, rotation) == {"make_old_key_inactive", "give_up_rotation"}
    assert "The new key works" not in text_of(enter(hugo), rotation)
    assert "hx-trigger" not in text.split('id="facts"')[1].split(">")[0]


def test_what_is_in_use_cannot_be_given_up(enter: Enter, mia: Person, old_key: AccessKey, new_key: AccessKey) -> None:
    rotation = rotation_of(old_key, new_key, "delivered", opened_at=timezone.now())
    AccessKey.objects.filter(pk=new_key.pk).update(last_used_date=timezone.now())

    text = text_of(enter(mia), rotation)

    assert "give_up_rotation" not in offered(text, rotation)
    assert "hx-trigger" in text.split('id="facts"')[1].split(">")[0]


def test_once_it_is_proven_the_old_one_is_made_inactive(enter: Enter, mia: Person, proven: Rotation) -> None:
    text = text_of(enter(mia), proven)

    assert "It can be undone" in text
    assert "By its use, seen in AWS" in text
    assert offered(text, proven) == {"make_old_key_inactive"}
    assert 'data-place="now"' in text


def test_a_use_of_the_old_key_is_warned_of_with_when_where_and_for_what(
    enter: Enter, mia: Person, proven: Rotation
) -> None:
    AccessKey.objects.filter(pk=proven.old_key_id).update(
        last_used_date=timezone.now(), last_used_service="s3", last_used_region="eu-west-1"
    )

    text = text_of(enter(mia), proven)

    assert "The old key is still used" in text
    assert "for s3 in eu-west-1, after the new key was in use already" in text
    assert "Find what still uses the old key" in text


def test_while_it_is_watched_the_undo_comes_first(enter: Enter, mia: Person, watched: Rotation) -> None:
    text = text_of(enter(mia), watched)

    assert "Watch until" in text
    assert offered(text, watched) == {"make_old_key_active", "delete_old_key"}
    assert text.index("Make old key active</span>") < text.index("Delete old key</span>")


def test_after_the_watching_it_is_deleted(enter: Enter, mia: Person, watched: Rotation) -> None:
    Rotation.objects.update(watch_until=timezone.now() - HOUR)

    text = text_of(enter(mia), watched)

    assert "Once deleted it cannot be brought back" in text
    assert 'data-kind="danger"' in text


@pytest.mark.parametrize(
    ("state", "words"),
    [("done", "has taken the place of"), ("given_up", "was left as it is"), ("lapsed", "was left as it is")],
)
def test_one_that_has_ended_says_how(
    enter: Enter, mia: Person, old_key: AccessKey, new_key: AccessKey, state: str, words: str
) -> None:
    rotation = rotation_of(old_key, new_key, state, ended_at=timezone.now())

    text = text_of(enter(mia), rotation)

    assert words in text
    assert offered(text, rotation) == set()


def test_after_giving_up_it_can_be_begun_again(
    enter: Enter, mia: Person, hugo: Person, old_key: AccessKey, new_key: AccessKey
) -> None:
    rotation = rotation_of(old_key, new_key, "given_up", ended_at=timezone.now())
    again = f'href="{reverse("start_rotation", args=[old_key.pk])}"'

    assert again in text_of(enter(mia), rotation)
    assert again not in text_of(enter(hugo), rotation)
    AccessKey.objects.filter(pk=old_key.pk).update(gone_at=timezone.now())
    assert again not in text_of(enter(mia), rotation)


def test_a_stuck_step_says_what_to_do(enter: Enter, mia: Person, proven: Rotation) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=timezone.now())
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.OUTDATED, error="The old key was used a moment ago."
    )

    text = text_of(enter(mia), proven)

    assert "The old key was used a moment ago. Put right what it names" in text
    # It gives way to what is decided next.
    assert offered(text, proven) == {"make_old_key_inactive"}


def test_what_is_stuck_besides_is_in_the_way(enter: Enter, mia: Person, lena: Person, proven: Rotation) -> None:
    tag_iam_user(by=lena, iam_user=proven.iam_user, tags={}, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="Not allowed.")

    text = text_of(enter(mia), proven)

    assert "Something holds it up" in text
    assert offered(text, proven) == set()


def test_a_new_key_that_cannot_be_made_can_be_given_up(enter: Enter, mia: Person, old_key: AccessKey) -> None:
    rotation = steps.start_rotation(by=mia, access_key=old_key, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.REFUSED, error="No room.")

    text = text_of(enter(mia), rotation)

    assert "The new key could not be made" in text
    assert offered(text, rotation) == {"give_up_rotation"}


# Who sees it


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_whoever_only_looks_is_offered_nothing(
    request: pytest.FixtureRequest, enter: Enter, proven: Rotation, who: str
) -> None:
    text = text_of(enter(request.getfixturevalue(who)), proven)

    assert "Make the old key inactive" in text
    assert offered(text, proven) == set()


def test_the_history_tells_of_this_rotation_alone(enter: Enter, mia: Person, proven: Rotation) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=timezone.now())
    another = factories.rotation(proven.old_key, state="given_up", ended_at=timezone.now())

    client = enter(mia)

    assert "Make key inactive" in text_of(client, proven)
    assert "Make key inactive" not in text_of(client, another).split("History</h2>")[1]


def test_its_queries_are_few(enter: Enter, mia: Person, proven: Rotation, django_assert_max_num_queries: Any) -> None:
    client = enter(mia)

    with django_assert_max_num_queries(26):
        text_of(client, proven)


# The dialogs


def test_making_inactive_takes_no_reason_once_it_is_proven(enter: Enter, mia: Person, proven: Rotation) -> None:
    answer = enter(mia).post(reverse("make_old_key_inactive", args=[proven.pk]), headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"] == reverse("rotation", args=[proven.pk])
    assert Entry.objects.get().kind == "accounts.access_key.deactivated"


def test_before_it_is_proven_a_reason_is_asked_for(
    enter: Enter, mia: Person, old_key: AccessKey, new_key: AccessKey
) -> None:
    rotation = rotation_of(old_key, new_key, "delivered", opened_at=timezone.now())
    client, address = enter(mia), reverse("make_old_key_inactive", args=[rotation.pk])

    assert "if it does not, nothing works until you undo this" in client.get(address).content.decode()
    client.post(address)
    assert not Entry.objects.exists()
    client.post(address, {"reason": "It is a test account"})
    assert Entry.objects.get().reason == "It is a test account"


def test_undoing_is_one_dialog(enter: Enter, mia: Person, watched: Rotation) -> None:
    enter(mia).post(reverse("make_old_key_active", args=[watched.pk]))

    assert Entry.objects.get().kind == "accounts.access_key.activated"


def test_deleting_while_it_is_watched_takes_a_reason(enter: Enter, mia: Person, watched: Rotation) -> None:
    client, address = enter(mia), reverse("delete_old_key", args=[watched.pk])

    assert "It cannot be undone" in client.get(address).content.decode()
    client.post(address)
    assert not Entry.objects.exists()
    client.post(address, {"reason": "Nobody has it"})
    assert Entry.objects.get().kind == "accounts.access_key.deleted"


def test_giving_up_says_what_goes(enter: Enter, mia: Person, old_key: AccessKey, new_key: AccessKey) -> None:
    rotation = rotation_of(old_key, new_key, "made")
    client, address = enter(mia), reverse("give_up_rotation", args=[rotation.pk])

    assert f"The new key {new_key} is deleted" in client.get(address).content.decode()
    client.post(address)
    assert Entry.objects.get().kind == "accounts.rotation.given_up"


def test_a_step_that_is_out_of_order_is_refused_in_words(enter: Enter, mia: Person, proven: Rotation) -> None:
    answer = enter(mia).post(reverse("delete_old_key", args=[proven.pk]))

    assert "This cannot be done now: new key works." in answer.content.decode()
    assert not Entry.objects.exists()


def test_refreshing_reads_the_keys_and_comes_back(enter: Enter, mia: Person, proven: Rotation) -> None:
    client, address = enter(mia), reverse("refresh_rotation", args=[proven.pk])

    assert client.post(address).headers["Location"] == reverse("rotation", args=[proven.pk])
    assert proven.iam_user.imports.open().count() == 1
    assert "Reading…" in client.post(address, follow=True).content.decode()


@pytest.mark.parametrize("name", ["delete_old_key", "give_up_rotation", "start_rotation", "delete_access_key"])
def test_what_destroys_or_reveals_takes_a_fresh_sign_in(
    enter: Enter, mia: Person, watched: Rotation, ledger_reader: IAMUser, name: str
) -> None:
    mia.set_password(PASSWORD)
    mia.save()
    client = enter(mia)
    of_another = factories.access_key(factories.iam_user(ledger_reader.account, "other", owner=mia))
    pk = of_another.pk if "access_key" in name or name == "start_rotation" else watched.pk
    address = reverse(name, args=[pk])

    assert client.get(address).headers["Location"].startswith(reverse("account_reauthenticate"))
    for method in ("get", "post"):
        part = getattr(client, method)(address, headers={"HX-Request": "true"})
        assert part.headers["HX-Redirect"] == address
    assert client.post(address, {"reason": "x"}).headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not Entry.objects.exists()
