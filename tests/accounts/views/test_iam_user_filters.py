"""What the team's list is narrowed by, sorted by and paged by."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMUser, Organization, Person, Team
from accounts.usecases import iam_users
from accounts.views import bounded_pages
from portal.ledger.models import Delivery
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

NOW = timezone.now()


def page(client: Client, **query: object) -> str:
    return client.get(f"{reverse('team')}?{urlencode(query)}").content.decode()


def names(client: Client, **query: object) -> list[str]:
    answer = client.get(f"{reverse('team')}?{urlencode(query)}")
    return [row.iam_user.user_name for row in answer.context["page"].shown]


@pytest.fixture
def crowd(acme_prod: Account, payments: Team) -> dict[str, IAMUser]:
    """IAM users with something to find about each: their names say what."""
    made = [
        "fresh-key", "old-key", "old-inactive", "no-mfa", "with-mfa", "unused", "used", "drifted", "stuck", "pending",
    ]  # fmt: skip
    rows = {name: factories.iam_user(acme_prod, name, team=payments, create_date=NOW) for name in made}
    factories.access_key(rows["fresh-key"], create_date=NOW - timedelta(days=10))
    factories.access_key(rows["old-key"], create_date=NOW - timedelta(days=100))
    factories.access_key(rows["old-inactive"], create_date=NOW - timedelta(days=400), status="Inactive")
    factories.login_profile(rows["no-mfa"])
    factories.login_profile(rows["with-mfa"])
    factories.mfa_device(rows["with-mfa"])
    IAMUser.objects.filter(user_name__in=["unused", "used"]).update(create_date=NOW - timedelta(days=60))
    factories.login_profile(rows["used"], password_last_used=NOW - timedelta(days=44))
    factories.access_key(rows["unused"], create_date=NOW, last_used_date=NOW - timedelta(days=46))
    factories.drift(rows["drifted"])
    return rows


@pytest.fixture
def moving(lena: Person, crowd: dict[str, IAMUser]) -> None:
    """Something on its way about two of them, of which one is stuck."""
    for name in ("stuck", "pending"):
        iam_users.tag_iam_user(by=lena, iam_user=crowd[name], tags={"stage": "prod"}, at=NOW)
    stuck = Delivery.objects.filter(entry__subject_id=str(crowd["stuck"].pk))
    stuck.update(state="stuck", stuck_kind="denied")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"keys": "overdue"}, ["old-key"]),
        ({"keys": "30"}, ["fresh-key", "unused"]),
        ({"keys": "180"}, ["old-key"]),
        ({"keys": "older"}, []),
        ({"sign_in": "no-mfa"}, ["no-mfa", "used"]),
        ({"sign_in": "mfa"}, ["with-mfa"]),
        ({"use": "unused"}, ["unused"]),
        ({"state": "pending"}, ["pending", "stuck"]),
        ({"state": "stuck"}, ["stuck"]),
        ({"state": "drift"}, ["drifted"]),
        ({"keys": "30", "use": "unused"}, ["unused"]),
    ],
)
def test_each_filter_leaves_what_it_says(
    enter: Enter, lena: Person, moving: None, query: dict[str, str], found: list[str]
) -> None:
    assert names(enter(lena), **query) == found


def test_those_without_a_key_or_a_password_are_found_too(enter: Enter, lena: Person, crowd: dict[str, IAMUser]) -> None:
    client = enter(lena)

    assert set(crowd) - set(names(client, keys="none")) == {"fresh-key", "old-key", "unused"}
    assert set(crowd) - set(names(client, sign_in="no-password")) == {"no-mfa", "with-mfa", "used"}


@pytest.mark.parametrize("query", [{"keys": "x"}, {"state": "x"}, {"team": "x"}, {"account": "999"}, {"kind": "robot"}])
def test_a_filter_that_is_none_is_told_and_narrows_nothing(
    enter: Enter, lena: Person, crowd: dict[str, IAMUser], query: dict[str, str]
) -> None:
    assert "Select a valid choice" in page(enter(lena), **query)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("arn:aws:iam::111122223333:user/portal/acme/payments/ledger-reader", True),
        ("arn:aws:iam::999999999999:user/portal/acme/payments/ledger-reader", False),
        ("arn:aws:iam::x", False),
        ("cost-center=4711", True),
        ("cost-center = 4711", True),
        ("cost-center=4712", False),
        ("a'b=c", False),
        ("le", True),
        ("re", False),
        ("mia@acme", True),
        ("AKIALEDGERREADER0001", True),
        ("AKIALEDGERREADER", False),
        ("edger-r", True),
        ("%", False),
        ("\u0130", False),
    ],
)
def test_it_is_found_by_part_of_its_name_its_arn_its_tag_and_its_owner(
    enter: Enter, olive: Person, ledger_reader: IAMUser, platform_robot: IAMUser, words: str, found: bool
) -> None:
    assert names(enter(olive), q=words) == (["ledger-reader"] if found else [])


def test_an_owner_of_another_organization_finds_nothing(
    enter: Enter, olive: Person, oskar: Person, acme_prod: Account
) -> None:
    factories.iam_user(acme_prod, "left-behind", owner=oskar)

    assert names(enter(olive), q="oskar") == []


# Order and pages


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("keys", "old-key"), ("-keys", "unused"), ("-used", "used"), ("-user_name", "with-mfa"), ("owner", "drifted"),
        ("account", "drifted"), ("team", "drifted"), ("x", "drifted"),
    ],
)  # fmt: skip
def test_it_is_sorted(enter: Enter, lena: Person, crowd: dict[str, IAMUser], sort: str, first: str) -> None:
    assert names(enter(lena), sort=sort)[0] == first


def test_a_heading_turns_its_order_round_and_says_which_it_is(
    enter: Enter, lena: Person, crowd: dict[str, IAMUser]
) -> None:
    text = page(enter(lena), sort="keys", q="key")

    assert '<th class="secondary" scope="col" aria-sort="ascending"><a href="?sort=-keys&amp;q=key">' in text


@pytest.fixture
def many(acme_prod: Account, payments: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than are counted, of which that is 100 here."""
    monkeypatch.setattr(bounded_pages, "COUNTED_AT_MOST", 100)
    monkeypatch.setattr(bounded_pages, "SEARCHED_AT_MOST", 70)
    for number in range(160):
        factories.iam_user(acme_prod, f"robot-{number:03}", team=payments)


