"""One decision from the button to AWS and back to the page, with every part real."""

from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import Account, IAMGroup, IAMUser, Person
from portal.ledger.models import Delivery, Entry
from tests.aws.server import AWS
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def in_aws(aws: AWS, acme_prod: Account, ledger_writers: IAMGroup, envelope: None) -> Account:
    """Acme's account in AWS, with the group that Payments may hand out."""
    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)
    aws.boto3(acme_prod.account_id).create_group(GroupName="ledger-writers")
    return acme_prod


def held_with(aws: AWS, account: Account, *, tag: dict[str, str], group: str) -> dict[str, Any]:
    """The IAM user as boto3 finds it from outside the portal, with its tag and group."""
    outside = aws.boto3(account.account_id)
    user: dict[str, Any] = outside.get_user(UserName="ledger-writer")["User"]
    groups = outside.list_groups_for_user(UserName="ledger-writer")["Groups"]
    assert tag in user["Tags"]
    assert [held["GroupName"] for held in groups] == [group]
    return user


def test_lena_creates_an_iam_user_and_watches_it_arrive(
    visit: Visit, aws: AWS, in_aws: Account, lena: Person, olive: Person, oskar: Person
) -> None:
    visitor = visit.by(lena)
    page = visitor.page
    page.get_by_role("link", name="Team", exact=True).first.click()
    page.get_by_role("link", name="Create IAM user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill("ledger-writer")
    dialog.get_by_label("ledger-writers").check()
    dialog.get_by_label("Tags").fill("cost-center = 4711")
    gate = aws.faults.hang("CreateUser")
    dialog.get_by_role("button", name="Create IAM user").click()

    expect(page.get_by_role("heading", name="ledger-writer")).to_be_visible()
    expect(page.get_by_text("Pending").first).to_be_visible()
    gate.release()
    expect(page.get_by_text("Delivered").first).to_be_visible(timeout=20_000)
    expect(page.get_by_text("In AWS", exact=True)).to_be_visible()
    expect(page.get_by_text("Pending")).to_have_count(0)

    user = held_with(aws, in_aws, tag={"Key": "cost-center", "Value": "4711"}, group="ledger-writers")
    iam_user = IAMUser.objects.get(user_name="ledger-writer")
    assert iam_user.user_id == user["UserId"]
    assert Entry.objects.get().by_name == "Lena"
    assert Delivery.objects.get().state == Delivery.State.DONE
    call_command("verify_ledger")

    stranger = visit.by(oskar)
    answer = stranger.page.goto(f"{stranger.portal.url}/team/iam-users/{iam_user.pk}/")
    assert answer is not None
    assert answer.status == 404

    owner = visit.by(olive)
    owner.go("/ledger/")
    expect(owner.page.get_by_role("link", name="Create IAM user").first).to_be_visible()
    expect(owner.page.get_by_text("Lena").first).to_be_visible()
