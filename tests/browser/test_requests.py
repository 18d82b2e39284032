"""A group outside the envelope, from the question to AWS, with every part real."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from accounts.models import Account, IAMGroup, Person, Team
from tests import factories
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_lena_asks_for_a_group_and_olive_approves(
    visit: Visit, aws: AWS, prod: Account, payments: Team, lena: Person, olive: Person, administrators: IAMGroup
) -> None:
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName="ledger-writer")
    told = iam.get_user(UserName="ledger-writer")["User"]
    made_at = told["CreateDate"] - timedelta(hours=1)
    iam_user = factories.iam_user(prod, "ledger-writer", team=payments, user_id=told["UserId"], create_date=made_at)

    lead = visit.by(lena)
    lead.go(f"/team/iam-users/{iam_user.pk}/")
    lead.page.get_by_role("link", name="Add to group").click()
    lead.page.get_by_role("link", name="Request another group").click()
    dialog = lead.page.get_by_role("dialog")
    dialog.get_by_label("Group").select_option("administrators")
    dialog.get_by_label("Reason").fill("On call")
    dialog.get_by_role("button", name="Request", exact=True).click()
    expect(lead.page.get_by_text("Waiting for a decision")).to_be_visible()

    owner = visit.by(olive)
    owner.go("/requests/")
    owner.page.get_by_role("link", name="Add ledger-writer to administrators").click()
    owner.page.get_by_role("link", name="Approve").click()
    owner.page.get_by_label("Password", exact=True).fill(PASSWORD)
    owner.page.get_by_role("button", name="Confirm").click()
    owner.page.get_by_role("button", name="Approve").click()
    expect(owner.page.get_by_text("Approved", exact=True)).to_be_visible()

    lead.go(f"/team/iam-users/{iam_user.pk}/")
    expect(lead.page.get_by_text("Delivered").first).to_be_visible(timeout=20_000)
    groups = iam.list_groups_for_user(UserName="ledger-writer")["Groups"]
    assert [held["GroupName"] for held in groups] == ["administrators"]