def test_more_than_are_counted_are_said_to_be_more_and_paged_all_the_same(
    enter: Enter, olive: Person, many: None
) -> None:
    client = enter(olive)

    text = page(client, page=2)

    assert "51 to 100 of more than 100" in text
    assert names(client, page=3)[0] == "robot-100"


def test_more_than_are_counted_are_listed_by_name_whatever_was_asked(enter: Enter, olive: Person, many: None) -> None:
    client = enter(olive)

    text = page(client, sort="-keys")

    assert "More than 100 fit, so they are listed by name." in text
    assert "sort=keys" not in text
    assert names(client, sort="-keys")[0] == "robot-000"


def test_of_more_than_are_counted_that_fit_a_filter_so_many_are_listed(enter: Enter, olive: Person, many: None) -> None:
    client = enter(olive)

    text = page(client, q="robot", page=2)

    assert "More than 70 fit; that many of them are listed, by name." in text
    assert "51 to 70 of more than 70" in text
    assert 'rel="next"' not in text


def test_no_question_counts_a_whole_table(enter: Enter, olive: Person, many: None) -> None:
    client = enter(olive)

    with CaptureQueriesContext(connection) as queries:
        page(client, unassigned="any")

    counting = [query["sql"] for query in queries.captured_queries if "COUNT(" in query["sql"]]
    assert counting
    assert all("LIMIT" in sql for sql in counting)


def test_only_the_whole_list_is_read_in_the_order_of_its_index(enter: Enter, olive: Person, many: None) -> None:
    client = enter(olive)

    def sorted_by(**query: str) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            page(client, **query)
        orders = [
            query["sql"].partition(" ORDER BY ")[2] for query in queries if '"user_name" FROM' not in query["sql"]
        ]
        return [order for order in orders if "user_name" in order]

    assert all(order.startswith('"accounts_iamuser"."user_name" ASC') for order in sorted_by())
    for query in ({"q": "robot"}, {"q": "robot-00"}, {"kind": "person"}):
        assert not any(order.startswith('"accounts_iamuser"."user_name"') for order in sorted_by(**query)), query


@pytest.mark.parametrize("number", ["0", "-1", "x", "9999999", "\u00b2", "1e3"])
def test_a_page_that_is_none_is_the_first_or_says_so(
    enter: Enter, olive: Person, crowd: dict[str, IAMUser], number: str
) -> None:
    text = page(enter(olive), page=number)

    assert "old-key" in text or "There is no such page" in text


def test_past_the_last_page_it_leads_back(enter: Enter, olive: Person, crowd: dict[str, IAMUser]) -> None:
    assert "There is no such page" in page(enter(olive), page=2)


@pytest.mark.parametrize("query", [{}, {"q": "robot"}, {"sort": "keys"}, {"sort": "used"}, {"state": "stuck"}])
def test_more_rows_need_no_more_queries_however_it_is_asked(
    enter: Enter, olive: Person, acme_prod: Account, query: dict[str, str]
) -> None:
    client = enter(olive)
    factories.access_key(factories.iam_user(acme_prod, "robot"))
    with CaptureQueriesContext(connection) as for_one:
        page(client, **query)
    for number in range(70):
        factories.access_key(factories.iam_user(acme_prod, f"robot-{number:03}"))

    with CaptureQueriesContext(connection) as for_many:
        page(client, **query)

    assert len(for_many) <= max(len(for_one), 14)


def test_who_belongs_to_no_team_and_owns_nothing_sees_nothing(
    enter: Enter, acme: Organization, crowd: dict[str, IAMUser]
) -> None:
    somebody = factories.member("new@acme.test", "member", of=acme)  # type: ignore[arg-type]

    assert names(enter(somebody)) == []
