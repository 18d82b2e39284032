"""The team's list."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMGroup, IAMUser, Person, Team
from accounts.usecases import iam_users
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def page(client: Client, **query: object) -> str:
    return client.get(f"{reverse('team')}?{urlencode(query)}").content.decode()


def test_a_lead_sees_the_team_and_no_other(
    enter: Enter, lena: Person, ledger_reader: IAMUser, platform_robot: IAMUser
) -> None:
    text = page(enter(lena))

    assert "ledger-reader" in text
    assert "platform-robot" not in text


def test_a_member_sees_their_own(
    enter: Enter, mia: Person, ledger_reader: IAMUser, platform_robot: IAMUser, acme_prod: Account, payments: Team
) -> None:
    factories.iam_user(acme_prod, "somebody-elses", team=payments)

    text = page(enter(mia))

    assert "ledger-reader" in text
    assert "somebody-elses" not in text
    assert "platform-robot" not in text


def test_another_organization_sees_nothing_of_it(enter: Enter, oskar: Person, ledger_reader: IAMUser) -> None:
    text = page(enter(oskar))

    assert "ledger-reader" not in text
    assert "No IAM users yet" in text


def test_the_filters_offer_nothing_of_another_organization(
    enter: Enter, oskar: Person, core: Team, globex_main: Account, ledger_reader: IAMUser
) -> None:
    text = page(enter(oskar))

    assert "Core" in text
    assert "Payments" not in text
    assert "acme-prod" not in text


def test_the_accounts_of_another_organization_do_not_filter(
    enter: Enter, oskar: Person, globex_main: Account, acme_prod: Account
) -> None:
    factories.iam_user(globex_main, "globex-robot")

    foreign = page(enter(oskar), account=acme_prod.pk)

    assert foreign.count("Select a valid choice") == 1


@pytest.mark.parametrize("words", ["ledger-rea", "LEDGER", "AKIALEDGERREADER0001", "mia@acme"])
def test_it_searches_names_owners_and_keys(
    enter: Enter, olive: Person, ledger_reader: IAMUser, platform_robot: IAMUser, words: str
) -> None:
    text = page(enter(olive), q=words)

    assert "ledger-reader" in text
    assert "platform-robot" not in text


def test_a_search_without_a_result_says_so_and_leads_back(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    text = page(enter(lena), q="nobody-of-this-name")

    assert "No IAM user fits" in text
    assert "Show all IAM users" in text


def test_htmx_gets_the_table_alone(enter: Enter, lena: Person, ledger_reader: IAMUser) -> None:
    answer = enter(lena).get(reverse("team"), headers={"HX-Request": "true"})

    assert "ledger-reader" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_pending_user_is_shown_as_pending_and_asks_again(
    enter: Enter, lena: Person, payments: Team, acme_prod: Account, ledger_writers: IAMGroup
) -> None:
    iam_user = iam_users.create_iam_user(
        by=lena, team=payments, account=acme_prod, user_name="new-one", kind="person", at=timezone.now()
    )

    text = page(enter(lena))

    assert "Pending" in text
    assert reverse("iam_user_state", args=[iam_user.pk]) in text


def test_fifty_rows_stand_on_a_page_and_the_next_page_has_the_rest(
    enter: Enter, olive: Person, acme_prod: Account
) -> None:
    for number in range(60):
        factories.iam_user(acme_prod, f"robot-{number:03}")
    client = enter(olive)

    first, second = page(client), page(client, page=2)

    assert "robot-049" in first
    assert "robot-050" not in first
    assert "robot-050" in second


def test_more_rows_need_no_more_queries(enter: Enter, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)
    factories.access_key(factories.iam_user(acme_prod, "robot"))
    with CaptureQueriesContext(connection) as for_one:
        page(client)
    for number in range(40):
        factories.access_key(factories.iam_user(acme_prod, f"robot-{number:03}"))

    with CaptureQueriesContext(connection) as for_many:
        page(client)

    assert len(for_many) == len(for_one)


def test_a_name_that_is_markup_is_shown_as_text(enter: Enter, olive: Person, acme_prod: Account) -> None:
    factories.iam_user(acme_prod, "plain", purpose="<script>alert(1)</script>", tags={"<b>": "{{ 7 }}"})
    iam_user = IAMUser.objects.get(user_name="plain")

    text = enter(olive).get(reverse("iam_user", args=[iam_user.pk])).content.decode()

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7 }}" in text
