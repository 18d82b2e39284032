"""Dialogs as people use them: by keyboard, with mistakes, and where AWS says no."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, IAMGroup, IAMUser, Person
from portal.ledger.models import Delivery, Entry
from tests.aws.server import AWS
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def in_aws(aws: AWS, acme_prod: Account, ledger_writers: IAMGroup, envelope: None) -> Account:
    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)
    aws.boto3(acme_prod.account_id).create_group(GroupName="ledger-writers")
    return acme_prod


def tab_to(page: Page, role: Literal["link", "button"], name: str) -> None:
    """Press Tab until the control has the focus, as somebody without a mouse does."""
    control = page.get_by_role(role, name=name).first
    for _ in range(60):
        page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{name} cannot be reached by Tab.")


def test_an_iam_user_is_created_by_keyboard_alone(visit: Visit, in_aws: Account, lena: Person) -> None:
    visitor = visit.by(lena)
    page = visitor.page
    visitor.go("/team/")
    tab_to(page, "link", "Create IAM user")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type("by-keyboard")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="by-keyboard")).to_be_visible()
    expect(page.get_by_text("In AWS", exact=True)).to_be_visible(timeout=20_000)


def test_escape_closes_the_dialog_and_gives_the_focus_back(visit: Visit, in_aws: Account, lena: Person) -> None:
    visitor = visit.by(lena)
    page = visitor.page
    visitor.go("/team/")
    tab_to(page, "link", "Create IAM user")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Create IAM user").first).to_be_focused()


@pytest.mark.parametrize("name", ["a b/c", "x" * 65])
def test_a_name_that_aws_refuses_is_refused_at_the_field_and_stays_there(
    visit: Visit, in_aws: Account, lena: Person, name: str
) -> None:
    visitor = visit.by(lena)
    page = visitor.page
    visitor.go("/team/")
    page.get_by_role("link", name="Create IAM user").first.click()
    page.get_by_label("User name").fill(name)
    page.get_by_label("ledger-writers").check()
    page.get_by_role("button", name="Create IAM user").click()

    expect(page.get_by_text("1 to 64 letters, digits")).to_be_visible()
    expect(page.get_by_label("User name")).to_have_value(name)
    expect(page.get_by_label("ledger-writers")).to_be_checked()
    assert not IAMUser.objects.exists()
    assert not Entry.objects.exists()


def test_an_account_that_cannot_be_entered_is_said_and_mended(
    visit: Visit, aws: AWS, acme_prod: Account, envelope: None, lena: Person, olive: Person
) -> None:
    maker = visit.by(lena)
    maker.go("/team/")
    maker.page.get_by_role("link", name="Create IAM user").first.click()
    maker.page.get_by_label("User name").fill("too-early")
    maker.page.get_by_role("button", name="Create IAM user").click()
    expect(maker.page.get_by_text("Stuck: AWS denied it").first).to_be_visible(timeout=20_000)
    expect(maker.page.get_by_text("account 111122223333 could not be entered").first).to_be_visible()

    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)
    owner = visit.by(olive)
    owner.go("/deliveries/")
    owner.page.get_by_role("link", name="Create IAM user").first.click()
    owner.page.get_by_role("link", name="Try again").click()
    owner.page.get_by_label("Reason").fill("The role is there now")
    owner.page.get_by_role("button", name="Try again").click()

    expect(owner.page.get_by_text("Delivered").first).to_be_visible(timeout=20_000)
    assert Delivery.objects.get().state == Delivery.State.DONE
    assert aws.boto3(acme_prod.account_id).get_user(UserName="too-early")


def test_without_javascript_the_same_page_works(visit: Visit, in_aws: Account, lena: Person) -> None:
    visitor = visit.by(lena, has_scripts=False)
    page = visitor.page
    visitor.go("/team/")
    page.get_by_role("link", name="Create IAM user").first.click()
    page.get_by_label("User name").fill("by-hand")
    page.get_by_role("button", name="Create IAM user").click()

    expect(page.get_by_role("heading", name="by-hand")).to_be_visible()
    assert IAMUser.objects.get().user_name == "by-hand"
