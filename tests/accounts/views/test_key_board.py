"""The key board: what it counts, lists and is narrowed by, and the rule that it goes by."""

import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AccessKey, Account, IAMUser, Organization, Person, Team
from accounts.usecases import access_keys
from accounts.views import bounded_pages
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

NOW = timezone.now()
DAY = timedelta(days=1)
NUMBER = re.compile(r'<a href="([^"]+)"><b class="figures"[^>]*>([\d,]+)</b><span>([^<]+)<')
PART = re.compile(r'<a href="([^"]+)">([^<]+)</a></th><td class="number">(\d+)<')
KNOWN = {"last_used_source": "credential_report", "last_used_read_at": NOW}


@pytest.fixture
def crowd(acme_prod: Account, payments: Team, mia: Person) -> dict[str, AccessKey]:
    """Keys with something to find about each: the names of their IAM users say what."""
    fields: dict[str, dict[str, object]] = {
        "fresh": {"create_date": NOW - 10 * DAY, "last_used_date": NOW - DAY},
        "old": {"create_date": NOW - 100 * DAY, "last_used_date": NOW - DAY},
        "unused": {"create_date": NOW - 80 * DAY, "last_used_date": NOW - 50 * DAY},
        "never": {"create_date": NOW - 20 * DAY},
        "inactive": {"create_date": NOW - 400 * DAY, "status": "Inactive"},
        "rotating": {"create_date": NOW - 29 * DAY, "last_used_date": NOW - DAY},
        "asked": {"create_date": NOW - 40 * DAY, "last_used_date": NOW - DAY},
    }
    rows = {}
    for name, given in fields.items():
        iam_user = factories.iam_user(acme_prod, name, team=payments, owner=mia, create_date=NOW)
        rows[name] = factories.access_key(iam_user, **KNOWN | given)
    factories.access_key(rows["fresh"].iam_user, create_date=NOW - 2 * DAY, last_used_date=NOW, **KNOWN)
    factories.rotation(rows["rotating"])
    factories.rotation_ask(rows["asked"], by=mia)
    return rows


@pytest.fixture
def platforms(acme_dev: Account, platform: Team) -> AccessKey:
    """A key of another team, too old."""
    return factories.access_key(
        factories.iam_user(acme_dev, "platform-robot", team=platform), create_date=NOW - 400 * DAY
    )


def names(client: Client, **query: object) -> list[str]:
    answer = client.get(f"{reverse('key_board')}?{urlencode(query)}")
    return [row.key.iam_user.user_name for row in answer.context["page"].shown]


def page(client: Client, **query: object) -> str:
    return client.get(f"{reverse('key_board')}?{urlencode(query)}").content.decode()


def numbers(client: Client, **query: object) -> dict[str, tuple[str, int]]:
    text = page(client, **query)
    tiles = {words: (html.unescape(address), int(count)) for address, count, words in NUMBER.findall(text)}
    return tiles | {words: (html.unescape(address), int(count)) for address, words, count in PART.findall(text)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"which": "overdue"}, ["old"]),
        ({"which": "unused"}, ["unused"]),
        ({"which": "never"}, ["never"]),
        ({"which": "two"}, ["fresh", "fresh"]),
        ({"which": "rotating"}, ["rotating"]),
        ({"which": "asked"}, ["asked"]),
        ({"which": "inactive"}, ["inactive"]),
        ({"age": "30"}, ["rotating", "never", "fresh", "fresh"]),
        ({"age": "older"}, []),
        ({"age": "90", "which": "unused"}, ["unused"]),
        ({"q": "unus"}, ["unused"]),
        ({"q": "nobody"}, []),
    ],
)
def test_each_filter_leaves_what_it_says_the_oldest_first(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey], query: dict[str, str], found: list[str]
) -> None:
    assert names(enter(lena), **query) == found


def test_it_is_searched_by_a_key_and_shows_that_key_alone(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey]
) -> None:
    answer = enter(lena).get(f"{reverse('key_board')}?q={crowd['fresh'].access_key_id.lower()}")

    assert [row.key for row in answer.context["page"].shown] == [crowd["fresh"]]


