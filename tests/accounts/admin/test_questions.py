"""What a list can be asked by its address. A field that is not shown must not answer by yes and no either."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Person
from tests.accounts.admin.conftest import NOT_A_SECRET, Enter, Worlds, address, models

NOT_ANSWERED = [
    ("person", "password__startswith=argon2"),
    ("person", "password__isnull=True"),
    ("membership", "person__password__startswith=argon2"),
    ("iamuser", "owner__password__startswith=argon2"),
    ("account", "external_id__startswith=external"),
    ("account", "external_id=external-id-for-000000001001"),
    ("account", "organization__slug__startswith=a"),
    ("iamuser", "account__external_id__startswith=external"),
    ("sealedsecret", "wrapped_key__isnull=False"),
    ("person", "_to_field=password"),
    ("account", "_to_field=external_id"),
]


@pytest.mark.parametrize(("name", "question"), NOT_ANSWERED)
def test_a_question_about_a_hidden_field_is_refused(
    enter: Enter, olive: Person, worlds: Worlds, name: str, question: str
) -> None:
    answer = enter(olive).get(f"{address(name)}?{question}")

    assert answer.status_code == 400


def test_what_a_filter_offers_is_answered(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client = enter(olive)

    for question in (
        "kind__exact=person",
        f"account__id__exact={worlds.payments['account'].pk}",
        "gone_at__isnull=True",
    ):
        answer = client.get(f"{address('iamuser')}?{question}")
        assert worlds.payments["iamuser"].pk in {row.pk for row in answer.context["cl"].result_list}, question


def test_a_filter_by_another_organizations_row_finds_nothing(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client = enter(olive)

    for account in (worlds.globex["account"].pk, 987654321):
        answer = client.get(f"{address('iamuser')}?account__id__exact={account}")
        assert (answer.status_code, list(answer.context["cl"].result_list)) == (200, [])


@pytest.mark.parametrize(
    "question", ["kind__exact=%00", "q=%00", "o=99.-99.x", "p=1000000", "gone_at__gte=never", "e=1"]
)
def test_an_odd_question_is_not_a_fault(enter: Enter, olive: Person, worlds: Worlds, question: str) -> None:
    answer = enter(olive).get(f"{address('iamuser')}?{question}")

    assert answer.status_code < 500


@pytest.mark.parametrize("path", ["%00", "1%00", "_00", "0x1", "99999999999999999999999999"])
@pytest.mark.parametrize("name", ["iamuser", "entry"])
def test_an_odd_id_names_nothing(enter: Enter, olive: Person, worlds: Worlds, name: str, path: str) -> None:
    assert enter(olive).get(f"{address(name)}{path}/change/").status_code == 404


@pytest.mark.parametrize("somebody", ["hugo", "ada", "lena"])
def test_the_external_id_is_for_those_who_connect_accounts(
    enter: Enter, request: pytest.FixtureRequest, olive: Person, worlds: Worlds, somebody: str
) -> None:
    page = address("account", "change", worlds.payments["account"].pk)
    external_id = "external-id-for-000000001001"

    assert external_id in enter(olive).get(page).content.decode()
    for path in (page, address("account"), f"{address('account')}?q={external_id}"):
        text = enter(request.getfixturevalue(somebody)).get(path).content.decode()
        assert external_id not in text.replace(f'value="{external_id}"', "").replace(f"q={external_id}", ""), path


def test_a_search_for_an_external_id_finds_nothing(enter: Enter, hugo: Person, worlds: Worlds) -> None:
    answer = enter(hugo).get(f"{address('account')}?q=external-id-for")

    assert list(answer.context["cl"].result_list) == []


def test_a_sealed_secrets_contents_are_not_read(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client = enter(olive)

    for path in (address("sealedsecret"), address("sealedsecret", "change", worlds.payments["sealedsecret"].pk)):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
        assert not [query["sql"] for query in queries if "ciphertext" in query["sql"] or "wrapped_key" in query["sql"]]
        assert NOT_A_SECRET not in answer.content
        assert b"CANARY" not in answer.content


@pytest.mark.parametrize(
    "field", [("iamuser", "account"), ("iamuser", "team"), ("iamuser", "owner"), ("envelope", "groups")]
)
def test_suggestions_are_scoped(enter: Enter, olive: Person, worlds: Worlds, field: tuple[str, str]) -> None:
    name, source = field
    path = f"/admin/autocomplete/?app_label=accounts&model_name={name}&field_name={source}&term="

    found = {int(row["id"]) for row in json.loads(enter(olive).get(path).content)["results"]}

    pointed_at = {"groups": "iamgroup", "owner": "person"}.get(source, source)
    assert worlds.payments[pointed_at].pk in found
    assert worlds.globex[pointed_at].pk not in found


def test_suggestions_need_the_duty_of_the_list(enter: Enter, hugo: Person, worlds: Worlds) -> None:
    path = "/admin/autocomplete/?app_label=ledger&model_name=delivery&field_name=entry&term="

    assert enter(hugo).get(path).status_code == 403


def test_nobody_learns_of_a_row_by_its_type_and_id(enter: Enter, olive: Person, worlds: Worlds) -> None:
    client: Client = enter(olive)

    for name in models():
        for row in (worlds.payments[name], worlds.globex[name]):
            assert client.get(f"/admin/r/1/{row.pk}/").status_code == 404
