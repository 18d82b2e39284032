"""The lists of the records room cost the same with many rows as with few."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, IAMUser, Organization, Person
from tests import factories
from tests.accounts.admin.conftest import Enter, Worlds, address, models, world

# The frame of every page takes half of them; the rest: the permissions, the count, the rows, and one for each filter.
MOST_QUERIES = 20
MORE = 12


def queries_of(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return [query["sql"] for query in queries.captured_queries]


def test_a_list_takes_a_fixed_number_of_queries(
    enter: Enter, olive: Person, acme: Organization, worlds: Worlds
) -> None:
    client = enter(olive)
    few = {name: queries_of(client, address(name)) for name in models()}

    for number in range(2000, 2000 + MORE):
        world(acme, number)
    many = {name: queries_of(client, address(name)) for name in models()}

    for name in models():
        assert len(many[name]) == len(few[name]), "\n".join((name, *many[name]))
        assert len(many[name]) <= MOST_QUERIES, "\n".join((name, *many[name]))


@pytest.fixture
def a_thousand(worlds: Worlds) -> list[IAMUser]:
    like: IAMUser = IAMUser.objects.get(pk=worlds.payments["iamuser"].pk)
    return IAMUser.objects.bulk_create(
        IAMUser(
            organization=like.organization,
            account=like.account,
            team=like.team,
            owner=like.owner,
            user_name=f"number-{number:04d}",
            user_id=factories.unique_id("AIDA"),
        )
        for number in range(1000)
    )


def test_a_thousand_rows_come_in_pages(enter: Enter, olive: Person, a_thousand: list[IAMUser]) -> None:
    client = enter(olive)

    first, last = client.get(address("iamuser")), client.get(f"{address('iamuser')}?p=21")

    assert first.context["cl"].result_count == 1002
    assert len(first.context["cl"].result_list) == 50
    assert [row.user_name for row in last.context["cl"].result_list] == ["number-0998", "number-0999"]
    assert len(queries_of(client, address("iamuser"))) <= MOST_QUERIES


def test_a_search_looks_through_all_of_them(enter: Enter, lena: Person, a_thousand: list[IAMUser]) -> None:
    answer = enter(lena).get(f"{address('iamuser')}?q=number-0777")

    assert [row.user_name for row in answer.context["cl"].result_list] == ["number-0777"]


FACTS = ("account", "iamuser", "iamgroup", "iampolicy", "iamrole", "accesskey", "loginprofile", "mfadevice")


def test_a_fact_says_where_and_when_it_was_read(enter: Enter, olive: Person, worlds: Worlds) -> None:
    Account.objects.update(source="account_authorization_details", read_at=factories.READ_AT)
    client = enter(olive)

    for name in FACTS:
        page = client.get(address(name)).content.decode()
        assert '<time datetime="2026-11-01T12:00:00+00:00" data-source="account_authorization_details"' in page, name
        assert 'title="account authorization details">1 Nov 2026, 12:00</time>' in page, name


def test_what_was_not_read_yet_says_nothing(enter: Enter, olive: Person, acme: Organization) -> None:
    factories.account(acme, "111122223333")

    assert "<time" not in enter(olive).get(address("account")).content.decode().partition('id="result_list"')[2]
