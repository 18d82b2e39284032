"""A lead's week: an application with a key, a person with a password, and somebody who leaves. Every part is real."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, IAMUser, Person
from portal.secrets.models import SealedSecret
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def create(page: Page, user_name: str, *, kind: str, owner: str, box: str, purpose: str = "") -> None:
    """Fill in the form of a new IAM user and wait until all of it has arrived."""
    page.get_by_role("link", name="Team", exact=True).first.click()
    page.get_by_role("link", name="Create IAM user").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User name").fill(user_name)
    dialog.get_by_label("For", exact=True).select_option(label=kind)
    dialog.get_by_label("Owner").select_option(label=owner)
    if purpose:
        dialog.get_by_label("Purpose").fill(purpose)
    dialog.get_by_label(box).check()
    dialog.get_by_role("button", name="Create IAM user").click()
    expect(page.get_by_role("heading", name=user_name)).to_be_visible()
    expect(page.get_by_text("On its way to AWS")).to_have_count(0, timeout=30_000)


def confirm(page: Page) -> None:
    """The fresh sign-in that a destructive or revealing step takes."""
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def statuses(iam: Any, user_name: str) -> list[str]:
    """Of the user's access keys in AWS."""
    return [key["Status"] for key in iam.list_access_keys(UserName=user_name)["AccessKeyMetadata"]]


def test_lena_takes_people_in_and_olive_lets_one_go(
    visit: Visit, aws: AWS, prod: Account, lena: Person, mia: Person, olive: Person
) -> None:
    iam = aws.boto3(prod.account_id)
    lead = visit.by(lena).page
    create(lead, "ledger-writer", kind="Application", owner="Lena", purpose="Writes the ledger", box="Access key")
    create(lead, "mia", kind="Person", owner="Mia", box="Console access")

    assert statuses(iam, "ledger-writer") == ["Active"]
    assert iam.get_login_profile(UserName="mia")["LoginProfile"]["PasswordResetRequired"]
    recipients = SealedSecret.objects.order_by("created_at").values_list("recipient__email", flat=True)
    assert list(recipients) == ["lena@acme.test", "mia@acme.test"]

    herself = visit.by(mia).page
    herself.get_by_role("link", name="Show secret").click()
    confirm(herself)
    herself.get_by_role("button", name="Show secret").click()
    expect(herself.locator(".secret-shown")).to_be_visible()

    owner = visit.by(olive)
    owner.go(f"/offboardings/new/{mia.pk}/")
    confirm(owner.page)
    owner.page.get_by_label("Reason").fill("Leaves the company")
    owner.page.get_by_role("button", name="Offboard Mia").click()
    expect(owner.page.get_by_role("heading", name="Mia")).to_be_visible()
    expect(owner.page.get_by_text("Disabled").first).to_be_visible(timeout=30_000)

    assert iam.list_user_policies(UserName="mia")["PolicyNames"] == ["gatehouse-offboarding"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_login_profile(UserName="mia")
    assert IAMUser.objects.get(user_name="mia").gone_at is None
    answer = herself.goto(f"{owner.portal.url}/team/")
    assert answer is not None
    assert "mia" not in herself.locator("main").inner_text()
