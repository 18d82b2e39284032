"""An account is connected from the button to the first reading, with every part real."""

import json
import re

import pytest
from playwright.sync_api import expect

from accounts.importers.role_documents import role_of
from accounts.models import Account, Person
from portal.ledger.models import Entry
from tests.aws.server import AWS
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_olive_connects_an_account_and_sees_it_read(visit: Visit, aws: AWS, olive: Person) -> None:
    page = visit.by(olive).page
    page.get_by_role("link", name="Accounts", exact=True).first.click()
    page.get_by_role("link", name="Connect account").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Account ID").fill("4444-5555-6666")
    dialog.get_by_label("Name", exact=True).fill("acme-sandbox")
    dialog.get_by_role("button", name="Connect account").click()

    expect(page.get_by_role("heading", name="1. Put the role in place")).to_be_visible()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("AWS did not let the portal into")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Not tested yet")).to_be_visible()

    account = Account.objects.get()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    template = json.loads(download.value.path().read_text())
    role = role_of(account, with_discovery=False)
    made = template["Resources"]["GatehouseRole"]["Properties"]
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == role.trust["Statement"][0]["Condition"]
    aws.account(account.account_id, external_id=account.external_id)
    aws.boto3(account.account_id).put_role_policy(
        RoleName="gatehouse-portal", PolicyName="gatehouse", PolicyDocument=json.dumps(role.policy)
    )

    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The portal may enter, and nobody else through it.")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="The account is read now").click()
    expect(page.get_by_text("Applied")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Connected", exact=True)).to_be_visible()
    kinds = list(Entry.objects.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["accounts.account.connected", "accounts.account.connection_tested"]


def test_without_scripts_the_same_pages_lead_there(visit: Visit, aws: AWS, olive: Person) -> None:
    page = visit.by(olive, has_scripts=False).page
    page.get_by_role("link", name="Accounts", exact=True).first.click()
    page.get_by_role("link", name="Connect account").first.click()
    page.get_by_label("Account ID").fill("444455556666")
    page.get_by_label("Name", exact=True).fill("acme-sandbox")
    page.get_by_role("button", name="Connect account").click()
    page.wait_for_url(re.compile(r"/connection/$"))
    page.get_by_role("link", name="AWS CLI").click()
    expect(page.get_by_text("aws iam create-role")).to_be_visible()
    page.get_by_role("button", name="Test connection").click()

    page.wait_for_timeout(3000)
    page.reload()
    expect(page.get_by_text("AWS did not let the portal into")).to_be_visible()