def test_each_number_is_that_of_the_list_to_which_it_leads(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey], platforms: AccessKey
) -> None:
    client = enter(lena)

    found = numbers(client)

    assert {words: count for words, (_, count) in found.items()} == {
        "Overdue, over 90 days": 1, "Not used for 45 days": 1, "Never used": 1, "Two active keys": 2,
        "Up to 30 days": 4, "31 to 60 days": 1, "61 to 90 days": 1, "91 to 180 days": 1, "181 to 365 days": 0,
        "Over a year": 0,
    }  # fmt: skip
    for words, (address, count) in found.items():
        assert len(client.get(address).context["page"].shown) == count, words


def test_an_owner_sees_all_and_one_team(
    enter: Enter, olive: Person, platform: Team, crowd: dict[str, AccessKey], platforms: AccessKey
) -> None:
    client = enter(olive)

    assert numbers(client)["Over a year"][1] == 1
    address, count = numbers(client, team=platform.pk)["Overdue, over 90 days"]
    assert (count, f"team={platform.pk}" in address) == (1, True)
    assert names(client, team=platform.pk) == ["platform-robot"]


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_who_may_read_sees_it_and_changes_nothing(
    request: pytest.FixtureRequest, enter: Enter, who: str, crowd: dict[str, AccessKey]
) -> None:
    text = page(enter(request.getfixturevalue(who)))

    assert crowd["old"].access_key_id in text
    assert "Make inactive" not in text
    assert "Change rule" not in text
    assert 'type="checkbox"' not in text


def test_a_lead_sees_no_other_team_and_ticks_only_their_own(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey], platforms: AccessKey, acme_dev: Account, platform: Team
) -> None:
    own = factories.access_key(factories.iam_user(acme_dev, "lena", team=platform, owner=lena))

    answer = enter(lena).get(reverse("key_board"))

    shown = {row.key: row.may_select for row in answer.context["page"].shown}
    assert platforms not in shown
    assert (shown[own], shown[crowd["old"]]) == (False, True)


def test_another_organization_sees_nothing_of_it(enter: Enter, oskar: Person, crowd: dict[str, AccessKey]) -> None:
    text = page(enter(oskar))

    assert "No access keys" in text
    assert "AKIA" not in text
    assert "Payments" not in text


def test_a_member_is_refused(enter: Enter, mia: Person, crowd: dict[str, AccessKey]) -> None:
    assert enter(mia).get(reverse("key_board")).status_code == 403


def test_a_row_says_what_is_known_of_the_key(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey], acme_prod: Account, payments: Team
) -> None:
    factories.access_key(factories.iam_user(acme_prod, "unread", team=payments), create_date=NOW)

    text = page(enter(lena))

    for words in ("Active, overdue", "Inactive", "Never used", "Not known yet", "New key on its way", "Asked "):
        assert words in text, words


def test_what_is_on_its_way_about_a_key_is_its_state(enter: Enter, lena: Person, crowd: dict[str, AccessKey]) -> None:
    access_keys.make_key_inactive(by=lena, access_key=crowd["old"], at=NOW)
    access_keys.make_key_inactive(by=lena, access_key=crowd["fresh"], at=NOW)
    about = Entry.objects.filter(subject_id=str(crowd["fresh"].iam_user_id))
    Delivery.objects.filter(entry__in=about).update(state="stuck", stuck_kind="denied")

    shown = {row.key: row.shown.words for row in enter(lena).get(reverse("key_board")).context["page"].shown}

    assert shown[crowd["old"]] == "Pending"
    assert shown[crowd["fresh"]].startswith("Stuck")
    assert shown[crowd["never"]] == "Active"


def test_it_is_sorted_by_its_headings(enter: Enter, lena: Person, crowd: dict[str, AccessKey]) -> None:
    client = enter(lena)

    assert names(client)[0] == "inactive"
    assert names(client, sort="-age")[0] == "fresh"
    assert names(client, sort="iam_user")[0] == "asked"
    assert names(client, sort="used")[:2] == ["inactive", "never"]
    assert names(client, sort="-used")[0] == "fresh"
    assert names(client, sort="nothing")[0] == "inactive"


