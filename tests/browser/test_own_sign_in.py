"""One's own MFA device from the first button to a device that AWS takes, in a browser under the portal's own policy."""

from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import Account, IAMUser, MFADevice, MFARegistration, Person, Team
from tests import factories
from tests.accounts.carrying import age
from tests.aws import authenticator
from tests.aws.server import AWS
from tests.browser.conftest import PASSWORD, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

SLOW = 30_000


@pytest.fixture
def mias(aws: AWS, prod: Account, payments: Team, mia: Person) -> IAMUser:
    """Mia's IAM user, in AWS too."""
    outside: Any = aws.boto3(prod.account_id)
    told = outside.create_user(UserName="mia")["User"]
    outside.create_login_profile(UserName="mia", Password=PASSWORD)
    age(aws, prod, "mia")
    row = factories.iam_user(
        prod, "mia", team=payments, owner=mia, user_id=told["UserId"], create_date=told["CreateDate"]
    )
    factories.login_profile(row)
    return row


def confirm(visitor: Visitor) -> None:
    """Sign in again, where that is asked."""
    visitor.page.get_by_label("Password", exact=True).fill(PASSWORD)
    visitor.page.get_by_role("button", name="Confirm").click()


def give(visitor: Visitor, codes: tuple[str, str]) -> None:
    """Type two codes and send them."""
    visitor.page.get_by_label("First code").fill(codes[0])
    visitor.page.get_by_label("Second code").fill(codes[1])
    visitor.page.get_by_role("button", name="Enable MFA device").click()


def test_from_the_first_button_to_a_device_that_aws_takes(visit: Visit, aws: AWS, mia: Person, mias: IAMUser) -> None:
    visitor = visit.by(mia)
    page = visitor.page
    visitor.go(f"/my-access/iam-users/{mias.pk}/console/")
    page.get_by_role("link", name="Register MFA device").click()
    confirm(visitor)
    page.get_by_role("button", name="Register MFA device").click()
    page.get_by_role("link", name="Show QR code").click(timeout=SLOW)
    page.get_by_role("button", name="Show secret").click()
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    seed = page.locator(".secret-shown code").inner_text()
    assert seed == next(iter(aws.backend(mias.account.account_id).virtual_mfa_devices.values())).base32_string_seed

    page.get_by_role("link", name="Enter codes").click()
    assert seed not in page.content()
    give(visitor, ("000000", "000001"))
    expect(page.get_by_text("The codes did not fit")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Enter codes").click()
    give(visitor, authenticator.codes(seed))

    expect(page.get_by_text("Authenticator app")).to_be_visible(timeout=SLOW)
    assert MFARegistration.objects.values_list("state", "codes").get() == ("done", "")
    assert MFADevice.objects.get().serial_number in aws.backend(mias.account.account_id).users["mia"].mfa_devices


def test_it_is_left_without_the_picture_staying(visit: Visit, mia: Person, mias: IAMUser) -> None:
    visitor = visit.by(mia)
    page = visitor.page
    visitor.go(f"/my-access/iam-users/{mias.pk}/mfa/register/")
    confirm(visitor)
    page.get_by_role("button", name="Register MFA device").click()
    page.get_by_role("link", name="Show QR code").click(timeout=SLOW)
    page.get_by_role("button", name="Show secret").click()
    expect(page.locator(".secret-picture svg")).to_be_visible()

    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")

    expect(page.locator(".secret-picture svg")).to_have_count(0)
    expect(page.get_by_text("It was shown, and is gone")).to_be_visible()
