"""Take a picture of every page of a running portal with the demo in it.

`python -m tests.browser.screenshots [ADDRESS]` signs in as the demo's people, visits what each of them can reach, and
puts the pictures into `var/screenshots/`: at 1440 by 900 and 390 by 844 pixels, light and dark.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "gatehouse-demo"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZES: dict[str, ViewportSize] = {"1440": {"width": 1440, "height": 900}, "390": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Sight:
    """One page: its picture's name, its address, and what to press there before the picture is taken.

    `row` is the name of a link in a list, of which the first whose address fits is followed.
    """

    name: str
    address: str
    row: str = ""
    press: str = ""


AT_THE_DOOR = (
    Sight("sign-in", "/auth/login/"),
    Sight("reset-password", "/auth/password/reset/"),
    Sight("invitation-gone", "/invitation/"),
)
INSIDE: dict[str, tuple[Sight, ...]] = {
    "lena@acme.test": (
        Sight("home-lead", "/"),
        Sight("team", "/team/"),
        Sight("iam-user", "/team/", row=r"/team/iam-users/\d+/$"),
        Sight("create-iam-user", "/team/", press="Create IAM user"),
        Sight("add-to-group", "/team/", row=r"/team/iam-users/\d+/$", press="Add to group"),
        Sight("requests-mine", "/requests/"),
        Sight("console-access", "/team/", row=r"/team/iam-users/\d+/$", press="Reset password"),
        Sight("create-access-key", "/team/", row=r"/team/iam-users/\d+/$", press="Create access key"),
        Sight("search", "/team/?q=ledger"),
        Sight("nothing-found", "/team/?q=zzz"),
        Sight("narrowed", "/team/?keys=overdue"),
        Sight("more-changes", "/team/?select=page", press="More changes"),
        Sight("csv-file", "/team/bulk/csv/"),
        Sight("overview-lead", "/team/overview/"),
        Sight("keys-lead", "/team/keys/?select=page"),
        Sight("keys-nothing-found", "/team/keys/?q=zzz"),
        Sight("keys-make-inactive", "/team/keys/?which=overdue&select=page", press="Make inactive"),
        Sight("two-step", "/auth/2fa/"),
        Sight("passkeys", "/auth/2fa/webauthn/"),
        Sight("change-password", "/auth/password/change/"),
        Sight("e-mail", "/auth/email/"),
        Sight("menu-of-person", "/", press="Lena"),
    ),
    "ada@acme.test": (Sight("people-auditor", "/people/"),),
    "mia@acme.test": (
        Sight("home-member", "/"),
        Sight("my-access", "/my-access/"),
        Sight("rotate-key", "/my-access/", press="Rotate key"),
        Sight("keys-own", "/my-access/", row=r"/team/iam-users/\d+/$"),
    ),
    "hugo@acme.test": (Sight("home-helpdesk", "/"),),
    "olive@acme.test": (
        Sight("home-owner", "/"),
        Sight("accounts", "/accounts/"),
        Sight("account", "/accounts/", row=r"/accounts/\d+/$"),
        Sight("pace", "/accounts/", row=r"/accounts/\d+/$", press="Change the pace"),
        Sight("boundary", "/accounts/1/boundary/"),
        Sight("unassigned", "/team/?unassigned=any"),
        Sight("selected", "/team/?select=page"),
        Sight("overview", "/team/overview/"),
        Sight("keys", "/team/keys/"),
        Sight("keys-rule", "/team/keys/", press="Change rule"),
        Sight("assign", "/team/", row=r"/team/iam-users/\d+/$", press="Assign"),
        Sight("ownership", "/accounts/ownership/"),
        Sight("add-rule", "/accounts/ownership/", press="Add rule"),
        Sight("tag-names", "/accounts/ownership/", press="Change"),
        Sight("drift", "/accounts/", row=r"/accounts/\d+/$", press="Show drift"),
        Sight("connect-account", "/accounts/", press="Connect account"),
        Sight("connection", "/accounts/1/connection/"),
        Sight("aws-organization", "/accounts/1/discovered/"),
        Sight("people", "/people/"),
        Sight("nobody-found", "/people/?q=zzz"),
        Sight("invite-person", "/people/", press="Invite person"),
        Sight("person", "/people/", row=r"/people/\d+/$"),
        Sight("add-duty", "/people/", row=r"/people/\d+/$", press="Add duty"),
        Sight("teams", "/teams/"),
        Sight("create-team", "/teams/", press="Create team"),
        Sight("team-of-people", "/teams/", row=r"/teams/\d+/$"),
        Sight("change-envelope", "/teams/", row=r"/teams/\d+/$", press="Change envelope"),
        Sight("offboardings", "/offboardings/"),
        Sight("requests", "/requests/"),
        Sight("deliveries", "/deliveries/"),
        Sight("delivery", "/deliveries/", row=r"/deliveries/\d+/$"),
        Sight("ledger", "/ledger/"),
        Sight("entry", "/ledger/", row=r"/ledger/[0-9a-f-]{36}/$"),
        Sight("records-room", "/admin/"),
        Sight("records-list", "/admin/accounts/iamuser/"),
        Sight("record", "/admin/accounts/iamuser/", row=r"/iamuser/\d+/change/"),
    ),
}


def main() -> None:
    """Read the address from the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--into", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--only", default="", help="names of pages that fit this regular expression")
    given = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed: apt-get install chromium")
    given.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        # Chromium's sandbox refuses to run as root; these pages are the portal's own.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        for picture in take(browser, given.address.rstrip("/"), into=given.into, only=given.only):
            print(picture)  # noqa: T201
        browser.close()


def take(browser: Browser, portal: str, *, into: Path, only: str = "") -> Iterator[Path]:
    """Visit everything as everybody in each size and scheme; give the path of each picture."""
    for person, sights in [("", AT_THE_DOOR), *INSIDE.items()]:
        chosen = [sight for sight in sights if re.search(only, sight.name)]
        if chosen:
            yield from _as_person(browser, portal, person, chosen, into)


def _as_person(browser: Browser, portal: str, person: str, sights: list[Sight], into: Path) -> Iterator[Path]:
    # One sign-in for all sizes and schemes: signing in is limited by minute.
    context = browser.new_context(base_url=portal, reduced_motion="reduce")
    page = context.new_page()
    if person:
        sign_in(page, person)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            for sight in sights:
                visit(page, sight)
                picture = into / f"{sight.name}-{size}-{scheme}.png"
                page.screenshot(path=picture)
                yield picture
    context.close()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in on the portal's own page."""
    page.goto("/auth/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^(?!.*/auth/login)"))


def visit(page: Page, sight: Sight) -> None:
    """Go to the page, follow the row and press the button that the sight names."""
    page.goto(sight.address)
    if sight.row:
        addresses = page.locator("main a").evaluate_all("links => links.map(link => link.pathname)")
        found = next((address for address in addresses if re.search(sight.row, address)), None)
        if found is None:
            raise SystemExit(f"{sight.address} has no row like {sight.row} yet: decide something in the portal first.")
        page.goto(found)
    if sight.press:
        page.get_by_role("link", name=sight.press).or_(page.get_by_role("button", name=sight.press)).first.click()
        page.wait_for_timeout(400)
    if "/reauthenticate/" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_timeout(400)


if __name__ == "__main__":
    main()
