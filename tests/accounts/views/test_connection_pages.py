"""The pages on which an account is connected: what to put in place, and the test."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from accounts.importers.role_documents import documents_of
from accounts.models import Account, ConnectionTest, Person
from tests import factories
from tests.accounts.views.conftest import Enter

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>{{ 7|add:7 }}"

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def new(acme_prod: Account) -> Account:
    """Acme's first account, as it is before its first test."""
    acme_prod.state = Account.State.NEW
    acme_prod.save()
    return acme_prod


def page(enter: Enter, person: Person, account: Account, query: str = "") -> str:
    answer = enter(person).get(reverse("connection", args=[account.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_what_to_put_in_place_and_how_to_test_it(enter: Enter, olive: Person, new: Account) -> None:
    text = page(enter, olive, new)

    for words in ("CloudFormation", "Terraform", "AWS CLI", "Test connection", new.external_id, "Not tested yet"):
        assert words in text
    assert "gatehouse-role-111122223333.json" in text
    assert "iam:GetAccountAuthorizationDetails" in text


@pytest.mark.parametrize(
    ("form", "content_type"), [("json", "application/json"), ("tf", "text/plain"), ("sh", "application/x-sh")]
)
def test_each_form_is_shown_and_can_be_kept(
    enter: Enter, olive: Person, new: Account, form: str, content_type: str
) -> None:
    (document,) = [document for document in documents_of(new) if document.form == form]

    answer = enter(olive).get(reverse("role_document", args=[new.pk, form]))

    assert answer.content.decode() == document.text
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="gatehouse-role-111122223333.{form}"'
    assert escape(document.how) in page(enter, olive, new, f"?as={form}")


def test_the_management_accounts_role_may_list_accounts_where_that_is_wanted(
    enter: Enter, olive: Person, new: Account
) -> None:
    address = reverse("role_document", args=[new.pk, "json"])

    assert "organizations:ListAccounts" not in enter(olive).get(address).content.decode()
    assert "organizations:ListAccounts" in enter(olive).get(f"{address}?with-discovery").content.decode()
    assert "organizations:ListAccounts" in page(enter, olive, new, "?as=tf&with-discovery")


@pytest.mark.parametrize("form", ["yaml", "j", "json2"])
def test_there_is_no_other_form(enter: Enter, olive: Person, new: Account, form: str) -> None:
    assert enter(olive).get(reverse("role_document", args=[new.pk, form])).status_code == 404
    assert "CloudFormation" in page(enter, olive, new, f"?as={form}")


def test_without_an_identity_of_its_own_the_portal_says_what_is_missing(
    enter: Enter, olive: Person, new: Account, settings: Any
) -> None:
    settings.HUB_PRINCIPAL_ARN = ""

    text = page(enter, olive, new)

    assert "HUB_PRINCIPAL_ARN" in text
    assert "iam:GetUser" not in text
    assert enter(olive).get(reverse("role_document", args=[new.pk, "json"])).status_code == 404


@pytest.mark.parametrize("is_embedded", [False, True])
def test_only_the_embedded_aws_is_given_a_role(
    enter: Enter, olive: Person, new: Account, settings: Any, is_embedded: bool
) -> None:
    settings.AWS_IS_EMBEDDED = is_embedded

    assert ("works with the embedded AWS" in page(enter, olive, new)) == is_embedded
    answer = enter(olive).post(reverse("put_embedded_role", args=[new.pk]))
    assert answer.status_code == (302 if is_embedded else 404)


@pytest.mark.parametrize("who", ["lena", "hugo", "ada"])
@pytest.mark.parametrize("name", ["connection", "connection_progress", "test_connection", "put_embedded_role"])
def test_it_is_for_those_who_connect(
    request: pytest.FixtureRequest, enter: Enter, new: Account, who: str, name: str
) -> None:
    client, address = enter(request.getfixturevalue(who)), reverse(name, args=[new.pk])

    answer = client.get(address) if name.startswith("connection") else client.post(address)

    assert answer.status_code == 403
    assert not ConnectionTest.objects.exists()


def test_testing_starts_one_test_and_the_page_follows_it(enter: Enter, olive: Person, new: Account) -> None:
    client, address = enter(olive), reverse("test_connection", args=[new.pk])

    client.post(address)
    answer = client.post(address, follow=True)

    assert ConnectionTest.objects.count() == 1
    assert "being tested already" in answer.content.decode()
    part = client.get(reverse("connection_progress", args=[new.pk])).content.decode()
    assert "hx-trigger" in part
    assert "disabled" in part
    assert "Waiting" in part


def test_each_check_is_shown_with_what_to_do_and_what_is_missing(enter: Enter, olive: Person, new: Account) -> None:
    checks = [
        {"name": "Entry with the external ID", "outcome": "passed", "words": "Fine.", "missing": []},
        {"name": "Permissions to read", "outcome": "failed", "words": HOSTILE, "missing": ["iam:GetUser"]},
        {"name": "Permissions to change", "outcome": "left out", "words": "", "missing": []},
    ]
    factories.connection_test(new, state="failed", checks=checks, finished_at=AT, asked_by=olive)

    part = enter(olive).get(reverse("connection_progress", args=[new.pk])).content.decode()

    for words in ("Permissions to read", "Failed", "Passed", "Left out", "iam:GetUser", "by Olive"):
        assert words in part
    assert "hx-trigger" not in part
    assert "<script>" not in part
    assert "{{ 7|add:7 }}" in part


def test_the_last_test_is_the_one_that_is_shown(enter: Enter, olive: Person, new: Account) -> None:
    old = {"name": "Old", "outcome": "failed", "words": "Old words.", "missing": []}
    factories.connection_test(new, state="failed", checks=[old], finished_at=AT, created_at=AT)
    factories.connection_test(new, state="passed", finished_at=AT, created_at=AT + timedelta(minutes=1))

    text = page(enter, olive, new)

    assert "Old words." not in text
    assert "nobody else through it" in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Account.State.NEW, "The connection was not tested yet"),
        (Account.State.REFUSED, "The portal refuses to enter this account"),
    ],
)
def test_an_account_that_is_not_connected_leads_to_the_test_and_is_not_refreshed(
    enter: Enter, olive: Person, ada: Person, acme_prod: Account, state: Account.State, words: str
) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(state=state, state_reason="Mend its trust.")

    text = enter(olive).get(reverse("account", args=[acme_prod.pk])).content.decode()
    assert words in text
    assert reverse("connection", args=[acme_prod.pk]) in text
    assert "Refresh now" not in text
    assert reverse("discovered_accounts", args=[acme_prod.pk]) not in text
    seen = enter(ada).get(reverse("account", args=[acme_prod.pk])).content.decode()
    assert words in seen
    assert reverse("connection", args=[acme_prod.pk]) not in seen
    answer = enter(olive).post(reverse("refresh_account", args=[acme_prod.pk]), follow=True)
    assert not acme_prod.imports.exists()
    assert "est" in json.dumps([str(message) for message in answer.context["messages"]])


def test_a_refused_account_stands_on_the_home_page(enter: Enter, olive: Person, acme_prod: Account) -> None:
    Account.objects.filter(pk=acme_prod.pk).update(state=Account.State.REFUSED)

    text = enter(olive).get(reverse("home")).content.decode()

    assert reverse("account", args=[acme_prod.pk]) in text
    assert "Refused" in text
