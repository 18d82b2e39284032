"""Saying by hand whose IAM users are: from the list, many at once, and from the page of one."""

import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, Duty, IAMUser, Organization, Person, Team
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")

ASSIGN = "/team/iam-users/assign/"
BOX = re.compile(r'<input type="checkbox" form="selection" name="iam_user" value="(\d+)"( checked)?>')


@pytest.fixture
def robots(acme_prod: Account, acme_dev: Account) -> list[IAMUser]:
    """Imported IAM users of nobody."""
    return [factories.iam_user(account, f"robot-{number}") for number, account in enumerate([acme_prod, acme_dev])]


def page(client: Client, **query: object) -> str:
    return client.get(f"{reverse('team')}?{urlencode(query)}").content.decode()


def ids(iam_users: list[IAMUser]) -> list[int]:
    return [iam_user.pk for iam_user in iam_users]


def unchanged() -> bool:
    return not Entry.objects.exists() and not IAMUser.objects.exclude(team_said_by="", owner_said_by="").exists()


# The list


def test_the_unassigned_are_listed_with_what_is_missing(
    enter: Enter, olive: Person, acme_prod: Account, payments: Team, robots: list[IAMUser], ledger_reader: IAMUser
) -> None:
    factories.iam_user(acme_prod, "without-owner", team=payments)
    factories.iam_user(acme_prod, "without-team", owner=olive)

    text = page(enter(olive), unassigned="any")

    assert "ledger-reader" not in text
    assert re.findall(r'"secondary">((?:No team|No owner)[^<]*)<', text) == [
        "No team, no owner", "No team, no owner", "No owner", "No team",
    ]  # fmt: skip
    assert re.search(r'aria-current="page">Unassigned <span class="count">4<', text)


def test_a_search_stays_among_the_unassigned(
    enter: Enter, olive: Person, robots: list[IAMUser], ledger_reader: IAMUser
) -> None:
    text = page(enter(olive), unassigned="any", q="r")

    assert "robot-0" in text
    assert "ledger-reader" not in text
    assert re.search(r'<input type="hidden" name="unassigned" value="any"', text)


def test_where_all_are_assigned_it_says_so(enter: Enter, olive: Person, ledger_reader: IAMUser) -> None:
    assert "No IAM user is unassigned" in page(enter(olive), unassigned="any")


@pytest.mark.parametrize(
    ("who", "looks", "rules"),
    [("olive", True, True), ("hugo", True, False), ("ada", True, False), ("lena", False, False)],
)
def test_the_unassigned_are_for_those_who_see_the_organization_whole(
    request: pytest.FixtureRequest, enter: Enter, who: str, looks: bool, rules: bool, ledger_writer: IAMUser
) -> None:
    client = enter(request.getfixturevalue(who))

    assert ("Unassigned <span" in page(client)) is looks
    text = page(client, unassigned="any")
    assert ("Missing" in text) is looks
    assert (reverse("ownership") in text) is rules
    assert "ledger-writer" in text


def test_a_lead_selects_what_is_the_teams_and_not_what_is_only_their_own(
    enter: Enter, lena: Person, platform: Team, acme_dev: Account, ledger_writer: IAMUser
) -> None:
    factories.iam_user(acme_dev, "own", owner=lena, team=platform)

    text = page(enter(lena))

    assert "own" in text
    assert [found[0] for found in BOX.findall(text)] == [str(ledger_writer.pk)]


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_those_who_may_not_assign_select_nothing(
    request: pytest.FixtureRequest, enter: Enter, who: str, ledger_reader: IAMUser
) -> None:
    text = page(enter(request.getfixturevalue(who)))

    assert "ledger-reader" in text
    assert not BOX.findall(text)
    assert "Select all" not in text


def test_all_on_the_page_are_selected_and_no_link_of_it_selects_the_next_page(
    enter: Enter, olive: Person, acme_prod: Account
) -> None:
    for number in range(60):
        factories.iam_user(acme_prod, f"robot-{number:02}")

    text = page(enter(olive), select="page", sort="-user_name")

    assert [found[1] for found in BOX.findall(text)] == [" checked"] * 50
    assert "select=page" not in text
    assert not any(found[1] for found in BOX.findall(page(enter(olive), sort="-user_name")))


def test_a_row_still_leads_to_its_page(enter: Enter, olive: Person, robots: list[IAMUser]) -> None:
    assert f'<td class="primary"><a href="{reverse("iam_user", args=[robots[0].pk])}">robot-0</a>' in page(enter(olive))


def test_more_unassigned_need_no_more_queries(enter: Enter, olive: Person, acme_prod: Account) -> None:
    client = enter(olive)
    factories.iam_user(acme_prod, "robot")
    with CaptureQueriesContext(connection) as for_one:
        page(client, unassigned="any", select="page")
    for number in range(40):
        factories.iam_user(acme_prod, f"robot-{number:03}", tags={"team": "Payments"})

    with CaptureQueriesContext(connection) as for_many:
        page(client, unassigned="any", select="page")

    assert len(for_many) == len(for_one)


