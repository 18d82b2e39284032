"""A real Chromium before the portal's real processes: web server, worker, broker, and AWS's stand-in over HTTP."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from accounts.models import Person
from tests import services
from tests.aws.server import AWS
from tests.browser.screenshots import CHROMIUM

PASSWORD = "correct horse battery staple"
# The portal's processes know Argon2 alone, the tests' own settings a hash that costs nothing.
HASH = Argon2PasswordHasher().encode(PASSWORD, "salt-of-the-tests")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


# Not for the whole session: Playwright's event loop runs in this thread as long as it lives, and a later test's
# asyncio.run() would find it running.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a module."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    # Playwright's own event loop runs in this thread, and Django would take it for a server's.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *sandbox])
        yield chromium
        chromium.close()


@dataclass(frozen=True)
class Portal:
    """The portal's own processes, and what they were started with."""

    url: str
    env: dict[str, str]
    folder: Path


@pytest.fixture
def portal(transactional_db: None, aws: AWS, tmp_path: Path) -> Iterator[Portal]:
    """Web server and worker on the test's database, broker and AWS."""
    port = services.free_port()
    env = services.environment(
        connection,
        CELERY_BROKER_URL=settings.CELERY_BROKER_URL,
        CACHE_URL=settings.CACHES["default"]["LOCATION"],
        PORTAL_URL=f"http://localhost:{port}",
        EMAIL_URL=f"filemail:///{tmp_path / 'mail'}",
        **aws.environment,
    )
    web = services.start_web(env, port, tmp_path / "web.log")
    worker = services.start_worker(env, tmp_path / "worker.log")
    with services.running(web), services.running(worker):
        yield Portal(f"http://localhost:{port}", env, tmp_path)


@dataclass
class Visitor:
    """Somebody before the portal, and what their browser complained about."""

    page: Page
    portal: Portal
    complaints: list[str]

    def sign_in(self, person: Person) -> None:
        """By e-mail and password, as the form asks."""
        self.go("/auth/login/")
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url(f"{self.portal.url}/")

    def go(self, address: str) -> None:
        """Open an address of the portal."""
        self.page.goto(self.portal.url + address)


@pytest.fixture
def visit(browser: Browser, portal: Portal) -> Iterator["Visit"]:
    """Opens browsers that share nothing; at the end none of them may have complained."""
    opened = Visit(browser, portal)
    yield opened
    opened.close()


class Visit:
    """Makes visitors."""

    def __init__(self, browser: Browser, portal: Portal) -> None:
        self._browser, self._portal = browser, portal
        self._contexts: list[BrowserContext] = []
        self._complaints: list[str] = []

    def by(self, person: Person, *, has_scripts: bool = True) -> Visitor:
        """The person's own browser, signed in."""
        can_sign_in(person)
        visitor = self.anonymous(has_scripts=has_scripts)
        visitor.sign_in(person)
        return visitor

    def anonymous(self, *, has_scripts: bool = True) -> Visitor:
        """A browser that nobody has signed in with."""
        context = self._browser.new_context(java_script_enabled=has_scripts)
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", lambda said: self._complaints.append(said.text) if said.type == "error" else None)
        return Visitor(page, self._portal, self._complaints)

    def close(self) -> None:
        """Close all, and fail where a script failed or the Content-Security-Policy refused something."""
        for context in self._contexts:
            context.close()
        told = ("status of 403", "status of 404", "status of 410")
        unexpected = [text for text in self._complaints if not any(status in text for status in told)]
        assert unexpected == []


def can_sign_in(person: Person) -> None:
    """Give the person the tests' password and a verified e-mail."""
    person.password = HASH
    person.save(update_fields=["password"])
    EmailAddress.objects.get_or_create(user=person, email=person.email, defaults={"verified": True, "primary": True})
