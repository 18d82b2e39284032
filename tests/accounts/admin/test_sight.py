"""Who sees which rows of the records room. What is not theirs to see does not exist."""

import re
import uuid

import pytest
from django.db.models import Model
from django.test import Client

from accounts.models import Duty, Membership, Organization, Person, Team
from tests import factories
from tests.accounts.admin.conftest import Enter, World, Worlds, address, models

RECORDS = ("entry", "delivery", "sealedsecret", "calendarfeed")
OF_THE_WHOLE_ORGANIZATION = ("organization", *RECORDS)
# Masked anew in each answer, so that it tells nothing (Django, django.middleware.csrf).
CSRF_TOKEN = re.compile(rb"\b[A-Za-z0-9]{64}\b")


def listed(client: Client, name: str) -> set[object]:
    """The ids of the rows of a list."""
    answer = client.get(address(name))
    assert answer.status_code == 200, (name, answer.status_code)
    return {row.pk for row in answer.context["cl"].result_list}


def assert_sees(client: Client, name: str, world: World, *, is_seen: bool) -> None:
    row = world[name]
    assert (row.pk in listed(client, name)) == is_seen, (name, row)
    for view in ("change", "history", "delete"):
        status = client.get(address(name, view, row.pk)).status_code
        assert (status != 404) == is_seen, (name, view, row, status)


def test_every_model_is_in_every_world(worlds: Worlds) -> None:
    assert models() == sorted(worlds.payments) == sorted(worlds.globex)


@pytest.mark.parametrize("somebody", ["olive", "ada"])
def test_an_owner_and_an_auditor_see_their_organization_and_no_other(
    enter: Enter, request: pytest.FixtureRequest, worlds: Worlds, somebody: str
) -> None:
    client = enter(request.getfixturevalue(somebody))

    for name in models():
        assert_sees(client, name, worlds.payments, is_seen=True)
        assert_sees(client, name, worlds.platform, is_seen=True)
        assert_sees(client, name, worlds.globex, is_seen=False)


def test_another_organizations_owner_sees_theirs_only(enter: Enter, oskar: Person, worlds: Worlds) -> None:
    client = enter(oskar)

    for name in models():
        assert_sees(client, name, worlds.globex, is_seen=True)
        assert_sees(client, name, worlds.payments, is_seen=False)
        assert_sees(client, name, worlds.platform, is_seen=False)


# What is asked for and granted is for those who decide, and for auditors.
NOT_FOR_HELPDESK = {"request"}


def test_helpdesk_sees_the_organization(enter: Enter, hugo: Person, worlds: Worlds) -> None:
    client = enter(hugo)

    for name in set(models()) - set(RECORDS) - NOT_FOR_HELPDESK:
        assert_sees(client, name, worlds.payments, is_seen=True)
        assert_sees(client, name, worlds.platform, is_seen=True)
        assert_sees(client, name, worlds.globex, is_seen=False)


# Neither roles nor how people and accounts are sorted belong to a team; a bulk change is of whoever began it.
OF_NO_TEAM = {
    "accountdiscovery", "bulkchange", "bulkrow", "discoveredaccount", "iamprovider", "iamrole", "ownershiprule",
}  # fmt: skip


def test_a_lead_sees_what_is_the_teams(enter: Enter, lena: Person, worlds: Worlds) -> None:
    client = enter(lena)

    for name in set(models()) - set(RECORDS):
        assert_sees(client, name, worlds.payments, is_seen=name not in OF_NO_TEAM)
        assert_sees(client, name, worlds.platform, is_seen=name == "organization")
        assert_sees(client, name, worlds.globex, is_seen=False)


@pytest.mark.parametrize("somebody", ["hugo", "lena"])
@pytest.mark.parametrize("name", RECORDS)
def test_the_ledger_takes_a_duty_that_includes_it(
    enter: Enter, request: pytest.FixtureRequest, worlds: Worlds, somebody: str, name: str
) -> None:
    client = enter(request.getfixturevalue(somebody))

    assert client.get(address(name)).status_code == 403
    assert client.get(address(name, "change", worlds.payments[name].pk)).status_code == 404
    assert client.get("/admin/ledger/").status_code == 404
    assert "/admin/ledger/" not in client.get("/admin/").content.decode()


