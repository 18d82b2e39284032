"""The back/forward cache of a real Chromium, switched on, and what it has of a secret that was shown (A09).

Chromium keeps pages that are marked no-store too. It lets go of one whose script got a no-store answer, as that of a
secret is, or whose cookies changed meanwhile; so that the wiping is seen by itself, the answers lose their mark here.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import Account, Person, Team
from accounts.models.sealed import Purpose
from portal.secrets.models import SealedSecret
from tests import factories
from tests.browser.conftest import PASSWORD, Visit, Visitor
from tests.browser.test_secrets import browser, show
from tests.factories import SECRET

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

WIPED_BY = (
    'addEventListener("pagehide", wipe);',
    'addEventListener("pageshow", (event) => event.persisted && wipe());',
    'document.addEventListener("visibilitychange", () => document.hidden && wipe());',
)


@pytest.fixture
def sealed(acme_prod: Account, payments: Team, mia: Person) -> SealedSecret:
    """The secret of a key of Mia's."""
    key = factories.access_key(factories.iam_user(acme_prod, "mia", team=payments, owner=mia))
    return factories.sealed_secret(key.iam_user, Purpose.ACCESS_KEY, id=key.access_key_id)


def without_its_mark(route: Route) -> None:
    """The portal's answer, as if it might be kept; a redirect stays one."""
    answer = route.fetch(max_redirects=0)
    headers = {name: value for name, value in answer.headers.items() if name != "cache-control"}
    route.fulfill(response=answer, headers=headers)


def without(*lines: str) -> Callable[[Route], None]:
    """The page's script without what wipes."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        script = answer.text()
        for line in lines:
            assert line in script
            script = script.replace(line, "")
        route.fulfill(response=answer, body=script)

    return handle


def shown_where_pages_are_kept(visitor: Visitor, sealed: SealedSecret) -> None:
    """Its page, asked for by itself: what a redirect leads to is not changed on its way."""
    visitor.go(f"/secrets/{sealed.pk}/")
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_role("button", name="Confirm").click()
    expect(visitor.page.get_by_role("button", name="Show secret")).to_be_visible()
    visitor.page.route("**/secrets/**", without_its_mark)
    visitor.go(f"/secrets/{sealed.pk}/")
    visitor.page.get_by_role("button", name="Show secret").click()
    expect(visitor.page.locator(".secret-shown")).to_be_visible()


def leave_and_come_back(visitor: Visitor) -> bool:
    """To another page and back by the button; whether the page came back as it was left."""
    page = visitor.page
    page.evaluate("window.wasHere = true")
    visitor.go("/team/")
    # A page that is kept has no load once more.
    page.go_back(wait_until="commit")
    expect(page.get_by_role("heading", name="Access key", exact=True)).to_be_visible()
    return bool(page.evaluate("window.wasHere === true"))


def everything_in(page: Page) -> str:
    """The document, what its fields hold, and what the browser keeps beside it."""
    kept = page.evaluate(
        "[...document.querySelectorAll('input, textarea')].map((field) => field.value).join()"
        "+ JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie, location.href])"
    )
    return page.content() + str(kept)


def test_a_page_that_comes_back_as_it_was_left_has_no_secret(visit: Visit, mia: Person, sealed: SealedSecret) -> None:
    visitor = visit.by(mia)
    shown_where_pages_are_kept(visitor, sealed)
    assert SECRET in everything_in(visitor.page)

    assert leave_and_come_back(visitor), "Chromium did not keep the page, so this shows nothing."

    assert SECRET not in everything_in(visitor.page)
    expect(visitor.page.get_by_text("It was shown, and is gone")).to_be_visible()


@pytest.mark.parametrize("kept", WIPED_BY[:2], ids=["when it is left", "when it comes back"])
def test_each_of_two_ways_wipes_it(visit: Visit, mia: Person, sealed: SealedSecret, kept: str) -> None:
    visitor = visit.by(mia)
    visitor.page.route("**/secret*.js", without(*(line for line in WIPED_BY if line != kept)))
    shown_where_pages_are_kept(visitor, sealed)

    assert leave_and_come_back(visitor)

    assert SECRET not in everything_in(visitor.page)


def test_without_the_wiping_it_would_come_back(visit: Visit, mia: Person, sealed: SealedSecret) -> None:
    visitor = visit.by(mia)
    visitor.page.route("**/secret*.js", without(*WIPED_BY))
    shown_where_pages_are_kept(visitor, sealed)

    assert leave_and_come_back(visitor)

    assert SECRET in everything_in(visitor.page)


def test_as_the_portal_answers_chromium_does_not_keep_the_page_at_all(
    visit: Visit, mia: Person, sealed: SealedSecret
) -> None:
    """Even without the wiping nothing is there."""
    visitor = visit.by(mia)
    visitor.page.route("**/secret*.js", without(*WIPED_BY))
    show(visitor)

    assert not leave_and_come_back(visitor)

    assert SECRET not in everything_in(visitor.page)
    expect(visitor.page.get_by_text("It was opened, and is gone")).to_be_visible()
