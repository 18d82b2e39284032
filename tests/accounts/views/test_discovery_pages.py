"""The page of an AWS organization's accounts: found, connected in bulk, tested together."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account, AccountDiscovery, ConnectionTest, Organization, Person
from tests import factories
from tests.accounts.views.conftest import Enter

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATA, ARCHIVE = "555566667777", "666677778888"

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def found(acme_prod: Account, acme_dev: Account, globex_main: Account) -> Account:
    """What AWS told through Acme's first account."""
    factories.account_discovery(
        acme_prod,
        state="applied",
        finished_at=AT,
        aws_organization_id="o-acmedemo001",
        management_account_id=acme_prod.account_id,
    )
    for number in (acme_prod.account_id, acme_dev.account_id, globex_main.account_id, DATA):
        factories.discovered_account(acme_prod, number)
    factories.discovered_account(acme_prod, ARCHIVE, status="PENDING_CLOSURE")
    return acme_prod


@pytest.fixture
def client(enter: Enter, olive: Person) -> Client:
    return enter(olive)


def page(client: Client, via: Account, query: str = "") -> str:
    answer = client.get(reverse("discovered_accounts", args=[via.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_the_first_discovery_it_says_how_to_begin(client: Client, acme_prod: Account) -> None:
    text = page(client, acme_prod)

    assert "Nothing was discovered yet" in text
    assert "Discover accounts" in text
    assert "Connect all (" not in text


def test_each_account_is_shown_with_what_can_be_done(client: Client, found: Account, acme_dev: Account) -> None:
    text = page(client, found)

    assert "o-acmedemo001" in text
    assert reverse("connection", args=[acme_dev.pk]) in text
    assert text.count('type="checkbox"') == 1
    assert f'value="{DATA}"' in text
    assert "Pending closure in AWS" in text
    assert "Connect all (1)" in text


def test_whose_an_account_is_elsewhere_is_not_said(client: Client, found: Account, globex_main: Account) -> None:
    text = page(client, found)

    assert text.count("Cannot be connected here") == 1
    assert "lobex" not in text
    assert reverse("account", args=[globex_main.pk]) + '"' not in text


def test_a_search_finds_by_name_e_mail_and_number(client: Client, found: Account) -> None:
    for wanted in (f"member {DATA}", "5555-6666-7777", f"{DATA}@acme"):
        text = page(client, found, f"?q={wanted}")
        assert f'value="{DATA}"' in text
        assert ARCHIVE not in text
    assert "No account fits" in page(client, found, "?q=zzz")
    assert "No account fits" in page(client, found, "?q=zz%00z")


def test_discovering_shows_that_it_goes_on_and_ends_with_a_new_page(client: Client, found: Account) -> None:
    client.post(reverse("discover_accounts", args=[found.pk]))
    answer = client.post(reverse("discover_accounts", args=[found.pk]), follow=True)

    assert AccountDiscovery.objects.filter(state="waiting").count() == 1
    assert "being read already" in answer.content.decode()
    address, of_htmx = reverse("discovery_progress", args=[found.pk]), {"HX-Request": "true"}
    assert "hx-trigger" in client.get(address, headers=of_htmx).content.decode()

    AccountDiscovery.objects.filter(state="waiting").update(state="failed", error="AWS said no.")
    assert client.get(address, headers=of_htmx).headers["HX-Refresh"] == "true"
    assert "AWS said no." in page(client, found)


def test_marked_accounts_are_connected(client: Client, found: Account) -> None:
    answer = client.post(
        reverse("connect_accounts", args=[found.pk]), {"role_name": "gate", "accounts": [DATA]}, follow=True
    )

    account = Account.objects.get(account_id=DATA)
    assert (account.role_arn, account.state) == (f"arn:aws:iam::{DATA}:role/gate", Account.State.NEW)
    assert "Connected 1 account." in answer.content.decode()


def test_all_accounts_are_connected(client: Client, found: Account) -> None:
    factories.discovered_account(found, "777788889999")

    answer = client.post(reverse("connect_accounts", args=[found.pk]), {"role_name": "gate", "all": "yes"}, follow=True)

    assert set(Account.objects.untested().values_list("account_id", flat=True)) == {DATA, "777788889999"}
    assert "Connected 2 accounts." in answer.content.decode()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"role_name": "gate"}, "Choose at least one account"),
        ({"role_name": "", "all": "yes"}, "required"),
        ({"role_name": "a b", "all": "yes"}, "no spaces"),
        ({"role_name": "gate", "accounts": [ARCHIVE]}, "Nothing was connected"),
    ],
)
def test_what_is_refused_is_said(client: Client, found: Account, given: dict[str, Any], words: str) -> None:
    before = Account.objects.count()

    answer = client.post(reverse("connect_accounts", args=[found.pk]), given, follow=True)

    assert words in answer.content.decode()
    assert Account.objects.count() == before


def test_the_template_for_all_names_the_connected_ones_but_the_management_account(
    client: Client, found: Account, acme_dev: Account
) -> None:
    answer = client.get(reverse("stack_set", args=[found.pk, 1]))

    template = json.loads(answer.content)
    assert template["Mappings"]["Accounts"] == {acme_dev.account_id: {"ExternalId": acme_dev.external_id}}
    assert answer.headers["Content-Disposition"] == 'attachment; filename="gatehouse-roles-1.json"'
    for part in (0, 2):
        assert client.get(reverse("stack_set", args=[found.pk, part])).status_code == 404


def test_those_that_were_not_tested_are_tested_together(client: Client, found: Account, acme: Organization) -> None:
    fresh = factories.account(acme, DATA, state=Account.State.NEW)
    assert "1 connection of your organization was not tested yet" in page(client, found)

    answer = client.post(reverse("test_new_connections", args=[found.pk]), follow=True)

    assert ConnectionTest.objects.get().account == fresh
    assert "1 connection is being tested." in answer.content.decode()


@pytest.mark.parametrize("is_embedded", [False, True])
def test_only_the_embedded_aws_is_given_roles(
    client: Client, found: Account, acme: Organization, settings: Any, is_embedded: bool
) -> None:
    settings.AWS_IS_EMBEDDED = is_embedded
    factories.account(acme, DATA, state=Account.State.NEW)

    assert ("works with the embedded AWS" in page(client, found)) == is_embedded
    answer = client.post(reverse("put_embedded_roles", args=[found.pk]))
    assert answer.status_code == (302 if is_embedded else 404)


@pytest.mark.parametrize("who", ["lena", "hugo", "ada"])
def test_it_is_for_those_who_connect(request: pytest.FixtureRequest, enter: Enter, found: Account, who: str) -> None:
    looker = enter(request.getfixturevalue(who))

    for name in ("discovered_accounts", "discovery_progress"):
        assert looker.get(reverse(name, args=[found.pk])).status_code == 403
    assert looker.get(reverse("stack_set", args=[found.pk, 1])).status_code == 403
    for name in ("discover_accounts", "connect_accounts", "test_new_connections", "put_embedded_roles"):
        assert looker.post(reverse(name, args=[found.pk]), {"role_name": "gate", "all": "yes"}).status_code == 403
    assert not Account.objects.untested().exists()


def test_a_thousand_accounts_are_shown_page_by_page_with_few_questions(
    client: Client, found: Account, django_assert_max_num_queries: Any
) -> None:
    for number in range(120):
        factories.discovered_account(found, f"9{number:011d}")

    with django_assert_max_num_queries(26):
        text = page(client, found, "?page=2")

    assert "51 to 100 of 125" in text
    assert text.count('type="checkbox"') <= 50
    assert len(text) < 60_000
