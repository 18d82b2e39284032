"""A key for oneself, sealed to the browser in which it was asked for; how it is shown, and how it is stopped."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, Duty, IAMUser, Person, Team
from accounts.models.sealed import Purpose
from portal.secrets import seal
from portal.secrets.models import SealedSecret
from tests import factories
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit, Visitor
from tests.browser.test_secrets import browser, show
from tests.factories import SECRET

__all__ = ["browser"]

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def nora(prod: Account) -> Person:
    """An admin, who has an IAM user of her own."""
    return factories.member("nora@acme.test", Duty.ADMIN, of=prod.organization)


@pytest.fixture
def noras(aws: AWS, prod: Account, payments: Team, nora: Person) -> IAMUser:
    user = aws.boto3(prod.account_id).create_user(UserName="nora")["User"]
    return factories.iam_user(
        prod, "nora", team=payments, owner=nora, user_id=user["UserId"], create_date=user["CreateDate"]
    )


@pytest.fixture
def sealed(acme_prod: Account, payments: Team, mia: Person) -> SealedSecret:
    """The secret of a key of Mia's, sealed by the portal alone."""
    iam_user = factories.iam_user(acme_prod, "mia", team=payments, owner=mia)
    key = factories.access_key(iam_user, access_key_id="AKIAMIASNEWKEY000001")
    return factories.sealed_secret(iam_user, Purpose.ACCESS_KEY, id=key.access_key_id)


def ask_for_a_key(visitor: Visitor, iam_user: IAMUser) -> SealedSecret:
    """By the dialog on the IAM user's page, until its secret waits."""
    visitor.go(f"/team/iam-users/{iam_user.pk}/")
    page = visitor.page
    page.get_by_role("link", name="Create access key").click()
    page.get_by_role("dialog").get_by_role("button", name="Create access key").click()
    expect(page.get_by_text("To be opened by you until")).to_be_visible(timeout=30_000)
    return SealedSecret.objects.get()


def another_browser(visit: Visit, person: Person) -> Visitor:
    """One more of somebody who is signed in: their password stays as it is, or the first would be signed out."""
    visitor = visit.anonymous()
    visitor.sign_in(person)
    return visitor


def texts(page: Page) -> dict[str, str]:
    """What the page shows, by the kind of snippet."""
    found = page.locator(".secret-shown [data-snippet]")
    return {str(one.get_attribute("data-snippet")): str(one.locator("code").text_content()) for one in found.all()}


def test_the_browser_in_which_it_was_asked_for_alone_reads_it(
    visit: Visit, aws: AWS, nora: Person, noras: IAMUser
) -> None:
    here, there = visit.by(nora), another_browser(visit, nora)
    waits = ask_for_a_key(here, noras)
    [held] = aws.backend(noras.account.account_id).users["nora"].access_keys
    assert len(waits.browser_key) == 87
    assert held.secret_access_key not in seal._unseal(waits).reveal()

    there.go(f"/secrets/{waits.pk}/")
    confirm(there.page)
    expect(there.page.get_by_text("sealed to the browser in which you asked. Open it there")).to_be_visible()
    expect(there.page.get_by_role("button", name="Show secret")).to_have_count(0)
    assert SealedSecret.objects.get().state == "ready"

    page = show(here)
    assert texts(page)["secret"] == held.secret_access_key
    assert here.page.evaluate("indexedDB.databases().then((found) => found.length)") == 1
    waits.refresh_from_db()
    assert waits.opened_from == "127.0.0.1"


def test_no_script_gets_at_the_key(visit: Visit, nora: Person, noras: IAMUser) -> None:
    here = visit.by(nora)
    ask_for_a_key(here, noras)

    kept = here.page.evaluate(
        """async () => {
          const done = (asked) => new Promise((resolve) => (asked.onsuccess = () => resolve(asked.result)));
          const database = await done(indexedDB.open("gatehouse"));
          const kept = database.transaction("browser-keys").objectStore("browser-keys").getAll();
          const [{ privateKey }] = await done(kept);
          const taken = await crypto.subtle.exportKey("pkcs8", privateKey).then(() => "taken", (error) => error.name);
          return [privateKey.extractable, taken];
        }"""
    )

    assert kept == [False, "InvalidAccessError"]


def test_from_another_browser_it_is_given_up(visit: Visit, aws: AWS, nora: Person, noras: IAMUser) -> None:
    here, there = visit.by(nora), another_browser(visit, nora)
    waits = ask_for_a_key(here, noras)
    there.go(f"/secrets/{waits.pk}/")
    confirm(there.page)
    there.page.get_by_role("link", name="Give up").click()
    there.page.get_by_role("button", name="Give up secret").click()

    expect(there.page.get_by_text("It was not opened").first).to_be_visible()
    wait_for(there.page, lambda: not aws.backend(noras.account.account_id).users["nora"].access_keys)


def test_it_is_shown_as_it_is_needed(visit: Visit, mia: Person, sealed: SealedSecret, tmp_path: Path) -> None:
    page = show(visit.by(mia))

    assert texts(page) == {
        "secret": SECRET,
        "environment": f"export AWS_ACCESS_KEY_ID=AKIAMIASNEWKEY000001\nexport AWS_SECRET_ACCESS_KEY={SECRET}\n",
        "credentials": f"[mia]\naws_access_key_id = AKIAMIASNEWKEY000001\naws_secret_access_key = {SECRET}\n",
        "configure": f"AKIAMIASNEWKEY000001\n{SECRET}\n\n\n",
        "json": json.dumps({"Version": 1, "AccessKeyId": "AKIAMIASNEWKEY000001", "SecretAccessKey": SECRET}, indent=2)
        + "\n",
    }
    page.get_by_text("Credentials file", exact=True).focus()
    page.keyboard.press("Enter")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download credentials file").click()
    download.value.save_as(tmp_path / "credentials")
    assert (tmp_path / "credentials").read_text() == texts(page)["credentials"]
    assert [url for url in asked if not url.startswith("blob:")] == []


def test_each_is_copied(visit: Visit, mia: Person, sealed: SealedSecret) -> None:
    visitor = visit.by(mia)
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = show(visitor)
    page.get_by_text("Environment", exact=True).click()

    page.locator("[data-snippet=environment]").get_by_role("button", name="Copy").click()

    assert page.evaluate("navigator.clipboard.readText()") == texts(page)["environment"]


def test_the_key_of_a_secret_that_somebody_else_opened_is_stopped(
    visit: Visit, mia: Person, sealed: SealedSecret
) -> None:
    visitor = visit.by(mia)
    seal.open_once(secret_id=sealed.pk, by=mia, at=sealed.created_at, address="203.0.113.9")
    visitor.go(f"/secrets/{sealed.pk}/")
    confirm(visitor.page)
    expect(visitor.page.get_by_text("from 203.0.113.9")).to_be_visible()

    visitor.page.get_by_role("link", name="Make key inactive").click()
    visitor.page.get_by_role("dialog").get_by_role("button", name="Make key inactive").click()

    wait_for(visitor.page, lambda: SealedSecret.objects.get().state == "opened")
    expect(visitor.page.get_by_text("It was opened, and is gone")).to_be_visible()


def confirm(page: Page) -> None:
    """Sign in again."""
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    """Come back when it is so."""
    for _ in range(100):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not become so.")
