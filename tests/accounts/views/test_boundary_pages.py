"""The pages of the boundary that the portal keeps in an account."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Boundary, Person
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def boundary(acme_prod: Account) -> Boundary:
    return factories.boundary(acme_prod)


def page(enter: Enter, person: Person, account: Account) -> str:
    answer = enter(person).get(reverse("boundary", args=[account.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_one_it_says_what_it_would_be(enter: Enter, olive: Person, ada: Person, acme_prod: Account) -> None:
    assert "Create boundary" in page(enter, olive, acme_prod)

    text = page(enter, ada, acme_prod)
    assert "Create boundary" not in text
    assert "An owner or an admin of your organization can create it." in text


def test_it_is_created_and_shown_on_its_way(enter: Enter, olive: Person, acme_prod: Account) -> None:
    answer = enter(olive).post(reverse("create_boundary", args=[acme_prod.pk]), {"reason": "For the teams"})

    assert answer.headers["Location"] == reverse("boundary", args=[acme_prod.pk])
    text = page(enter, olive, acme_prod)
    assert "Pending" in text
    assert reverse("boundary_facts", args=[acme_prod.pk]) in text
    assert "For the teams" in text


def test_an_altered_one_is_an_alarm_here_and_at_home(
    enter: Enter, olive: Person, lena: Person, boundary: Boundary
) -> None:
    boundary.tell(Boundary.State.ALTERED, at=timezone.now())

    assert "Restore boundary" in page(enter, olive, boundary.account)
    assert "Altered outside the portal" in enter(olive).get("/").content.decode()
    assert "Permissions boundary of" not in enter(lena).get("/").content.decode()
    assert (
        "Altered outside the portal"
        in enter(olive).get(reverse("account", args=[boundary.account_id])).content.decode()
    )

    enter(olive).post(reverse("restore_boundary", args=[boundary.account_id]), {"reason": ""})
    boundary.refresh_from_db()
    assert boundary.state == Boundary.State.PENDING


def test_a_change_asks_for_a_fresh_sign_in(enter: Enter, olive: Person, boundary: Boundary) -> None:
    client, address = enter(olive), reverse("change_boundary_policy", args=[boundary.account_id])
    what = {"accepted": "ssm:StartSession", "protected_roles": "", "reason": "Their work"}
    olive.set_password("correct horse")
    olive.save()

    client.force_login(olive)
    answer = client.post(address, what)
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not Entry.objects.exists()

    client.post(reverse("account_reauthenticate"), {"password": "correct horse"})
    assert client.post(address, what).headers["Location"] == reverse("boundary", args=[boundary.account_id])
    boundary.refresh_from_db()
    assert boundary.accepted == ["ssm:StartSession"]


@pytest.mark.parametrize("name", ["create_boundary", "restore_boundary", "change_boundary_policy"])
@pytest.mark.parametrize("who", ["lena", "hugo", "ada"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, boundary: Boundary, name: str, who: str
) -> None:
    client: Any = enter(request.getfixturevalue(who))

    assert client.post(reverse(name, args=[boundary.account_id]), {"reason": "x"}).status_code == 403
    assert not Entry.objects.exists()
