"""Whose IAM users are: the tags, the rules, and what they would do."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account, IAMUser, Organization, OwnershipRule, Person, Team
from portal.ledger.models import Entry
from tests import factories
from tests.accounts.views.conftest import Enter

pytestmark = pytest.mark.usefixtures("envelope")


def page(client: Client) -> str:
    return client.get(reverse("ownership")).content.decode()


@pytest.fixture
def rules(acme: Organization, acme_dev: Account, payments: Team, mia: Person) -> list[OwnershipRule]:
    return [
        factories.ownership_rule(acme, name_pattern="ledger-*", team=payments, owner=mia),
        factories.ownership_rule(acme, path_prefix="/people/", account=acme_dev, owner=mia),
    ]


def test_it_shows_the_rules_in_their_order_and_what_each_would_take(
    enter: Enter, olive: Person, acme_prod: Account, acme_dev: Account, rules: list[OwnershipRule]
) -> None:
    factories.iam_user(acme_prod, "ledger-reader", path="/people/")
    factories.iam_user(acme_dev, "anna", path="/people/")
    factories.iam_user(acme_dev, "ben", path="/people/berlin/")
    factories.iam_user(acme_dev, "other")

    text = page(enter(olive))

    assert re.findall(r"<code>([^<]+)</code>", text)[:3] == ["ledger-*", "*", "/people/"]
    assert re.findall(r"Would take (\w+) of the unassigned", text) == ["1", "2"]
    assert "4 IAM users</a> without a team or an owner" in text
    assert "would say more of 3: when" in text


def test_without_rules_it_says_what_one_would_do(enter: Enter, olive: Person) -> None:
    text = page(enter(olive))

    assert "No rules yet" in text
    assert "Each IAM user has a team and an owner." in text


@pytest.mark.parametrize(
    ("who", "status", "changes"),
    [("olive", 200, True), ("hugo", 200, False), ("ada", 200, False), ("lena", 403, False), ("mia", 403, False)],
)
def test_who_sees_the_organization_whole_looks_and_owners_change(
    request: pytest.FixtureRequest, enter: Enter, who: str, status: int, changes: bool, rules: list[OwnershipRule]
) -> None:
    answer = enter(request.getfixturevalue(who)).get(reverse("ownership"))

    assert answer.status_code == status
    assert (reverse("create_ownership_rule") in answer.content.decode()) is changes
    assert (reverse("move_ownership_rule", args=[rules[0].pk]) in answer.content.decode()) is changes


@pytest.mark.parametrize("who", ["hugo", "ada", "lena", "mia"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "name", ["set_tag_names", "apply_ownership_rules", "create_ownership_rule", "change", "delete"]
)
def test_those_without_the_duty_change_nothing(
    request: pytest.FixtureRequest, enter: Enter, who: str, method: str, name: str, rules: list[OwnershipRule]
) -> None:
    client = enter(request.getfixturevalue(who))
    of_one = name in {"change", "delete"}
    address = reverse(f"{name}_ownership_rule", args=[rules[0].pk]) if of_one else reverse(name)

    answer = getattr(client, method)(address, {"reason": "x", "team_tag": "a", "owner_tag": "b"})

    assert answer.status_code == (404 if of_one and who in {"lena", "mia"} else 403)
    assert not Entry.objects.exists()
    assert OwnershipRule.objects.count() == 2


def test_a_rule_is_added_changed_moved_and_deleted(
    enter: Enter, olive: Person, acme_prod: Account, payments: Team, mia: Person, rules: list[OwnershipRule]
) -> None:
    client = enter(olive)
    says = {
        "path_prefix": "/x/",
        "name_pattern": "svc-*",
        "account": acme_prod.pk,
        "team": payments.pk,
        "reason": "New",
    }

    assert client.post(reverse("create_ownership_rule"), says).headers["Location"] == reverse("ownership")
    rule = OwnershipRule.objects.get(name_pattern="svc-*")
    changed = says | {"name_pattern": "job-*", "owner": mia.pk}
    client.post(reverse("change_ownership_rule", args=[rule.pk]), changed)
    client.post(reverse("move_ownership_rule", args=[rule.pk]), {"to": "1"})
    client.post(reverse("delete_ownership_rule", args=[rules[0].pk]), {"reason": "Old"})

    rows = OwnershipRule.objects.order_by("position")
    assert [(row.name_pattern, row.path_prefix, row.account, row.owner) for row in rows] == [
        ("job-*", "/x/", acme_prod, mia),
        ("*", "/people/", rules[1].account, mia),
    ]
    assert [entry.kind.rsplit(".", 1)[1] for entry in Entry.objects.order_by("sequence")] == [
        "created", "changed", "moved", "deleted",
    ]  # fmt: skip


def test_the_form_of_a_rule_has_what_it_says(enter: Enter, olive: Person, rules: list[OwnershipRule]) -> None:
    text = enter(olive).get(reverse("change_ownership_rule", args=[rules[0].pk])).content.decode()

    assert 'value="ledger-*"' in text
    assert len(re.findall(r"<option value=\"\d+\" selected", text)) == 2


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"path_prefix": "people"}, "begins and ends with a slash"),
        ({"name_pattern": "[a]"}, "the wildcards * and ?"),
        ({"team": ""}, "names a team, an owner, or both"),
    ],
)
def test_a_refusal_keeps_what_was_typed(
    enter: Enter, olive: Person, payments: Team, sent: dict[str, str], words: str
) -> None:
    says = {"path_prefix": "/x/", "name_pattern": "svc-*", "team": payments.pk, "reason": "Why not"} | sent

    text = enter(olive).post(reverse("create_ownership_rule"), says).content.decode()

    assert words in text
    assert 'value="Why not"' in text
    assert not OwnershipRule.objects.exists()


@pytest.mark.parametrize("field", ["team", "owner", "account"])
def test_what_is_another_organizations_is_not_there(
    enter: Enter, olive: Person, oskar: Person, core: Team, globex_main: Account, payments: Team,
    rules: list[OwnershipRule], field: str,
) -> None:  # fmt: skip
    says = {"path_prefix": "/", "name_pattern": "*", "team": payments.pk}
    says |= {field: {"team": core.pk, "owner": oskar.pk, "account": globex_main.pk}[field]}

    for address in (reverse("create_ownership_rule"), reverse("change_ownership_rule", args=[rules[0].pk])):
        assert enter(olive).post(address, says).status_code == 404
    assert OwnershipRule.objects.count() == 2
    assert not Entry.objects.exists()


@pytest.mark.parametrize("to", ["", "x", "-1", "9" * 30, "\x00", "²"])
def test_a_place_that_is_no_number_is_not_there(
    enter: Enter, olive: Person, rules: list[OwnershipRule], to: str
) -> None:
    assert enter(olive).post(reverse("move_ownership_rule", args=[rules[0].pk]), {"to": to}).status_code == 404
    assert not Entry.objects.exists()


def test_a_place_that_is_gone_is_told(enter: Enter, olive: Person, rules: list[OwnershipRule]) -> None:
    answer = enter(olive).post(reverse("move_ownership_rule", args=[rules[0].pk]), {"to": "9"}, follow=True)

    assert "Somebody has changed the rules meanwhile" in answer.content.decode()


def test_the_tags_are_named_and_nothing_else_of_the_organization(
    enter: Enter, olive: Person, acme: Organization
) -> None:
    client = enter(olive)

    client.post(reverse("set_tag_names"), {"team_tag": "squad", "owner_tag": "contact", "name": "x", "slug": "x"})

    acme.refresh_from_db()
    assert (acme.team_tag, acme.owner_tag, acme.name, acme.slug) == ("squad", "contact", "Acme", "acme")
    assert "<code>squad</code>" in page(client)


def test_tags_and_rules_are_applied_from_the_page(
    enter: Enter, olive: Person, acme_prod: Account, payments: Team, rules: list[OwnershipRule]
) -> None:
    factories.iam_user(acme_prod, "ledger-reader")
    factories.iam_user(acme_prod, "other")
    client = enter(olive)
    assert "1 of 2 unassigned IAM users get" in client.get(reverse("apply_ownership_rules")).content.decode()

    answer = client.post(reverse("apply_ownership_rules"), {"reason": "First day"}, follow=True)

    assert "Tags and rules: 1 assigned." in answer.content.decode()
    assert IAMUser.objects.get(user_name="ledger-reader").team == payments
    again = client.post(reverse("apply_ownership_rules"), {"reason": ""}).content.decode()
    assert "Neither tags nor rules say whose" in again


def test_hostile_names_are_text(enter: Enter, olive: Person, acme: Organization) -> None:
    hostile = "\u202e<script>alert(1)</script>{{ 7 }}"
    team = Team.objects.create(organization=acme, name=hostile, slug="hostile")
    account = factories.account(acme, "999988887777", name=hostile)
    factories.ownership_rule(acme, team=team, account=account)

    text = page(enter(olive))

    assert "<script>alert" not in text
    assert text.count("<bdi>\u202e&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 }}</bdi>") == 2


def test_more_rules_and_unassigned_need_no_more_queries(
    enter: Enter, olive: Person, acme: Organization, acme_prod: Account, payments: Team, mia: Person
) -> None:
    client = enter(olive)
    factories.ownership_rule(acme, account=acme_prod, team=payments, owner=mia)
    factories.iam_user(acme_prod, "robot")
    with CaptureQueriesContext(connection) as for_one:
        page(client)
    for number in range(40):
        factories.ownership_rule(acme, account=acme_prod, name_pattern=f"*-{number}", team=payments, owner=mia)
        factories.iam_user(acme_prod, f"robot-{number}")

    with CaptureQueriesContext(connection) as for_many:
        page(client)

    assert len(for_many) == len(for_one)


@pytest.mark.parametrize(("who", "says"), [("olive", True), ("hugo", False), ("ada", False), ("lena", False)])
def test_home_says_to_owners_how_many_are_unassigned(
    request: pytest.FixtureRequest, enter: Enter, who: str, says: bool, ledger_writer: IAMUser, acme_dev: Account
) -> None:
    factories.iam_user(acme_dev, "robot")

    text = enter(request.getfixturevalue(who)).get(reverse("home")).content.decode()

    assert ("2 IAM users</a>" in text) is says
    assert (f"{reverse('team')}?unassigned=any" in text) is says
