"""Home, by duty."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Duty, IAMUser, Organization, Person, Team
from accounts.usecases import iam_users
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def home(client: Client) -> str:
    return client.get(reverse("home")).content.decode()


@pytest.fixture
def overdue(ledger_reader: IAMUser) -> IAMUser:
    ledger_reader.access_keys.update(create_date="2020-01-01T00:00:00Z")
    return ledger_reader


@pytest.mark.parametrize("who", ["olive", "lena", "mia", "hugo", "ada"])
def test_an_overdue_key_needs_doing_by_those_who_see_it(
    request: pytest.FixtureRequest, enter: Enter, overdue: IAMUser, who: str
) -> None:
    text = home(enter(request.getfixturevalue(who)))

    assert "Overdue" in text
    assert reverse("iam_user", args=[overdue.pk]) in text


def test_nothing_of_another_organization_needs_doing(enter: Enter, oskar: Person, overdue: IAMUser) -> None:
    text = home(enter(oskar))

    assert "ledger-reader" not in text
    assert "Nothing. Stuck deliveries" in text


def test_a_stuck_delivery_needs_doing_and_leads_where_one_may_go(
    enter: Enter, lena: Person, olive: Person, ledger_reader: IAMUser
) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.REFUSED)

    assert reverse("delivery", args=[Delivery.objects.get().pk]) in home(enter(olive))
    assert reverse("delivery", args=[Delivery.objects.get().pk]) not in home(enter(lena))
    assert reverse("iam_user", args=[ledger_reader.pk]) in home(enter(lena))


def test_one_of_a_thing_is_not_spoken_of_as_many(enter: Enter, mia: Person, ledger_reader: IAMUser) -> None:
    ledger_reader.mfa_devices.all().delete()

    assert "1 IAM user, 1 active access key, 1 console password without MFA" in home(enter(mia))


def test_ones_own_users_are_there(enter: Enter, mia: Person, ledger_reader: IAMUser) -> None:
    assert "Your IAM users" in home(enter(mia))


def test_an_account_that_cannot_be_entered_needs_doing(enter: Enter, olive: Person, acme_prod: Account) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(state=Account.State.UNREACHABLE)

    assert "Cannot be entered" in home(enter(olive))


@pytest.mark.parametrize(
    ("who", "offers"), [("olive", True), ("lena", True), ("hugo", False), ("ada", False), ("mia", False)]
)
def test_creating_is_offered_to_those_who_may(
    request: pytest.FixtureRequest, enter: Enter, who: str, offers: bool
) -> None:
    assert (reverse("create_iam_user") in home(enter(request.getfixturevalue(who)))) is offers


@pytest.mark.parametrize(
    ("who", "addresses"),
    [
        ("olive", {"team", "accounts", "deliveries", "ledger"}),
        ("lena", {"team", "accounts"}),
        ("hugo", {"team", "accounts"}),
        ("ada", {"team", "accounts", "deliveries", "ledger"}),
        ("mia", {"team"}),
    ],
)
def test_the_side_bar_offers_what_the_duty_opens(
    request: pytest.FixtureRequest, enter: Enter, who: str, addresses: set[str]
) -> None:
    client = enter(request.getfixturevalue(who))

    text = home(client)

    offered = {name for name in ("team", "accounts", "deliveries", "ledger") if f'href="{reverse(name)}"' in text}
    assert offered == addresses
    assert all(client.get(reverse(name)).status_code == 200 for name in offered)


def test_somebody_without_an_organization_is_told_whom_to_ask(enter: Enter, db: None) -> None:
    text = home(enter(factories.person("new@acme.test")))

    assert "You belong to no organization yet" in text


def test_one_switches_between_ones_own_organizations(
    enter: Enter, oskar: Person, globex: Organization, acme: Organization, payments: Team, ledger_reader: IAMUser
) -> None:
    factories.membership(oskar, Duty.AUDITOR, of=acme)
    client = enter(oskar)

    client.post(reverse("switch_organization", args=["globex"]))
    in_globex = client.get(reverse("team")).content.decode()
    client.post(reverse("switch_organization", args=["acme"]))
    in_acme = client.get(reverse("team")).content.decode()

    assert "ledger-reader" not in in_globex
    assert "ledger-reader" in in_acme
    assert client.get(reverse("iam_user", args=[ledger_reader.pk])).status_code == 200


def test_an_ended_membership_ends_the_sight_at_once(
    enter: Enter, ada: Person, acme: Organization, ledger_reader: IAMUser
) -> None:
    client = enter(ada)
    assert client.get(reverse("iam_user", args=[ledger_reader.pk])).status_code == 200

    ada.membership_set.update(ended_at=timezone.now())

    assert client.get(reverse("iam_user", args=[ledger_reader.pk])).status_code == 404
    assert "You belong to no organization yet" in home(client)