def test_a_member_is_sent_home(enter: Enter, mia: Person, worlds: Worlds) -> None:
    client = enter(mia)

    for name in models():
        for path in (address(name), address(name, "change", worlds.payments[name].pk), "/admin/"):
            assert_redirected_home(client, path)


def assert_redirected_home(client: Client, path: str) -> None:
    answer = client.get(path, follow=True)
    assert answer.redirect_chain[-1][0] == "/", (path, answer.redirect_chain)


def test_nobody_is_sent_to_the_sign_in(client: Client, worlds: Worlds) -> None:
    answer = client.get(address("iamuser"), follow=True)

    assert answer.redirect_chain[-1][0].startswith("/auth/login/")


def test_a_duty_that_ended_shows_nothing(enter: Enter, olive: Person, worlds: Worlds) -> None:
    Membership.objects.filter(person=olive).update(ended_at=factories.READ_AT)

    assert_redirected_home(enter(olive), address("iamuser"))


def test_a_duty_in_one_organization_opens_no_records_of_another(
    enter: Enter, ada: Person, globex: Organization, worlds: Worlds
) -> None:
    factories.membership(ada, Duty.HELPDESK, of=globex)
    client = enter(ada)

    assert listed(client, "iamuser") >= {worlds.payments["iamuser"].pk, worlds.globex["iamuser"].pk}
    for name in RECORDS:
        assert_sees(client, name, worlds.payments, is_seen=True)
        assert_sees(client, name, worlds.globex, is_seen=False)


def test_being_a_member_elsewhere_opens_no_records_there(
    enter: Enter, lena: Person, core: Team, worlds: Worlds
) -> None:
    membership = factories.membership(lena, Duty.MEMBER, of=core.organization, team=core)
    client = enter(lena)

    assert core.pk not in listed(client, "team")
    assert membership.pk not in listed(client, "membership")
    assert core.organization.pk not in listed(client, "organization")


@pytest.mark.parametrize("view", ["change", "delete", "history"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_organizations_row_answers_as_one_that_never_was(
    enter: Enter, olive: Person, worlds: Worlds, view: str, method: str
) -> None:
    client = enter(olive)

    for name in models():
        row = worlds.globex[name]
        there, nowhere = address(name, view, row.pk), address(name, view, nobodys(row))
        answer, of_nobody = (getattr(client, method)(path, {"post": "yes"}) for path in (there, nowhere))

        assert answer.status_code == of_nobody.status_code == 404, name
        assert plain(answer.content, there) == plain(of_nobody.content, nowhere), name


def nobodys(row: Model) -> object:
    return uuid.UUID(int=4) if isinstance(row.pk, uuid.UUID) else 987654321


def plain(body: bytes, path: str) -> bytes:
    return CSRF_TOKEN.sub(b"", body).replace(path.encode(), b"")


@pytest.mark.parametrize("somebody", ["olive", "lena"])
def test_no_page_names_another_organization(
    enter: Enter, request: pytest.FixtureRequest, worlds: Worlds, somebody: str
) -> None:
    client = enter(request.getfixturevalue(somebody))

    for name in models():
        own = worlds.payments[name].pk
        pages = (address(name), f"{address(name)}?_facets=1", f"{address(name)}?q=globex", address(name, "change", own))

        for page in pages:
            text = client.get(page).content.decode().replace("q=globex", "").replace('value="globex"', "")
            for word in ("globex", "Globex", "917003554466", "oskar", "Oskar"):
                assert word not in text, (page, word)


def test_no_page_of_a_lead_names_another_team(enter: Enter, lena: Person, worlds: Worlds) -> None:
    client = enter(lena)

    for name in models():
        for page in (address(name), address(name, "change", worlds.payments[name].pk)):
            text = client.get(page).content.decode()
            for word in ("Team1002", "acme-1002", "acme-user-1002", "somebody1002"):
                assert word not in text, (page, word)
