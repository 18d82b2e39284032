"""A key rotated from start to end in a browser, while the application that has it works at every moment."""

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Account, Person, Rotation, Team
from portal.ledger.deliver import sweep
from tests import factories
from tests.accounts.carrying import age
from tests.accounts.test_rotation_for_real import NAME, Application
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# A delivery and the poll that shows it take less.
SECONDS = 60


def decide(page: Page, words: str, *, reason: str = "") -> None:
    """Press the button of the step, and the one of its dialog."""
    page.get_by_role("link", name=words).click()
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=words).click()


def arrives(shown: Locator) -> None:
    """Wait until the page shows it; the net is beat's, which does not run here."""
    for _ in range(SECONDS):
        if shown.is_visible():
            return
        sweep()
        shown.page.wait_for_timeout(1_000)
    expect(shown).to_be_visible()


def start(page: Page) -> None:
    """Begin, with the fresh sign-in on the way."""
    page.get_by_role("link", name="My access", exact=True).first.click()
    page.get_by_role("link", name="Rotate key").first.click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Rotate key").click()


def read_secret(page: Page) -> str:
    """What is shown once, here."""
    arrives(page.get_by_role("link", name="Show secret"))
    page.get_by_role("link", name="Show secret").click()
    page.get_by_role("button", name="Show secret").click()
    shown = page.locator("[data-snippet=secret] code")
    expect(shown).not_to_be_empty()
    return shown.inner_text().strip()


def prove(page: Page, signed_request: str) -> None:
    """Come back to it, and paste what the application printed."""
    page.get_by_role("link", name="My access", exact=True).first.click()
    page.get_by_role("link", name="Show rotation").first.click()
    page.get_by_role("link", name="The new key works").click()
    page.get_by_label("What the command printed").fill(signed_request)
    page.get_by_role("button", name="The new key works").click()
    expect(page.get_by_text("By a signed request")).to_be_visible()


@pytest.fixture
def old(aws: AWS, prod: Account, payments: Team, mia: Person) -> dict[str, str]:
    """The overdue key of Mia's IAM user, with its secret."""
    iam = aws.boto3(prod.account_id)
    user = iam.create_user(UserName=NAME)["User"]
    age(aws, prod, NAME)
    key: dict[str, str] = iam.create_access_key(UserName=NAME)["AccessKey"]
    iam_user = factories.iam_user(prod, NAME, team=payments, owner=mia, user_id=user["UserId"])
    factories.access_key(iam_user, access_key_id=key["AccessKeyId"], create_date="2026-01-01T00:00:00Z")
    return key


def key_ids(aws: AWS, prod: Account) -> set[str]:
    keys = aws.boto3(prod.account_id).list_access_keys(UserName=NAME)["AccessKeyMetadata"]
    return {key["AccessKeyId"] for key in keys}


def test_the_new_key_works_and_aws_refuses_the_old_one(
    visit: Visit, aws: AWS, prod: Account, mia: Person, old: dict[str, str]
) -> None:
    application, forgotten = Application(aws.url, old), Application(aws.url, old)
    page = visit.by(mia).page

    start(page)
    secret = read_secret(page)
    [new_id] = key_ids(aws, prod) - {old["AccessKeyId"]}
    application.configure({"AccessKeyId": new_id, "SecretAccessKey": secret})
    assert (application.works(), forgotten.works()) == (True, True)
    prove(page, application.signed_request())

    decide(page, "Make old key inactive")
    arrives(page.get_by_role("link", name="Delete old key"))
    assert (application.works(), forgotten.works()) == (True, False)

    # What was forgotten is missed, and works again until it is found. The portal sees it still use the old key.
    decide(page, "Make old key active")
    arrives(page.get_by_role("link", name="Make old key inactive"))
    assert forgotten.works()
    decide(page, "Make old key inactive")
    arrives(page.get_by_text("The old key is still used"))
    assert forgotten.works()

    decide(page, "Make old key inactive", reason="The forgotten one was found")
    arrives(page.get_by_role("link", name="Delete old key"))
    decide(page, "Delete old key", reason="Nothing else has it")
    arrives(page.get_by_role("heading", name="Done"))
    assert Rotation.objects.get().state == "done"
    assert key_ids(aws, prod) == {new_id}
    assert (application.works(), forgotten.works()) == (True, False)
