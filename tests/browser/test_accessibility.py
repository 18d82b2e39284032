"""axe finds nothing serious on any page, light and dark, wide and narrow (WCAG 2.2 AA)."""

from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases import iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

AXE = next(Path(axe_core_python.__file__).parent.rglob("axe.min.js"))
RUN = (
    """() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"""
)
SERIOUS = {"serious", "critical"}
LOOKS = [("light", 1440, 900), ("dark", 1440, 900), ("light", 390, 844), ("dark", 390, 844)]

OPEN_PAGES = ["/auth/login/", "/auth/password/reset/", "/auth/signup/"]
OWN_PAGES = ["/auth/2fa/", "/auth/email/", "/auth/password/change/", "/auth/logout/"]


def serious(page: Page) -> list[str]:
    """What axe finds, as sentences; the page's policy lets no foreign script in, so it is evaluated from outside."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        f"{finding['id']}: {finding['help']}: {node['html'][:160]}"
        for finding in found["violations"]
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
    ]


def connected(account: Account) -> None:
    """A test of its connection that found something missing, and a discovery through it."""
    missing = {"name": "Permissions to read", "outcome": "failed", "words": "Mend it.", "missing": ["iam:GetUser"]}
    factories.connection_test(account, state="failed", checks=[missing], finished_at=timezone.now())
    factories.account_discovery(account, state="applied", finished_at=timezone.now())
    factories.discovered_account(account, "555566667777")


def requests_of(iam_user: IAMUser, lena: Person) -> list[str]:
    """The pages of a request, and of a group until a time."""
    change = {"group": "administrators", "until": "2026-12-01T12:00:00+00:00"}
    asked, grant = factories.request(iam_user, by=lena, change=change), factories.group_grant(iam_user, by=lena)
    factories.group_membership(iam_user, IAMGroup.objects.get(group_name="ledger-writers"))
    one, user = f"/requests/{asked.pk}", f"/team/iam-users/{iam_user.pk}"
    return [
        "/requests/", "/requests/?tab=mine", "/requests/?tab=all", f"{one}/", f"{one}/approve/", f"{one}/decline/",
        f"{user}/groups/request/", f"{user}/grants/{grant.pk}/extend/", f"{user}/grants/{grant.pk}/give-back/",
    ]  # fmt: skip


@pytest.fixture
def pages(acme_prod: Account, payments: Team, lena: Person, mia: Person, envelope: None) -> list[str]:
    """One address of each page, with something on it."""
    iam_user = factories.iam_user(acme_prod, "ledger-reader", team=payments, owner=mia, tags={"env": "prod"})
    factories.access_key(iam_user)
    factories.login_profile(iam_user)
    iam_users.tag_iam_user(by=lena, iam_user=iam_user, tags={}, at=timezone.now(), reason="Asked by finance")
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied UntagUser: not allowed."
    )
    Account.objects.update(
        state=Account.State.UNREACHABLE,
        state_reason="AWS denied AssumeRole: account 111122223333 could not be entered: User: "
        "arn:aws:iam::123456789012:user/gatehouse-hub is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::111122223333:role/organization/identity/gatehouse-portal-of-production",
    )
    account = f"/accounts/{acme_prod.pk}"
    rule = factories.ownership_rule(acme_prod.organization, name_pattern="ledger-*", team=payments, owner=mia)
    factories.iam_user(acme_prod, "nobodys")
    user = f"/team/iam-users/{iam_user.pk}"
    ownership = "/accounts/ownership"
    drifted = factories.iam_user(acme_prod, "ledger-writer", team=payments, tags={"stage": "test"})
    factories.iam_user_record(drifted, tags={"stage": "prod"})
    waiting = factories.drift(drifted, decided={"stage": "prod"}, held={"stage": "test"})
    policies = {"attribute": "inline_policies", "decided": {}, "held": {"read": {"Version": "2012-10-17"}}}
    factories.drift(drifted, **policies, state="ended", ended_at=timezone.now())
    drift = f"/accounts/{acme_prod.pk}/drift"
    connected(acme_prod)
    return [
        "/", "/team/", "/team/?q=nobody", "/team/iam-users/new/", f"{user}/", f"{user}/tags/", f"{user}/groups/add/",
        f"{user}/delete/", "/accounts/", f"{account}/", f"{account}/pace/", "/accounts/connect/",
        f"{account}/connection/", f"{account}/connection/?as=sh", f"{account}/discovered/", "/deliveries/",
        f"/deliveries/{Delivery.objects.get().pk}/", "/ledger/", f"/ledger/{Entry.objects.get().pk}/",
        "/team/?unassigned=any&select=page", f"/team/iam-users/assign/?iam_user={iam_user.pk}",
        "/team/iam-users/assign/", f"{ownership}/", f"{ownership}/tags/", f"{ownership}/apply/",
        f"{ownership}/rules/new/", f"{ownership}/rules/{rule.pk}/", f"{ownership}/rules/{rule.pk}/delete/",
        f"/team/iam-users/{drifted.pk}/", f"{drift}/", f"{drift}/adopt/?drift={waiting.pk}",
        *requests_of(iam_user, lena),
        "/admin/", "/admin/accounts/iamuser/", *OWN_PAGES,
    ]  # fmt: skip


@pytest.mark.parametrize(("scheme", "width", "height"), LOOKS)
def test_nothing_serious_stands_on_any_page(
    visit: Visit, pages: list[str], olive: Person, scheme: str, width: int, height: int
) -> None:
    stranger, owner = visit.anonymous(), visit.by(olive)
    findings: dict[str, list[str]] = {}

    for visitor, addresses in ((stranger, OPEN_PAGES), (owner, pages)):
        visitor.page.set_viewport_size({"width": width, "height": height})
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        for address in addresses:
            visitor.go(address)
            findings[address] = serious(visitor.page)

    assert {address: found for address, found in findings.items() if found} == {}


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_scrolls_sideways(visit: Visit, pages: list[str], olive: Person, width: int) -> None:
    owner = visit.by(olive)
    owner.page.set_viewport_size({"width": width, "height": 844})
    too_wide = []

    for address in pages:
        owner.go(address)
        if owner.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            too_wide.append(address)

    assert too_wide == []
