"""Somebody whose key is overdue: from home to the new key's secret, with the fresh sign-in on the way."""

import pytest
from playwright.sync_api import expect

from accounts.models import Account, Person, Rotation, Team
from tests import factories
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

NAME = "mia"


def test_mia_begins_to_rotate_a_key_and_gives_it_up(
    visit: Visit, aws: AWS, prod: Account, payments: Team, mia: Person
) -> None:
    iam = aws.boto3(prod.account_id)
    user = iam.create_user(UserName=NAME)["User"]
    held = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    iam_user = factories.iam_user(prod, NAME, team=payments, owner=mia, user_id=user["UserId"])
    factories.access_key(iam_user, access_key_id=held, create_date="2026-01-01T00:00:00Z")
    page = visit.by(mia).page

    page.get_by_role("link", name="My access", exact=True).first.click()
    expect(page.get_by_text("Overdue by").first).to_be_visible()
    page.get_by_role("link", name="Rotate key").first.click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Rotate key").click()

    # Nobody reloads: the page follows what arrives in AWS.
    expect(page.get_by_role("heading", name="Open the new key's secret")).to_be_visible(timeout=30_000)
    assert len(iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]) == 2

    # Left, and come back to.
    page.get_by_role("link", name="My access", exact=True).first.click()
    expect(page.get_by_role("link", name="Show secret").first).to_be_visible()
    page.get_by_role("link", name="Show rotation").first.click()

    # Signed in a moment ago: the dialog opens over the page.
    page.get_by_role("link", name="Give up rotation").click()
    page.get_by_role("dialog").get_by_role("button", name="Give up rotation").click()
    expect(page.get_by_text("can be rotated again")).to_be_visible(timeout=30_000)
    [key] = iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]
    assert (key["AccessKeyId"], key["Status"]) == (held, "Active")
    assert Rotation.objects.get().state == "given_up"
