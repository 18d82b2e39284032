"""Signing in with more than a password, in the portal's clothes: TOTP, passkeys, recovery codes."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from accounts.models import Person
from tests.browser.conftest import PASSWORD, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

STEP_SECONDS = 30


def code_of(seed: str, *, steps_ahead: int = 0) -> str:
    """What an authenticator app shows for this seed (RFC 6238)."""
    return format_hotp_value(hotp_value(seed, int(time.time()) // STEP_SECONDS + steps_ahead))


def confirm_password(page: Page) -> None:
    """Answer the portal's question for a fresh sign-in, where it asks."""
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()


def enrol_totp(visitor: Visitor) -> str:
    """Switch the authenticator app on; answers its seed."""
    page = visitor.page
    visitor.go("/auth/2fa/totp/activate/")
    confirm_password(page)
    seed = page.locator("#authenticator_secret").input_value()
    page.get_by_label("code").fill(code_of(seed))
    page.get_by_role("button", name=re.compile("Turn on|Activate")).click()
    page.wait_for_url(re.compile("recovery-codes|2fa/$"))
    return seed


def test_a_code_of_the_authenticator_app_is_asked_for_and_its_seed_is_not_in_the_database(
    visit: Visit, mia: Person
) -> None:
    seed = enrol_totp(visit.by(mia))

    later = visit.anonymous()
    later.go("/auth/login/")
    later.page.get_by_label("E-mail").fill(mia.email)
    later.page.get_by_label("Password", exact=True).fill(PASSWORD)
    later.page.get_by_role("button", name="Sign in", exact=True).click()
    later.page.wait_for_url("**/2fa/authenticate/")
    later.page.get_by_label("code").fill(code_of(seed, steps_ahead=1))
    later.page.get_by_role("button", name=re.compile("Sign in")).first.click()

    later.page.wait_for_url(f"{later.portal.url}/")
    expect(later.page.get_by_role("heading", name="Acme")).to_be_visible()
    assert seed not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_a_passkey_signs_in_without_a_password(visit: Visit, mia: Person) -> None:
    visitor = visit.by(mia)
    page = visitor.page
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    visitor.go("/auth/2fa/webauthn/add/")
    confirm_password(page)
    page.get_by_label("Name").fill("Laptop")
    passwordless = page.get_by_label(re.compile("passwordless|Passwordless|passkey", re.IGNORECASE))
    if passwordless.count():
        passwordless.first.check()
    page.get_by_role("button", name=re.compile("Add")).click()
    page.wait_for_url(re.compile("webauthn/$|recovery-codes|2fa/$"))

    page.context.clear_cookies()
    visitor.go("/auth/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()

    page.wait_for_url(f"{visitor.portal.url}/")
    expect(page.get_by_role("heading", name="Acme")).to_be_visible()
