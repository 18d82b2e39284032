"""axe finds nothing serious on any page, light and dark, wide and narrow (WCAG 2.2 AA)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import axe_core_python
import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import Account, Duty, IAMUser, Person, Team
from accounts.models.sealed import Purpose
from accounts.usecases import iam_users, offboarding
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]

AXE = next(Path(axe_core_python.__file__).parent.rglob("axe.min.js"))
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another colour scheme can change; all else was looked at in the light one.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
RUN = "(rules) => axe.run(document, {runOnly: rules})"
SERIOUS = {"serious", "critical"}
SIZES = [(1440, 900), (390, 844)]

OPEN_PAGES = ["/invitation/", "/auth/login/", "/auth/password/reset/", "/auth/signup/"]
OWN_PAGES = ["/auth/2fa/", "/auth/email/", "/auth/password/change/", "/auth/logout/"]


def serious(page: Page) -> list[str]:
    """What axe finds, as sentences; the page's policy lets no foreign script in, so it is evaluated from outside."""
    page.evaluate(AXE.read_text())
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = _found(page, STANDARDS)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return [*light, *(f"dark: {finding}" for finding in _found(page, OF_COLOURS))]


def _found(page: Page, rules: list[str]) -> list[str]:
    found: dict[str, Any] = page.evaluate(RUN, rules)
    return [
        f"{finding['id']}: {finding['help']}: {node['html'][:160]}"
        for finding in found["violations"]
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """Whether it would have to be scrolled so."""
    is_too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return ["it scrolls sideways"] if page.evaluate(is_too_wide) else []


def connected(account: Account) -> None:
    """A test of its connection that found something missing, and a discovery through it."""
    missing = {"name": "Permissions to read", "outcome": "failed", "words": "Mend it.", "missing": ["iam:GetUser"]}
    factories.connection_test(account, state="failed", checks=[missing], finished_at=timezone.now())
    factories.account_discovery(account, state="applied", finished_at=timezone.now())
    factories.discovered_account(account, "555566667777")


def of_people(lead: Person, member: Person, team: Team) -> list[str]:
    """The pages of people and teams, with an invitation among them."""
    factories.invitation(team.organization, "nora@new.test", by=lead, team=team)
    page, duty, of_team = f"/people/{member.pk}", member.membership_set.get().pk, f"/teams/{team.pk}"
    return [
        "/people/", "/people/?q=nobody", "/people/invite/", f"{page}/", f"{page}/duties/add/",
        f"{page}/duties/{duty}/end/", "/teams/", "/teams/new/", f"{of_team}/", f"{of_team}/rename/",
        f"{of_team}/envelope/",
    ]  # fmt: skip


def secrets_of(iam_user: IAMUser) -> list[str]:
    """A secret that waits and one that was opened, and the IAM user that they belong to."""
    waiting, opened, device = (factories.sealed_secret(iam_user, purpose).pk for purpose in Purpose)
    wiped = {"ciphertext": None, "nonce": None, "wrapped_key": None}
    SealedSecret.objects.filter(pk=opened).update(state="opened", opened_at=timezone.now(), **wiped)
    user = f"/team/iam-users/{iam_user.pk}"
    secrets = [f"/secrets/{pk}/" for pk in (waiting, opened, device)]
    return [*secrets, f"{user}/", f"{user}/console-access/create/", "/my-access/calendar/"]


@pytest.fixture
def pages(acme_prod: Account, payments: Team, olive: Person, lena: Person, mia: Person, envelope: None) -> list[str]:
    """One address of each page, with something on it."""
    iam_user = factories.iam_user(acme_prod, "ledger-reader", team=payments, owner=mia, tags={"env": "prod"})
    factories.access_key(iam_user)
    factories.login_profile(iam_user)
    iam_users.tag_iam_user(by=lena, iam_user=iam_user, tags={}, at=timezone.now(), reason="Asked by finance")
    Delivery.objects.update(
        state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied UntagUser: not allowed."
    )
    unreachable()
    account = f"/accounts/{acme_prod.pk}"
    rule = factories.ownership_rule(acme_prod.organization, name_pattern="ledger-*", team=payments, owner=mia)
    factories.iam_user(acme_prod, "nobodys")
    user = f"/team/iam-users/{iam_user.pk}"
    ownership = "/accounts/ownership"
    drifted = factories.iam_user(acme_prod, "ledger-writer", team=payments, tags={"stage": "test"})
    factories.iam_user_record(drifted, tags={"stage": "prod"})
    waiting = factories.drift(drifted, decided={"stage": "prod"}, held={"stage": "test"})
    ended(drifted)
    drift = f"/accounts/{acme_prod.pk}/drift"
    entry = Entry.objects.earliest("sequence")
    connected(acme_prod)
    return [
        *of_people(lena, mia, payments),
        "/", "/team/", "/team/?q=nobody", "/team/iam-users/new/", f"{user}/", f"{user}/tags/", f"{user}/groups/add/",
        f"{user}/delete/", f"{user}/console-access/reset/", f"{user}/console-access/remove/",
        f"{user}/access-keys/create/", *secrets_of(factories.iam_user(acme_prod, "olive", team=payments, owner=olive)),
        "/accounts/", f"{account}/", f"{account}/pace/", "/accounts/connect/",
        f"{account}/connection/", f"{account}/connection/?as=sh", f"{account}/discovered/", "/deliveries/",
        f"/deliveries/{Delivery.objects.get().pk}/", "/ledger/", f"/ledger/{entry.pk}/",
        "/team/?unassigned=any&select=page", f"/team/iam-users/assign/?iam_user={iam_user.pk}",
        "/team/iam-users/assign/", f"{ownership}/", f"{ownership}/tags/", f"{ownership}/apply/",
        f"{ownership}/rules/new/", f"{ownership}/rules/{rule.pk}/", f"{ownership}/rules/{rule.pk}/delete/",
        f"/team/iam-users/{drifted.pk}/", f"{drift}/", f"{drift}/adopt/?drift={waiting.pk}",
        f"/offboardings/new/{mia.pk}/", *pages_of_leaving(lena, payments, acme_prod),
        *pages_of_requests(lena, iam_user),
        *pages_of_keys(acme_prod, olive),
        "/admin/", "/admin/accounts/iamuser/", *OWN_PAGES, *pages_of_many(lena, drifted),
    ]  # fmt: skip


def unreachable() -> None:
    """Every account is one that cannot be entered."""
    Account.objects.update(
        state=Account.State.UNREACHABLE,
        state_reason="AWS denied AssumeRole: account 111122223333 could not be entered: User: "
        "arn:aws:iam::123456789012:user/gatehouse-hub is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::111122223333:role/organization/identity/gatehouse-portal-of-production",
    )


def ended(iam_user: IAMUser) -> None:
    """A difference that is none any more."""
    policies = {"attribute": "inline_policies", "decided": {}, "held": {"read": {"Version": "2012-10-17"}}}
    factories.drift(iam_user, **policies, state="ended", ended_at=timezone.now())


def pages_of_requests(by: Person, iam_user: IAMUser) -> list[str]:
    """Those of what was asked for, and of a group until a time."""
    change = {"group": "administrators", "until": "2026-12-01T12:00:00+00:00"}
    asked, grant = factories.request(iam_user, by=by, change=change), factories.group_grant(iam_user, by=by)
    factories.group_membership(iam_user, factories.iam_group(iam_user.account, "ledger-readers"))
    user, page = f"/team/iam-users/{iam_user.pk}", f"/requests/{asked.pk}"
    return [
        "/requests/", "/requests/?tab=mine", "/requests/?tab=all", f"{page}/", f"{page}/approve/", f"{page}/decline/",
        f"{user}/groups/request/", f"{user}/grants/{grant.pk}/extend/", f"{user}/grants/{grant.pk}/give-back/",
    ]  # fmt: skip


def pages_of_leaving(by: Person, team: Team, account: Account) -> list[str]:
    """Those about somebody who leaves, and has an application that needs another owner."""
    leaver = factories.member("max@acme.test", Duty.MEMBER, of=account.organization, team=team)
    shop = factories.iam_user(account, "shop", team=team, owner=leaver, kind="application", purpose="Sells")
    factories.access_key(shop)
    leaving = offboarding.offboard_person(
        by=by, organization=account.organization, person=leaver, reason="Leaves", at=timezone.now()
    )
    page = f"/offboardings/{leaving.pk}"
    return ["/offboardings/", f"{page}/", f"{page}/undo/", f"{page}/proof/"]


def pages_of_keys(account: Account, owner: Person) -> list[str]:
    """Those of one's own keys: one to rotate, two that leave no room, a rotation whose old key is still used."""
    single, full, turning = (
        factories.iam_user(account, name, owner=owner, kind="application") for name in ("single", "full", "turning")
    )
    now = timezone.now()
    key, inactive = factories.access_key(single), factories.access_key(full, status="Inactive")
    factories.access_key(full)
    old, new = factories.access_key(turning, last_used_date=now), factories.access_key(turning, last_used_date=now)
    rotation = factories.rotation(
        old, new_key=new, state="proven", made_at=now, proven_at=now, proven_by="use",
        new_key_first_used_at=now - timedelta(hours=1),
    )  # fmt: skip
    page, keys = f"/rotations/{rotation.pk}", "/my-access/keys"
    return [
        "/my-access/", f"{keys}/{key.pk}/rotate/", f"{keys}/{inactive.pk}/rotate/", f"{keys}/{key.pk}/make-inactive/",
        f"{keys}/{inactive.pk}/delete/", f"{page}/", f"{page}/make-inactive/", f"{page}/delete/",
    ]  # fmt: skip


def pages_of_many(by: Person, iam_user: IAMUser) -> list[str]:
    """Those that are about many IAM users at once."""
    bulk_change = factories.bulk_change(by, iam_user.organization)
    factories.bulk_row(bulk_change, iam_user)
    factories.bulk_row(bulk_change, name="refused", state="refused", sentence="It is not there any more.")
    return [
        "/team/?keys=overdue&sort=-keys", "/team/overview/", "/team/bulk/csv/", f"/team/bulk/{bulk_change.pk}/",
        f"/team/bulk/new/add-to-group/?iam_user={iam_user.pk}", f"/team/bulk/new/delete/?iam_user={iam_user.pk}",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_serious_stands_on_any_page_and_none_scrolls_sideways(
    visit: Visit, pages: list[str], olive: Person, width: int, height: int
) -> None:
    """Each page is loaded once for all of it: loading takes longer than looking."""
    stranger, owner = visit.anonymous(), visit.by(olive)
    findings: dict[str, list[str]] = {}

    for visitor, addresses in ((stranger, OPEN_PAGES), (owner, pages)):
        visitor.page.set_viewport_size({"width": width, "height": height})
        for address in addresses:
            visitor.go(address)
            findings[address] = [*sideways(visitor.page), *serious(visitor.page)]

    assert {address: found for address, found in findings.items() if found} == {}