def test_pages_keep_the_filters_and_more_rows_need_no_more_queries(
    enter: Enter, olive: Person, acme_prod: Account, payments: Team, mia: Person
) -> None:
    client = enter(olive)
    first = factories.access_key(factories.iam_user(acme_prod, "robot", owner=mia, team=payments))
    factories.rotation_ask(first, by=olive)
    with CaptureQueriesContext(connection) as for_one:
        page(client, q="robot")
    for number in range(60):
        key = factories.access_key(factories.iam_user(acme_prod, f"robot-{number:02}", owner=mia, team=payments))
        factories.rotation_ask(key, by=olive)

    with CaptureQueriesContext(connection) as for_many:
        text = page(client, q="robot")

    assert len(for_many) == len(for_one)
    assert "1 to 50 of 61" in text
    assert "?q=robot&amp;page=2" in text
    assert len(names(client, q="robot", page=2)) == 11


def test_of_more_than_are_counted_so_many_are_listed(
    enter: Enter, olive: Person, crowd: dict[str, AccessKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_pages, "SEARCHED_AT_MOST", 1)
    client = enter(olive)

    text = page(client, q="fresh")

    assert "More than 1 fit" in text
    assert len(names(client, q="fresh")) == 1


def test_htmx_gets_the_list_alone(enter: Enter, lena: Person, crowd: dict[str, AccessKey]) -> None:
    answer = enter(lena).get(reverse("key_board"), headers={"HX-Request": "true"})

    assert crowd["old"].access_key_id in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(("query", "words"), [({"q": "nobody"}, "No access key fits"), ({"page": 9}, "no such page")])
def test_an_empty_list_says_why(
    enter: Enter, lena: Person, crowd: dict[str, AccessKey], query: dict[str, object], words: str
) -> None:
    assert words in page(enter(lena), **query)


# The rule


def test_an_owner_sets_the_rule_and_every_page_follows(
    enter: Enter, olive: Person, acme: Organization, crowd: dict[str, AccessKey]
) -> None:
    client, address = enter(olive), reverse("set_rotation_rule")
    assert 'value="90"' in client.get(address).content.decode()

    answer = client.post(address, {"rotate_after_days": "25", "reason": "Audit"})

    assert answer.headers["Location"] == reverse("key_board")
    assert names(client, which="overdue") == ["old", "unused", "asked", "rotating"]
    assert "within 25 days" in client.get(reverse("teams")).content.decode()
    assert "With a key over 25 days old" in client.get(reverse("overview")).content.decode()
    listed = client.get(f"{reverse('team')}?keys=overdue")
    assert {row.iam_user.user_name for row in listed.context["page"].shown} == {"old", "unused", "asked", "rotating"}
    assert "Too old, over 25 days" in listed.content.decode()
    assert "40 days, overdue" in listed.content.decode()
    assert len(client.get(reverse("home")).context["overdue"]) == 4
    iam_user = IAMUser.objects.get(user_name="asked")
    assert "Active, overdue" in client.get(reverse("iam_user", args=[iam_user.pk])).content.decode()


@pytest.mark.parametrize(
    ("days", "words"), [("0", "from 1 to 365"), ("366", "from 1 to 365"), ("90", "already"), ("x", "whole number")]
)
def test_what_is_no_rule_is_told_at_the_field(
    enter: Enter, olive: Person, acme: Organization, days: str, words: str
) -> None:
    text = enter(olive).post(reverse("set_rotation_rule"), {"rotate_after_days": days}).content.decode()

    assert words in text
    acme.refresh_from_db()
    assert acme.rotate_after_days == 90


@pytest.mark.parametrize("name", ["team", "overview", "teams"])
def test_the_board_is_found(enter: Enter, lena: Person, crowd: dict[str, AccessKey], name: str) -> None:
    assert f'href="{reverse("key_board")}' in enter(lena).get(reverse(name)).content.decode()


def test_who_was_asked_sees_it_on_their_pages(
    enter: Enter, mia: Person, lena: Person, crowd: dict[str, AccessKey], acme: Organization
) -> None:
    change = factories.bulk_change(
        lena, acme, kind="ask_to_rotate", change={}, state="done", finished_at=NOW, reason="Audit in May"
    )
    factories.rotation_ask(crowd["old"], by=lena, bulk_change=change)
    client = enter(mia)

    for address in (reverse("home"), reverse("iam_user", args=[crowd["old"].iam_user_id])):
        text = client.get(address).content.decode()
        assert crowd["old"].access_key_id in text
        assert "Audit in May" in text
    AccessKey.objects.filter(pk=crowd["old"].pk).update(status="Inactive")
    assert "Audit in May" not in client.get(reverse("home")).content.decode()
