"""From a lead's form to the eyes of the recipient, in a browser that keeps pages for its back button (A09)."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import Account, IAMUser, Person, Team
from accounts.models.sealed import Purpose
from portal.secrets.models import SealedSecret
from tests import factories
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, QUIET, Visit, Visitor
from tests.browser.screenshots import CHROMIUM
from tests.factories import SECRET

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

KEEPING_PAGES = "--disable-back-forward-cache"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium as people have it: Playwright's own would forget each page that is left."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, *sandbox], ignore_default_args=[KEEPING_PAGES]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def sealed(acme_prod: Account, payments: Team, mia: Person) -> SealedSecret:
    """The secret of a key of Mia's."""
    iam_user = factories.iam_user(acme_prod, "mia", team=payments, owner=mia)
    key = factories.access_key(iam_user)
    return factories.sealed_secret(iam_user, Purpose.ACCESS_KEY, id=key.access_key_id)


def show(visitor: Visitor) -> Page:
    """From home to the secret, by way of the sign-in that it takes."""
    page = visitor.page
    visitor.go("/")
    page.get_by_role("link", name="Show secret").first.click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Show secret").click()
    expect(page.locator(".secret-shown")).to_be_visible()
    return page


def test_it_is_shown_once_and_does_not_come_back_by_the_back_button(
    visit: Visit, mia: Person, sealed: SealedSecret
) -> None:
    visitor = visit.by(mia)
    page = show(visitor)
    expect(page.locator("[data-snippet=secret] code")).to_have_text(SECRET)
    assert SECRET not in page.url

    visitor.go("/team/")
    page.go_back()

    expect(page.get_by_role("heading", name="Access key")).to_be_visible()
    assert SECRET not in page.content()
    page.reload()
    expect(page.get_by_text("It was opened, and is gone")).to_be_visible()


def test_it_disappears_after_a_minute(visit: Visit, mia: Person, sealed: SealedSecret) -> None:
    visitor = visit.by(mia)
    visitor.page.clock.install()
    page = show(visitor)

    page.clock.fast_forward(58_000)
    expect(page.locator("[data-snippet=secret] code")).to_have_text(SECRET)
    page.clock.fast_forward(3_000)

    expect(page.get_by_text("It was shown, and is gone")).to_be_visible()
    assert SECRET not in page.content()


@pytest.mark.parametrize(
    "leaving",
    [
        "Object.defineProperty(document, 'hidden', {value: true});"
        "document.dispatchEvent(new Event('visibilitychange'))",
        "dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))",
    ],
    ids=["the tab is hidden", "the page is put away"],
)
def test_it_disappears_when_nobody_looks(visit: Visit, mia: Person, sealed: SealedSecret, leaving: str) -> None:
    page = show(visit.by(mia))

    page.evaluate(leaving)

    assert SECRET not in page.content()
    expect(page.get_by_text("It was shown, and is gone")).to_be_visible()


def test_a_page_that_was_open_too_long_says_that_it_is_gone(visit: Visit, mia: Person, sealed: SealedSecret) -> None:
    first = visit.by(mia)
    second = first.page.context.new_page()
    show(first)
    second.goto(f"{first.portal.url}/secrets/{sealed.pk}/")
    expect(second.get_by_text("It was opened, and is gone")).to_be_visible()


def test_from_the_leads_form_to_the_owners_eyes(
    visit: Visit, aws: AWS, prod: Account, lena: Person, mia: Person
) -> None:
    lead, owner = visit.by(lena), visit.by(mia)
    lead.go("/team/iam-users/new/")
    lead.page.get_by_label("User name").fill("mia")
    lead.page.get_by_label("Owner").select_option(label="Mia")
    lead.page.get_by_label("Console access").check()
    lead.page.get_by_label("Access key").check()
    lead.page.get_by_role("button", name="Create IAM user").click()
    expect(lead.page.get_by_text("To be opened by Mia until")).to_have_count(2, timeout=30_000)
    held = aws.backend(prod.account_id).users["mia"]
    secrets = {str(held.password), held.access_keys[0].secret_access_key}
    assert not any(secret in lead.page.content() for secret in secrets)

    page = show(owner)
    first = page.locator("[data-snippet=secret] code").inner_text()
    owner.go("/")
    page.get_by_role("link", name="Show secret").click()
    page.get_by_role("button", name="Show secret").click()
    expect(page.locator(".secret-shown")).to_be_visible()

    assert {first, page.locator("[data-snippet=secret] code").inner_text()} == secrets
    owner.go("/")
    expect(page.get_by_text("Waiting for you")).to_have_count(0)
    assert IAMUser.objects.get().login_profile.password_reset_required is True
