"""Saying whose IAM users are, as people do it: by keyboard, without scripts, and through a rule."""

import pytest
from playwright.sync_api import expect

from accounts.models import Account, IAMUser, OwnershipRule, Person, Team
from tests import factories
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def robots(acme_prod: Account, payments: Team) -> list[IAMUser]:
    """Imported IAM users of nobody."""
    return [factories.iam_user(acme_prod, f"robot-{number}") for number in range(3)]


def test_selected_rows_are_assigned_by_keyboard_and_leave_the_list(
    visit: Visit, robots: list[IAMUser], olive: Person, mia: Person
) -> None:
    visitor = visit.by(olive)
    page = visitor.page
    visitor.go("/team/?unassigned=any")
    for name in ("robot-0", "robot-2"):
        page.get_by_label(f"Select {name}").focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("2 IAM users: robot-0, robot-2")
    expect(page.get_by_label("Team").last).to_be_focused()
    page.keyboard.type("Pay")
    page.keyboard.press("Tab")
    page.keyboard.type("Mia")
    page.get_by_role("dialog").get_by_role("button", name="Assign").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 IAM users: assigned.")).to_be_visible()
    expect(page.get_by_role("link", name="robot-1")).to_be_visible()
    expect(page.get_by_role("link", name="robot-0")).to_have_count(0)
    assert set(IAMUser.objects.filter(owner=mia).values_list("user_name", flat=True)) == {"robot-0", "robot-2"}


def test_all_on_the_page_are_selected_where_the_person_is_and_the_row_still_leads_on(
    visit: Visit, robots: list[IAMUser], olive: Person
) -> None:
    visitor = visit.by(olive)
    page = visitor.page
    visitor.go("/team/")
    page.get_by_role("link", name="Select all on this page").click()
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(3)
    expect(page.get_by_role("link", name="Select none")).to_be_focused()
    page.get_by_label("Select robot-1").uncheck()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 IAM users: robot-0, robot-2")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Select robot-1")).not_to_be_checked()

    # Whatever is pressed in a row is its link, which lies over it: so Playwright is told not to mind.
    page.get_by_role("cell", name="acme-prod").nth(1).click(force=True)
    expect(page.get_by_role("heading", name="robot-1")).to_be_visible()


def test_without_scripts_the_same_is_done(visit: Visit, robots: list[IAMUser], olive: Person, payments: Team) -> None:
    visitor = visit.by(olive, has_scripts=False)
    page = visitor.page
    visitor.go("/team/")
    page.get_by_role("link", name="Select all on this page").click()
    page.get_by_label("Select robot-1").uncheck()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("2 IAM users: robot-0, robot-2")).to_be_visible()
    page.get_by_label("Team").select_option("Payments")
    page.get_by_label("Reason").fill("They deploy the ledger")
    page.get_by_role("button", name="Assign").click()

    expect(page.get_by_text("2 IAM users: assigned.")).to_be_visible()
    assert set(IAMUser.objects.filter(team=payments).values_list("user_name", flat=True)) == {"robot-0", "robot-2"}


def test_a_rule_is_added_moved_and_applied(visit: Visit, robots: list[IAMUser], olive: Person, payments: Team) -> None:
    factories.ownership_rule(payments.organization, name_pattern="other-*", team=payments)
    visitor = visit.by(olive)
    page = visitor.page
    visitor.go("/accounts/ownership/")
    page.get_by_role("link", name="Add rule").click()
    page.get_by_label("User name").fill("robot-?")
    page.get_by_label("Team").select_option("Payments")
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_text("Would take 3 of the unassigned")).to_be_visible()

    page.get_by_role("button", name="Rule 2").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move up").click()
    expect(page.get_by_role("listitem").filter(has_text="robot-?")).to_contain_text("1.")

    page.get_by_role("link", name="Apply rules").click()
    expect(page.get_by_text("3 of 3 unassigned IAM users")).to_be_visible()
    page.get_by_role("button", name="Apply rules").click()
    expect(page.get_by_text("Tags and rules: 3 assigned.")).to_be_visible()
    assert OwnershipRule.objects.get(name_pattern="robot-?").position == 1
    assert IAMUser.objects.filter(team=payments).count() == 3