# The dialog


def test_selected_rows_are_assigned(
    enter: Enter, olive: Person, payments: Team, mia: Person, robots: list[IAMUser]
) -> None:
    client = enter(olive)

    asked = client.get(ASSIGN, {"iam_user": ids(robots)}).content.decode()
    answer = client.post(
        ASSIGN, {"iam_user": ids(robots), "team": payments.pk, "owner": mia.pk, "reason": "They deploy the ledger"}
    )

    assert "2 IAM users:" in asked
    assert answer.headers["Location"] == reverse("team")
    assert "2 IAM users: assigned." in client.get(answer.headers["Location"]).content.decode()
    assert set(IAMUser.objects.values_list("team", "owner")) == {(payments.pk, mia.pk)}
    assert {entry.reason for entry in Entry.objects.all()} == {"They deploy the ledger"}


def test_htmx_loads_the_list_again_as_it_was(
    enter: Enter, olive: Person, payments: Team, robots: list[IAMUser]
) -> None:
    answer = enter(olive).post(ASSIGN, {"iam_user": ids(robots), "team": payments.pk}, headers={"HX-Request": "true"})

    assert answer.headers["HX-Refresh"] == "true"


def test_one_is_assigned_from_its_page_which_says_who_said_it(
    enter: Enter, olive: Person, payments: Team, robots: list[IAMUser]
) -> None:
    client, address = enter(olive), reverse("iam_user", args=[robots[0].pk])
    assert f"{ASSIGN}?iam_user={robots[0].pk}" in client.get(address).content.decode()
    assert "As it is: none" in client.get(ASSIGN, {"iam_user": robots[0].pk}).content.decode()

    answer = client.post(ASSIGN, {"iam_user": robots[0].pk, "team": payments.pk})

    assert answer.headers["Location"] == address
    assert re.search(
        r"<bdi>Payments</bdi>\s*<span class=\"soft\">by a person</span>", client.get(address).content.decode()
    )


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
def test_the_page_offers_it_to_nobody_else(
    request: pytest.FixtureRequest, enter: Enter, who: str, ledger_reader: IAMUser
) -> None:
    client = enter(request.getfixturevalue(who))

    assert ASSIGN not in client.get(reverse("iam_user", args=[ledger_reader.pk])).content.decode()


def test_a_lead_is_offered_the_teams_people_and_no_team(
    enter: Enter, lena: Person, mia: Person, ada: Person, ledger_writer: IAMUser
) -> None:
    text = enter(lena).get(ASSIGN, {"iam_user": ledger_writer.pk}).content.decode()

    assert "Mia" in text
    assert "Ada" not in text
    assert 'name="team"' not in text


def test_a_team_that_a_lead_sends_all_the_same_is_no_field_of_theirs(
    enter: Enter, lena: Person, mia: Person, payments: Team, platform: Team, ledger_writer: IAMUser
) -> None:
    sent = {"iam_user": ledger_writer.pk, "owner": mia.pk, "team": platform.pk, "organization": 7, "user_name": "x"}

    enter(lena).post(ASSIGN, sent)

    ledger_writer.refresh_from_db()
    assert (ledger_writer.team, ledger_writer.owner, ledger_writer.user_name) == (payments, mia, "ledger-writer")


def test_nothing_selected_says_what_to_do(enter: Enter, olive: Person) -> None:
    client = enter(olive)

    for answer in (client.get(ASSIGN), client.post(ASSIGN, {"reason": "x"})):
        assert "Select at least one IAM user" in answer.content.decode()
    assert unchanged()


def test_a_refusal_keeps_what_was_typed_and_selected(enter: Enter, olive: Person, robots: list[IAMUser]) -> None:
    text = enter(olive).post(ASSIGN, {"iam_user": ids(robots), "reason": "Why not"}).content.decode()

    assert "Choose a team or an owner" in text
    assert 'value="Why not"' in text
    assert len(re.findall(r'<input type="hidden" name="iam_user"', text)) == 2
    assert unchanged()


# What is not theirs


@pytest.fixture
def alien(globex_main: Account) -> IAMUser:
    return factories.iam_user(globex_main, "globex-robot")


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_iam_user_of_another_organization_among_them_is_not_there(
    enter: Enter, olive: Person, payments: Team, robots: list[IAMUser], alien: IAMUser, method: str
) -> None:
    sent = {"iam_user": [*ids(robots), alien.pk], "team": payments.pk}

    assert getattr(enter(olive), method)(ASSIGN, sent).status_code == 404
    assert unchanged()


