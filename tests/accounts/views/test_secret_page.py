"""The page of a sealed secret: for its recipient alone, once, freshly signed in, and nothing of it stays."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AccessKey, Duty, IAMUser, Organization, Person
from accounts.models.sealed import Purpose
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.views.conftest import Enter
from tests.factories import SECRET

PASSWORD = "correct horse battery staple"
KEY_ID = "AKIALEDGERREADER0001"
TIMES = 50
JSON = "accounts.views.sealed_secrets.JsonResponse"


@pytest.fixture
def sealed(ledger_reader: IAMUser) -> SealedSecret:
    """The secret of Mia's key."""
    return factories.sealed_secret(ledger_reader, Purpose.ACCESS_KEY, id=KEY_ID)


@pytest.fixture
def page(sealed: SealedSecret) -> str:
    return reverse("secret", args=[sealed.pk])


@pytest.fixture
def opening(sealed: SealedSecret) -> str:
    return reverse("open_secret", args=[sealed.pk])


def test_it_says_what_it_is_and_not_the_secret(enter: Enter, mia: Person, page: str) -> None:
    answer = enter(mia).get(page)

    text = answer.content.decode()
    assert "Show secret" in text
    assert KEY_ID in text
    assert SECRET not in text
    assert "no-store" in answer.headers["Cache-Control"]
    assert SealedSecret.objects.get().state == "ready"


def test_it_is_told_once_as_json_that_nobody_keeps(enter: Enter, mia: Person, opening: str) -> None:
    answer = enter(mia).post(opening)

    assert answer.json() == {"secret": SECRET}
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert answer.headers["Content-Type"] == "application/json"
    assert Entry.objects.get().kind == "accounts.secret.opened"


def test_the_second_time_it_is_gone(enter: Enter, mia: Person, page: str, opening: str) -> None:
    client = enter(mia)
    client.post(opening)

    answer = client.post(opening)

    assert answer.status_code == 410
    assert "If it was not you" in answer.json()["words"]
    text = client.get(page).content.decode()
    assert "It was opened, and is gone" in text
    assert "Show secret" not in text


def test_after_its_time_it_says_so(enter: Enter, mia: Person, page: str, opening: str) -> None:
    SealedSecret.objects.update(
        created_at=timezone.now() - timedelta(days=2), expires_at=timezone.now() - timedelta(seconds=1)
    )
    client = enter(mia)

    answer = client.post(opening)

    assert (answer.status_code, "not opened in time" in answer.json()["words"]) == (410, True)
    assert "It was not opened" in client.get(page).content.decode()


@pytest.mark.parametrize("who", ["olive", "lena", "hugo", "ada", "oskar"])
def test_for_everybody_else_it_is_not_there(
    request: pytest.FixtureRequest, enter: Enter, page: str, opening: str, who: str
) -> None:
    client = enter(request.getfixturevalue(who))

    assert client.get(page).status_code == 404
    assert client.post(opening).status_code == 404
    assert SealedSecret.objects.get().state == "ready"
    assert not Entry.objects.exists()


def test_it_is_not_there_from_another_organization(
    enter: Enter, mia: Person, globex: Organization, page: str, opening: str
) -> None:
    factories.membership(mia, Duty.MEMBER, of=globex)
    client = enter(mia)
    client.post(reverse("switch_organization", args=["globex"]))

    assert client.get(page).status_code == 404
    assert client.post(opening).status_code == 404


def test_a_link_opens_nothing(enter: Enter, mia: Person, opening: str) -> None:
    assert enter(mia).get(opening).status_code == 405
    assert SealedSecret.objects.get().state == "ready"


