"""Showing in a browser that the new key of a rotation works, with and without scripts."""

import pytest
from playwright.sync_api import expect

from accounts.models import Person, Rotation
from tests.accounts.bad_pastes import Pasting
from tests.accounts.proving import outside, pasting, rotation, trap
from tests.browser.conftest import Visit
from tests.browser.test_accessibility import SIZES, serious

__all__ = ["outside", "pasting", "rotation", "trap"]

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_wrong_paste_is_told_and_a_good_one_proves(
    visit: Visit, mia: Person, rotation: Rotation, pasting: Pasting, has_scripts: bool
) -> None:
    visitor = visit.by(mia, has_scripts=has_scripts)
    page = visitor.page
    visitor.go(f"/rotations/{rotation.pk}/prove/")
    pasted = page.get_by_label("What the command printed")
    pasted.fill(pasting.changed(X__Amz__Expires="900"))
    page.get_by_role("button", name="The new key works").click()
    expect(page.get_by_text("AWS does not believe the signature")).to_be_visible()
    expect(pasted).to_have_value("")

    pasted.fill(pasting.good)
    page.get_by_role("button", name="The new key works").click()

    page.wait_for_url(f"**/rotations/{rotation.pk}/")
    assert Rotation.objects.get().state == "proven"


def test_everybody_can_use_the_dialog(visit: Visit, mia: Person, rotation: Rotation) -> None:
    visitor = visit.by(mia)
    page = visitor.page

    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        visitor.go(f"/rotations/{rotation.pk}/prove/")
        assert serious(page) == []
        page.get_by_label("What the command printed").fill("It works!")
        page.get_by_role("button", name="The new key works").click()
        expect(page.get_by_text("This is not a signed GetCallerIdentity request")).to_be_visible()
        assert serious(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