def test_in_one_organization_those_of_ones_other_are_not_there(
    enter: Enter, olive: Person, globex: Organization, alien: IAMUser, core: Team
) -> None:
    factories.membership(olive, "owner", of=globex)  # type: ignore[arg-type]

    assert enter(olive).post(ASSIGN, {"iam_user": alien.pk, "team": core.pk}).status_code == 404
    assert unchanged()


@pytest.mark.parametrize("field", ["team", "owner"])
def test_a_team_or_person_of_another_organization_is_not_there(
    enter: Enter, olive: Person, oskar: Person, core: Team, robots: list[IAMUser], field: str
) -> None:
    sent = {"iam_user": ids(robots), field: {"team": core, "owner": oskar}[field].pk}

    assert enter(olive).post(ASSIGN, sent).status_code == 404
    assert unchanged()


def test_a_person_of_another_team_is_not_there_for_a_lead(
    enter: Enter, lena: Person, ada: Person, ledger_writer: IAMUser
) -> None:
    assert enter(lena).post(ASSIGN, {"iam_user": ledger_writer.pk, "owner": ada.pk}).status_code == 404
    assert unchanged()


@pytest.mark.parametrize(
    "value", ["x", "-1", "0", "1;2", "²", "٣", "9" * 18, "9" * 5000, "\x00", "{{7*7}}", "<script>"]
)
@pytest.mark.parametrize("field", ["iam_user", "team", "owner"])
def test_an_id_that_is_none_is_not_there(
    enter: Enter, olive: Person, payments: Team, robots: list[IAMUser], field: str, value: str
) -> None:
    sent: dict[str, object] = {"iam_user": ids(robots), "team": payments.pk}
    sent[field] = value

    assert enter(olive).post(ASSIGN, sent).status_code == 404
    assert unchanged()


@pytest.mark.parametrize("who", ["hugo", "ada", "mia"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, enter: Enter, who: str, method: str, ledger_reader: IAMUser, payments: Team
) -> None:
    client = enter(request.getfixturevalue(who))

    answer = getattr(client, method)(ASSIGN, {"iam_user": ledger_reader.pk, "team": payments.pk})

    assert answer.status_code == 403
    assert unchanged()


def test_hostile_names_are_text(enter: Enter, olive: Person, acme: Organization, acme_prod: Account) -> None:
    hostile = "\u202e<script>alert(1)</script>{{ 7 }}"
    team = Team.objects.create(organization=acme, name=hostile, slug="hostile")
    owner = factories.member("hostile@acme.test", "member", of=acme, name=hostile)  # type: ignore[arg-type]
    iam_user = factories.iam_user(acme_prod, "plain", team=team, owner=owner, purpose=hostile, tags={"team": hostile})
    client = enter(olive)

    for address in (reverse("team"), f"{ASSIGN}?iam_user={iam_user.pk}", reverse("iam_user", args=[iam_user.pk])):
        text = client.get(address).content.decode()
        assert "<script>alert" not in text, address
        assert "&lt;script&gt;alert(1)" in text, address
        assert "{{ 7 }}" in text, address


def test_a_lead_of_two_teams_moves_from_one_to_the_other_with_an_owner_there(
    enter: Enter, lena: Person, acme: Organization, platform: Team, ledger_writer: IAMUser, acme_prod: Account
) -> None:
    factories.membership(lena, Duty.LEAD, of=acme, team=platform)
    paul = factories.member("paul@acme.test", Duty.MEMBER, of=acme, team=platform)
    client = enter(lena)

    refused = client.post(ASSIGN, {"iam_user": ledger_writer.pk, "team": platform.pk}).content.decode()
    factories.envelope(platform, accounts=[acme_prod])
    client.post(ASSIGN, {"iam_user": ledger_writer.pk, "team": platform.pk, "owner": paul.pk})

    assert "Team Platform has no access to acme-prod" in refused
    ledger_writer.refresh_from_db()
    assert (ledger_writer.team, ledger_writer.owner) == (platform, paul)


def test_a_lead_of_two_teams_is_not_offered_a_third_nor_its_people(
    enter: Enter, lena: Person, acme: Organization, payments: Team, platform: Team, ledger_writer: IAMUser
) -> None:
    third = factories.team(acme, "Warehouse")
    factories.membership(lena, Duty.LEAD, of=acme, team=platform)
    wanda = factories.member("wanda@acme.test", Duty.MEMBER, of=acme, team=third)
    client = enter(lena)

    text = client.get(ASSIGN, {"iam_user": ledger_writer.pk}).content.decode()

    assert "Platform" in text
    assert "Warehouse" not in text
    assert "Wanda" not in text
    for sent in ({"team": third.pk}, {"owner": wanda.pk}):
        assert client.post(ASSIGN, {"iam_user": ledger_writer.pk, **sent}).status_code == 404