def test_another_site_opens_nothing(mia: Person, opening: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(mia)

    assert client.post(opening).status_code == 403
    assert SealedSecret.objects.get().state == "ready"


def test_a_sign_in_of_long_ago_is_not_enough(enter: Enter, mia: Person, page: str, opening: str) -> None:
    mia.set_password(PASSWORD)
    mia.save()
    client = enter(mia)

    assert client.get(page).headers["Location"].startswith(reverse("account_reauthenticate"))
    refused = client.post(opening)
    assert (refused.status_code, "secret" in refused.json()) == (401, False)
    assert SealedSecret.objects.get().state == "ready"

    back = client.post(f"{reverse('account_reauthenticate')}?next={page}", {"password": PASSWORD})
    assert back.headers["Location"] == page
    assert client.post(opening).json() == {"secret": SECRET}


def test_one_that_cannot_be_read_stays_and_says_so(
    enter: Enter, mia: Person, opening: str, caplog: pytest.LogCaptureFixture
) -> None:
    SealedSecret.objects.update(purpose="Another")

    answer = enter(mia).post(opening)

    assert (answer.status_code, "Ask whoever made it" in answer.json()["words"]) == (410, True)
    assert SECRET not in caplog.text
    assert SealedSecret.objects.get().state == "ready"


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_one_opens_it(enter: Enter, mia: Person, opening: str) -> None:
    start = threading.Barrier(TIMES)

    def ask(client: Client) -> int:
        start.wait()
        try:
            return client.post(opening).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(TIMES) as crowd:
        codes = list(crowd.map(ask, [enter(mia) for _ in range(TIMES)]))

    assert (codes.count(200), codes.count(410)) == (1, TIMES - 1)
    assert Entry.objects.filter(kind="accounts.secret.opened").count() == 1


# Where it is told that something waits


def test_home_says_what_waits_for_whom(enter: Enter, mia: Person, lena: Person, page: str) -> None:
    assert page in enter(mia).get("/").content.decode()
    assert "Waiting for you" not in enter(lena).get("/").content.decode()


# Who has an MFA device waiting sees it on a page of their own: test_own_console.py.
@pytest.mark.parametrize("purpose", [Purpose.PASSWORD, Purpose.ACCESS_KEY])
def test_the_iam_users_page_says_who_has_to_open_it(
    enter: Enter, mia: Person, lena: Person, ledger_reader: IAMUser, purpose: Purpose
) -> None:
    sealed = factories.sealed_secret(ledger_reader, purpose, id=KEY_ID)
    address = reverse("iam_user", args=[ledger_reader.pk])

    told, mine = (enter(person).get(address).content.decode() for person in (lena, mia))

    assert "To be opened by Mia until" in told
    assert reverse("secret", args=[sealed.pk]) not in told
    assert "To be opened by you until" in mine
    assert reverse("secret", args=[sealed.pk]) in mine


def test_a_password_that_was_not_opened_in_time_is_told(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    factories.sealed_secret(ledger_reader, Purpose.PASSWORD)
    SealedSecret.objects.update(created_at=factories.READ_AT, expires_at=factories.READ_AT + timedelta(days=1))

    text = enter(lena).get(reverse("iam_user", args=[ledger_reader.pk])).content.decode()

    assert "was not opened in time" in text


# The dialogs


DIALOGS = {
    "create_console_access": "accounts.login_profile.created",
    "reset_console_access": "accounts.login_profile.reset",
    "remove_console_access": "accounts.login_profile.deleted",
    "create_access_key": "accounts.access_key.created",
}


@pytest.mark.usefixtures("envelope")
@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_decides(enter: Enter, lena: Person, ledger_reader: IAMUser, name: str) -> None:
    client, address = enter(lena), reverse(name, args=[ledger_reader.pk])
    if name == "create_console_access":
        ledger_reader.login_profile.delete()
    assert client.get(address).status_code == 200

    answer = client.post(address, {"reason": "Asked for"})

    assert answer.headers["Location"] == reverse("iam_user", args=[ledger_reader.pk])
    assert (Entry.objects.get().kind, Entry.objects.get().reason) == (DIALOGS[name], "Asked for")
    assert client.post(address, {"reason": "Asked for"}).status_code == 200
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("name", DIALOGS)
def test_who_may_not_is_offered_nothing(enter: Enter, mia: Person, ledger_reader: IAMUser, name: str) -> None:
    client, address = enter(mia), reverse(name, args=[ledger_reader.pk])

    assert client.get(address).status_code == 403
    assert client.post(address).status_code == 403
    assert address not in client.get(reverse("iam_user", args=[ledger_reader.pk])).content.decode()


@pytest.mark.usefixtures("envelope")
def test_without_an_owner_the_dialog_says_what_to_do(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    IAMUser.objects.update(owner=None)

    answer = enter(lena).post(reverse("create_access_key", args=[ledger_reader.pk]), {"reason": ""})

    assert "Assign an owner first" in answer.content.decode()
    assert not Entry.objects.exists()


def test_the_dialog_names_the_recipient_and_who_said_so(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    IAMUser.objects.update(owner_said_by="tags")

    text = enter(lena).get(reverse("reset_console_access", args=[ledger_reader.pk])).content.decode()

    assert "sealed for Mia (mia@acme.test, its owner by its tags)" in text


# From where it was opened, and what can be done then


@pytest.mark.parametrize(("proxies", "address"), [(0, "203.0.113.9"), (1, "198.51.100.7")])
def test_it_says_from_where_it_was_opened(
    enter: Enter, mia: Person, page: str, opening: str, settings: Settings, proxies: int, address: str
) -> None:
    """Whoever asks says what they like in X-Forwarded-For; of that counts what a trusted proxy wrote."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    client = enter(mia)

    client.post(opening, REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="10.9.9.9, 198.51.100.7")

    assert SealedSecret.objects.get().opened_from == address
    assert f"from {address}" in client.get(page).content.decode()
    assert Entry.objects.get().details["address"] == address


@pytest.mark.parametrize("status", ["Active", "Inactive"])
def test_while_its_key_works_it_can_be_stopped(
    enter: Enter, mia: Person, sealed: SealedSecret, page: str, opening: str, status: str
) -> None:
    AccessKey.objects.update(status=status)
    client, stop = enter(mia), reverse("stop_key", args=[sealed.pk])
    client.post(opening)

    assert (stop in client.get(page).content.decode()) == (status == "Active")
    answer = client.post(stop, {"reason": "Not me"})

    assert (answer.status_code, Delivery.objects.count()) == ((302, 1) if status == "Active" else (200, 0))


def test_the_owner_gets_to_the_key_of_what_was_handed_over(enter: Enter, mia: Person, sealed: SealedSecret) -> None:
    hugo = factories.member("hannah@acme.test", Duty.MEMBER, of=sealed.organization)
    handed = factories.sealed_secret(IAMUser.objects.get(), Purpose.ACCESS_KEY, id=KEY_ID, recipient=hugo)

    assert enter(mia).get(reverse("secret", args=[handed.pk])).status_code == 404
    answer = enter(mia).post(reverse("stop_key", args=[handed.pk]), {"reason": ""})

    assert answer.headers["Location"] == reverse("home")
    assert Delivery.objects.get().entry.kind == "accounts.access_key.deactivated"


@pytest.mark.parametrize("name", ["give_up_secret", "hand_over_secret", "stop_key"])
def test_what_is_decided_about_it_is_not_there_from_another_organization(
    enter: Enter, mia: Person, globex: Organization, sealed: SealedSecret, name: str
) -> None:
    factories.membership(mia, Duty.MEMBER, of=globex)
    client = enter(mia)
    client.post(reverse("switch_organization", args=["globex"]))
    address = reverse(name, args=[sealed.pk])

    assert (client.get(address).status_code, client.post(address).status_code) == (404, 404)


def test_it_is_given_up_by_the_dialog(enter: Enter, mia: Person, sealed: SealedSecret, page: str) -> None:
    client, address = enter(mia), reverse("give_up_secret", args=[sealed.pk])
    assert address in client.get(page).content.decode()

    answer = client.post(address, {"reason": "Another desk"})

    assert (answer.headers["Location"], Entry.objects.get().reason) == (page, "Another desk")
    assert "It was not opened" in client.get(page).content.decode()
    assert "does not wait any more" in client.post(address, {"reason": ""}).content.decode()


def test_an_applications_owner_hands_it_over(
    enter: Enter, mia: Person, lena: Person, oskar: Person, sealed: SealedSecret, page: str
) -> None:
    client, address = enter(mia), reverse("hand_over_secret", args=[sealed.pk])
    assert address not in client.get(page).content.decode()
    IAMUser.objects.update(kind="application")
    assert address in client.get(page).content.decode()
    assert "Lena" in client.get(address).content.decode()
    assert client.post(address, {"recipient": oskar.pk, "reason": ""}).status_code == 404

    client.post(address, {"recipient": lena.pk, "reason": "She installs it"})

    assert SealedSecret.objects.ready().get().recipient == lena
    assert "You have handed it over" in client.get(page).content.decode()
    assert client.post(reverse("open_secret", args=[sealed.pk])).status_code == 410


def test_a_sign_in_of_long_ago_hands_nothing_over(
    enter: Enter, mia: Person, lena: Person, sealed: SealedSecret
) -> None:
    IAMUser.objects.update(kind="application")
    mia.set_password(PASSWORD)
    mia.save()
    client, address = enter(mia), reverse("hand_over_secret", args=[sealed.pk])

    for answer in (client.get(address), client.post(address, {"recipient": lena.pk, "reason": ""})):
        assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert SealedSecret.objects.get().state == "ready"


class Lost(Exception):
    """The reply does not reach the browser."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("border", ["before the commit", "after the commit"])
def test_what_dies_while_opening_shows_it_at_most_once(
    enter: Enter, mia: Person, opening: str, monkeypatch: pytest.MonkeyPatch, border: str
) -> None:
    """Before, nothing happened; after, it is gone: nobody else can have it."""

    def die(*args: object, **kwargs: object) -> None:
        raise Lost

    where = "accounts.usecases.rotation_following.opened" if border == "before the commit" else JSON
    client = enter(mia)
    with monkeypatch.context() as patch, pytest.raises(Lost):
        patch.setattr(where, die)
        client.post(opening)

    answer = client.post(opening)
    assert answer.status_code == (200 if border == "before the commit" else 410)
    assert Entry.objects.filter(kind="accounts.secret.opened").count() == 1
