"""One's own console sign-in: what the page shows, and the dialogs that change it, freshly signed in."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import IAMUser, MFADevice, MFARegistration, Person
from accounts.models.sealed import Purpose
from accounts.usecases import mfa_devices
from accounts.views.own_console import OwnConsoles
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

CODES = {"first_code": "314159", "second_code": "271828"}
PASSWORD = "correct horse battery staple"

At = Callable[..., str]


@pytest.fixture
def mias(ledger_reader: IAMUser) -> IAMUser:
    """Her IAM user, assigned to her by a person."""
    ledger_reader.owner_said_by = IAMUser.SaidBy.HAND
    ledger_reader.save()
    return ledger_reader


@pytest.fixture
def phone(mias: IAMUser) -> MFADevice:
    return mias.mfa_devices.get()


@pytest.fixture
def at(mias: IAMUser) -> At:
    """The address of one of her pages."""

    def address(name: str, *arguments: int) -> str:
        return reverse(name, args=[mias.pk, *arguments])

    return address


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


# What it shows


def test_it_shows_password_and_devices_with_where_from(enter: Enter, mia: Person, at: At, phone: MFADevice) -> None:
    mia_password = phone.iam_user.login_profile
    mia_password.password_last_changed = timezone.now() - timedelta(days=40)
    mia_password.save()

    text = text_of(enter(mia), at("own_console"))

    assert "Changed" in text
    assert "last used" in text or "never seen in use" in text
    assert phone.serial_number in text
    assert "Authenticator app" in text
    for words in ("Reset password", "Register MFA device", "Resync", "Remove"):
        assert words in text
    assert "every 2s" not in text


def test_without_password_and_devices_it_says_so(enter: Enter, mia: Person, at: At, phone: MFADevice) -> None:
    phone.iam_user.login_profile.delete()
    phone.delete()

    text = text_of(enter(mia), at("own_console"))

    assert "nobody signs in to the console with it" in text
    assert "Reset password" not in text
    assert "Register MFA device" in text


@pytest.mark.parametrize(
    ("state", "words", "offered"),
    [
        ("started", "Device on its way.", None),
        ("made", "Scan its QR code", "Show QR code"),
        ("shown", "AWS waits for two codes of your new device", "Enter codes"),
        ("checking", "Codes on their way.", None),
    ],
)
def test_it_shows_what_comes_next_of_a_new_device(
    enter: Enter, mia: Person, mias: IAMUser, at: At, state: str, words: str, offered: str | None
) -> None:
    registration = factories.mfa_registration(mias, state=state)
    factories.sealed_secret(mias, Purpose.MFA_DEVICE, id=str(registration.pk))

    text = text_of(enter(mia), at("own_console"))

    assert words in text
    assert ("Give up" in text) == (offered is not None)
    assert offered is None or offered in text
    assert "Register MFA device" not in text


def test_what_aws_said_to_the_codes_is_shown(
    enter: Enter, mia: Person, mias: IAMUser, at: At, phone: MFADevice
) -> None:
    factories.mfa_registration(
        mias, purpose="resync", state="lapsed", ended_at=timezone.now(), serial_number=phone.serial_number,
        words="The codes did not fit.",
    )  # fmt: skip
    factories.mfa_registration(mias, words="They came too late.")

    text = text_of(enter(mia), at("own_console"))

    assert "Resync: The codes did not fit." in text
    assert "They came too late." in text


def test_it_asks_again_while_something_is_on_its_way(enter: Enter, mia: Person, mias: IAMUser, at: At) -> None:
    mfa_devices.start_registration(by=mia, iam_user=mias, at=timezone.now())
    client = enter(mia)

    text = text_of(client, at("own_console"))
    assert "every 2s" in text
    assert "On its way to AWS" in text
    Delivery.objects.update(state="stuck", stuck_kind="denied", error="AWS denied CreateVirtualMFADevice: no.")

    text = text_of(client, at("own_console_facts"))
    assert "every 2s" not in text
    assert "AWS denied CreateVirtualMFADevice: no." in text


def test_many_take_no_more_queries_than_one(mia: Person, mias: IAMUser) -> None:
    others = [factories.iam_user(mias.account, f"mia-{number}", owner=mia, team=mias.team) for number in range(5)]
    for one in others:
        factories.mfa_device(one)
        factories.login_profile(one)

    def queries(count: int) -> int:
        rows = list(IAMUser.objects.filter(owner=mia).with_facts().order_by("pk")[:count])
        with CaptureQueriesContext(connection) as captured:
            consoles = OwnConsoles(by=mia, organization=mias.organization, iam_users=rows, at=timezone.now())
            for row in rows:
                consoles.of(row)
        return len(captured)

    assert queries(1) == queries(6)


# What it changes


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("reset_own_password", "accounts.login_profile.reset"),
        ("register_mfa_device", "accounts.mfa_device.registration_started"),
    ],
)
def test_it_is_decided_and_leads_back(enter: Enter, mia: Person, at: At, name: str, kind: str) -> None:
    client = enter(mia)
    assert client.get(at(name)).status_code == 200

    answer = client.post(at(name), {"reason": "New phone"})

    assert answer.headers["Location"] == at("own_console")
    assert (Entry.objects.get().kind, Entry.objects.get().reason) == (kind, "New phone")


def test_codes_are_given_and_shown_nowhere(enter: Enter, mia: Person, mias: IAMUser, at: At) -> None:
    factories.mfa_registration(mias)
    client = enter(mia)
    assert "The six digits that your device shows now" in text_of(client, at("enable_mfa_device"))

    answer = client.post(at("enable_mfa_device"), CODES)

    assert answer.headers["Location"] == at("own_console")
    assert MFARegistration.objects.get().decrypted() == ("314159", "271828")
    assert "314159" not in text_of(client, at("own_console"))


def test_codes_that_are_refused_do_not_come_back(enter: Enter, mia: Person, mias: IAMUser, at: At) -> None:
    factories.mfa_registration(mias)

    answer = enter(mia).post(at("enable_mfa_device"), {"first_code": "314159", "second_code": "27182x"})

    assert "A code has six digits" in answer.content.decode()
    assert "314159" not in answer.content.decode()
    assert not Entry.objects.exists()


def test_without_a_new_device_there_are_no_codes_to_enter(enter: Enter, mia: Person, at: At) -> None:
    for name in ("enable_mfa_device", "give_up_mfa_device"):
        assert enter(mia).get(at(name)).status_code == 404


def test_it_is_given_up(enter: Enter, mia: Person, mias: IAMUser, at: At) -> None:
    factories.mfa_registration(mias)

    enter(mia).post(at("give_up_mfa_device"), {"reason": ""})

    assert MFARegistration.objects.get().state == "given_up"


def test_a_device_is_resynchronized(enter: Enter, mia: Person, at: At, phone: MFADevice) -> None:
    answer = enter(mia).post(at("resync_mfa_device", phone.pk), CODES)

    assert answer.headers["Location"] == at("own_console")
    assert Entry.objects.get().kind == "accounts.mfa_device.resynced"


def test_the_dialog_tells_what_removing_the_last_one_means(
    enter: Enter, mia: Person, mias: IAMUser, at: At, phone: MFADevice
) -> None:
    client = enter(mia)
    assert "the password alone is enough to sign in" in text_of(client, at("remove_mfa_device", phone.pk))
    factories.mfa_device(mias, serial_number="GAHT12345678")
    assert "Its other MFA devices stay" in text_of(client, at("remove_mfa_device", phone.pk))

    assert "required" in client.post(at("remove_mfa_device", phone.pk), {"reason": ""}).content.decode()
    assert not Entry.objects.exists()
    client.post(at("remove_mfa_device", phone.pk), {"reason": "Lost phone"})
    assert Entry.objects.get().kind == "accounts.mfa_device.removed"


def test_a_lead_who_removes_one_is_led_back_to_the_iam_user(
    enter: Enter, envelope: None, lena: Person, at: At, phone: MFADevice
) -> None:
    answer = enter(lena).post(at("remove_mfa_device", phone.pk), {"reason": "Lost phone"})

    assert answer.headers["Location"] == at("iam_user")


def test_anothers_device_is_not_there(enter: Enter, mia: Person, mias: IAMUser, at: At) -> None:
    other = factories.mfa_device(factories.iam_user(mias.account, "other", team=mias.team))

    for name in ("resync_mfa_device", "remove_mfa_device"):
        assert enter(mia).get(at(name, other.pk)).status_code == 404


# A fresh sign-in


@pytest.mark.parametrize("name", ["reset_own_password", "register_mfa_device", "remove_mfa_device"])
def test_a_sign_in_of_long_ago_is_not_enough(enter: Enter, mia: Person, at: At, phone: MFADevice, name: str) -> None:
    mia.set_password(PASSWORD)
    mia.save()
    address = at(name, phone.pk) if name == "remove_mfa_device" else at(name)
    client = enter(mia)

    answer = client.post(address, {"reason": "x"})

    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert client.get(address, headers={"HX-Request": "true"}).headers["HX-Redirect"] == address
    assert not Entry.objects.exists()


@pytest.mark.parametrize("name", ["enable_mfa_device", "resync_mfa_device"])
def test_codes_are_not_kept_until_after_the_sign_in(
    enter: Enter, mia: Person, mias: IAMUser, at: At, phone: MFADevice, name: str
) -> None:
    mia.set_password(PASSWORD)
    mia.save()
    if name == "enable_mfa_device":
        factories.mfa_registration(mias)
    address = at(name) if name == "enable_mfa_device" else at(name, phone.pk)
    client = enter(mia)
    assert client.get(address).headers["Location"].startswith(reverse("account_reauthenticate"))

    answer = client.post(address, CODES)

    assert answer.headers["Location"] == address
    kept = [session.get_decoded() for session in Session.objects.all()]
    assert not any(code in str(kept) for code in CODES.values())
    assert not Entry.objects.exists()
    client.post(f"{reverse('account_reauthenticate')}?next={address}", {"password": PASSWORD})
    client.post(address, CODES)
    assert Entry.objects.count() == 1


# The QR code


def test_the_seed_is_shown_with_a_qr_code_and_then_codes_are_awaited(
    enter: Enter, mia: Person, mias: IAMUser, at: At
) -> None:
    registration = factories.mfa_registration(mias, state="made")
    sealed = factories.sealed_secret(mias, Purpose.MFA_DEVICE, id=str(registration.pk))
    client = enter(mia)
    text = text_of(client, reverse("secret", args=[sealed.pk]))
    assert "Have the app ready" in text
    assert at("enable_mfa_device") in text

    told = client.post(reverse("open_secret", args=[sealed.pk])).json()

    assert told["secret"] == factories.SECRET
    assert told["picture"].startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    for refused in ("style", "<script", "href"):
        assert refused not in told["picture"]
    registration.refresh_from_db()
    assert registration.state == "shown"
    assert "give this MFA device up" in text_of(client, reverse("secret", args=[sealed.pk]))


def test_other_secrets_have_no_picture(enter: Enter, mia: Person, mias: IAMUser) -> None:
    sealed = factories.sealed_secret(mias, Purpose.PASSWORD)

    assert set(enter(mia).post(reverse("open_secret", args=[sealed.pk])).json()) == {"secret"}


# From the IAM user's page


def test_its_owner_finds_the_page_and_a_lead_the_device_to_remove(
    enter: Enter, lena: Person, mia: Person, at: At, phone: MFADevice
) -> None:
    own, leads = text_of(enter(mia), at("iam_user")), text_of(enter(lena), at("iam_user"))

    assert at("own_console") in own
    assert at("remove_mfa_device", phone.pk) not in own
    assert at("own_console") not in leads
    assert at("remove_mfa_device", phone.pk) in leads


def test_who_only_looks_is_offered_neither(enter: Enter, ada: Person, at: At, phone: MFADevice) -> None:
    text = text_of(enter(ada), at("iam_user"))

    assert at("own_console") not in text
    assert at("remove_mfa_device", phone.pk) not in text


@pytest.mark.parametrize(
    ("serial_number", "sort"),
    [
        ("GAHT12345678", "Hardware device"),
        ("arn:aws:iam::111122223333:u2f/user/mia/key", "Passkey or security key"),
        ("arn:aws:iam::111122223333:mfa/mia", "Authenticator app"),
    ],
)
def test_each_sort_of_device_has_its_name(
    enter: Enter, mia: Person, at: At, phone: MFADevice, serial_number: str, sort: str
) -> None:
    MFADevice.objects.update(serial_number=serial_number)

    text = text_of(enter(mia), at("own_console"))

    assert sort in text
    assert (at("resync_mfa_device", phone.pk) in text) == ("u2f" not in serial_number)
