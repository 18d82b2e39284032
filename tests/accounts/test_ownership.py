"""Whose an imported IAM user is: tags before rules, the first rule that fits, and nobody by a hostile name."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, Duty, IAMUser, Membership, Organization, Person, Team
from accounts.ownership import Owners, preview
from tests import factories

SaidBy = IAMUser.SaidBy


@dataclass(frozen=True)
class Told:
    """What AWS tells of an IAM user."""

    user_name: str = "mia"
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)


def filled(account: Account, **told: Any) -> IAMUser:
    """A new row for an IAM user of which AWS tells this."""
    row = IAMUser(organization=account.organization, account=account)
    Owners(account.organization).fill(row, Told(**told))
    return row


def whose(row: IAMUser) -> tuple[Team | None, Person | None, str, str]:
    return row.team, row.owner, row.team_said_by, row.owner_said_by


# Tags


def test_tags_tell_team_and_owner_whatever_their_case(acme_prod: Account, payments: Team, mia: Person) -> None:
    row = filled(acme_prod, tags={"TEAM": " payments ", "Owner": "MIA@Acme.test"})

    assert whose(row) == (payments, mia, SaidBy.TAGS, SaidBy.TAGS)


def test_the_organization_names_the_tags(acme: Organization, acme_prod: Account, payments: Team, mia: Person) -> None:
    acme.team_tag, acme.owner_tag = "Cost:Team", "contact"

    row = filled(acme_prod, tags={"cost:team": "Payments", "CONTACT": "mia@acme.test", "team": "x", "owner": "x"})

    assert whose(row) == (payments, mia, SaidBy.TAGS, SaidBy.TAGS)


def test_a_team_whose_name_no_tag_may_hold_is_named_by_its_slug(acme: Organization, acme_prod: Account) -> None:
    team = Team.objects.create(organization=acme, name="R&D", slug="r-and-d")

    assert filled(acme_prod, tags={"team": "R-and-D"}).team == team


def test_a_name_goes_before_the_slug_of_another(acme: Organization, acme_prod: Account) -> None:
    named = Team.objects.create(organization=acme, name="Data", slug="analytics")
    Team.objects.create(organization=acme, name="Analytics of old", slug="data")

    assert filled(acme_prod, tags={"team": "data"}).team == named


NO_TEAMS = ["", " ", "%", "_ayments", "Payments%", "*", "Core", "core", "p" * 300, "<b>", "{{ 7 }}", "\u202ePayments"]


@pytest.mark.parametrize("value", [*NO_TEAMS, "\x00"])
def test_a_team_that_the_organization_does_not_have_is_not_heard(
    acme_prod: Account, payments: Team, core: Team, value: str
) -> None:
    assert whose(filled(acme_prod, tags={"team": value})) == (None, None, "", "")


@pytest.mark.parametrize("value", ["", "oskar@globex.test", "olive", "*@acme.test", "' OR 1=1 --", "ada@acme.test "])
def test_only_an_e_mail_of_somebody_here_names_an_owner(
    acme_prod: Account, ada: Person, olive: Person, oskar: Person, value: str
) -> None:
    assert filled(acme_prod, tags={"owner": value}).owner == (ada if "ada" in value else None)


@pytest.mark.parametrize("ending", ["disabled", "left"])
def test_who_is_disabled_or_has_left_owns_nothing(
    acme: Organization, acme_prod: Account, payments: Team, mia: Person, ending: str
) -> None:
    factories.ownership_rule(acme, owner=mia, team=payments)
    if ending == "disabled":
        Person.objects.filter(pk=mia.pk).update(is_active=False)
    else:
        Membership.objects.filter(person=mia).update(ended_at=timezone.now())

    assert whose(filled(acme_prod, tags={"owner": "mia@acme.test"})) == (payments, None, SaidBy.RULE, "")


def test_a_purpose_is_one_line_of_what_is_printed(acme_prod: Account) -> None:
    row = filled(acme_prod, tags={"Kind": "Application", "Purpose": "\u202eWrites\x00\n" + "p" * 256})

    assert (row.kind, row.purpose) == (IAMUser.Kind.APPLICATION, ("Writes" + "p" * 256)[:200])


# Rules


def test_a_rule_tells_what_the_tags_do_not(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person, ada: Person
) -> None:
    factories.ownership_rule(acme, path_prefix="/people/", team=platform, owner=ada)

    row = filled(acme_prod, path="/people/berlin/", tags={"team": "Payments"})

    assert whose(row) == (payments, ada, SaidBy.TAGS, SaidBy.RULE)


def test_the_first_rule_that_fits_decides_alone(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, ada: Person
) -> None:
    factories.ownership_rule(acme, name_pattern="never-*", team=platform, position=1)
    factories.ownership_rule(acme, team=platform, owner=ada, position=3)
    factories.ownership_rule(acme, name_pattern="m*", team=payments, position=2)

    assert whose(filled(acme_prod)) == (payments, None, SaidBy.RULE, "")


def test_a_rule_of_one_account_says_nothing_of_another(
    acme: Organization, acme_prod: Account, acme_dev: Account, payments: Team
) -> None:
    factories.ownership_rule(acme, account=acme_dev, team=payments)

    assert filled(acme_prod).team is None
    assert filled(acme_dev).team == payments


def test_a_rule_of_another_organization_says_nothing(acme_prod: Account, globex: Organization, core: Team) -> None:
    factories.ownership_rule(globex, team=core)

    assert filled(acme_prod).team is None


@pytest.mark.parametrize(
    ("prefix", "path", "fits"),
    [
        ("/", "/", True), ("/", "/a/b/", True), ("/a/", "/a/", True), ("/a/", "/a/b/", True), ("/a/", "/A/", False),
        ("/a/", "/ab/", False), ("/a/", "/", False), ("/%/", "/a/", False), ("/*/", "/a/", False),
    ],
)  # fmt: skip
def test_a_path_is_a_prefix_that_tells_upper_from_lower_case(
    acme: Organization, payments: Team, prefix: str, path: str, fits: bool
) -> None:
    rule = factories.ownership_rule(acme, path_prefix=prefix, team=payments)

    assert rule.fits(account_id=None, path=path, user_name="mia") is fits


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "a", True), ("mia", "MIA", True), ("MIA", "mia", True), ("mia", "mia2", False), ("mi?", "mia", True),
        ("mia?", "mia", False), ("?", "ab", False), ("svc-*", "SVC-ledger", True), ("svc-*", "svc-", True),
        ("svc-*", "a-svc-x", False), ("*-bot", "ledger-bot", True), ("*-bot", "ledger-bots", False),
        ("*a*b*", "xxaxxbxx", True), ("*a*b*", "xxbxxaxx", False), ("a*a", "a", False), ("a*a", "aa", True),
        ("*aa", "aaa", True), ("a?*?d", "abcd", True), ("a?*?d", "abd", False), ("a**b", "ab", True),
        (".", "x", False), ("a.b", "axb", False), ("a+", "aa", False), ("a+", "a+", True), ("*?b*b", "ab-bb", True),
        ("*ab*ab", "ab", False),
    ],
)  # fmt: skip
def test_a_pattern_knows_the_two_wildcards_of_aws_and_no_others(
    acme: Organization, payments: Team, pattern: str, name: str, fits: bool
) -> None:
    rule = factories.ownership_rule(acme, name_pattern=pattern, team=payments)

    assert rule.fits(account_id=None, path="/", user_name=name) is fits


@pytest.mark.parametrize("pattern", ["a*" * 63 + "b", "?*" * 64, "*a?" * 42 + "b", "*" * 128])
def test_no_pattern_takes_long(acme: Organization, payments: Team, pattern: str) -> None:
    rule = factories.ownership_rule(acme, name_pattern=pattern, team=payments)

    began = time.perf_counter()
    for _ in range(100):
        rule.fits(account_id=None, path="/", user_name="a" * 128)

    # A pattern that tries every way would take longer than anybody waits; this one needs milliseconds.
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("pattern", ["[ab]", "a b", "", "(a+)+", "a\\*", "mia\u202e", "^mia$", "a|b", "{{a}}", "<b>"])
def test_a_pattern_of_other_letters_is_none(acme: Organization, payments: Team, pattern: str) -> None:
    rule = factories.ownership_rule(acme, team=payments)
    rule.name_pattern = pattern

    with pytest.raises(ValidationError):
        rule.full_clean()


# Once more, at a later import


def test_what_tags_and_rules_said_follows_them(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person, ada: Person
) -> None:
    rule = factories.ownership_rule(acme, owner=mia)
    row = filled(acme_prod, tags={"team": "Payments"})
    rule.owner = ada
    rule.save()

    assert Owners(acme).refresh(row, Told(tags={"team": "Platform"}))
    assert whose(row) == (platform, ada, SaidBy.TAGS, SaidBy.RULE)

    rule.delete()
    assert Owners(acme).refresh(row, Told())
    assert whose(row) == (None, None, "", "")
    assert not Owners(acme).refresh(row, Told())


def test_what_a_person_said_stays_and_the_rest_follows(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person, ada: Person
) -> None:
    row = IAMUser(organization=acme, account=acme_prod, team=payments, team_said_by=SaidBy.HAND)

    assert Owners(acme).refresh(row, Told(tags={"team": "Platform", "owner": "ada@acme.test"}))
    assert whose(row) == (payments, ada, SaidBy.HAND, SaidBy.TAGS)


def test_a_row_of_which_nobody_knows_who_said_it_is_left_as_it_is(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person
) -> None:
    row = IAMUser(organization=acme, account=acme_prod, team=payments, owner=mia)

    assert not Owners(acme).refresh(row, Told(tags={"team": "Platform"}))


# How much it costs


def test_a_thousand_iam_users_take_as_many_queries_as_one(
    acme: Organization, acme_prod: Account, payments: Team, mia: Person, ada: Person
) -> None:
    for number in range(20):
        factories.member(f"member{number}@acme.test", Duty.MEMBER, of=acme)
        factories.ownership_rule(acme, name_pattern=f"*-{number}", team=payments)

    with CaptureQueriesContext(connection) as queries:
        owners = Owners(acme)
        rows = []
        for number in range(1000):
            row = IAMUser(organization=acme, account=acme_prod)
            owners.fill(row, Told(user_name=f"robot-{number}", tags={"owner": "mia@acme.test"}))
            owners.refresh(row, Told(user_name=f"robot-{number}", tags={"owner": "ada@acme.test"}))
            rows.append(row)

    assert len(queries) == 3
    assert {row.owner_id for row in rows} == {ada.pk}
    assert sum(row.team_id == payments.pk for row in rows) == 20


# What the page shows beforehand


def test_a_preview_counts_what_each_rule_would_give(
    acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person, globex_main: Account
) -> None:
    first = factories.ownership_rule(acme, path_prefix="/a/", team=payments)
    second = factories.ownership_rule(acme, team=platform)
    factories.iam_user(acme_prod, "of-first", path="/a/")
    factories.iam_user(acme_prod, "of-second")
    factories.iam_user(acme_prod, "has-a-team", team=payments)
    factories.iam_user(acme_prod, "by-its-tags", tags={"team": "Payments"})
    factories.iam_user(acme_prod, "has-both", team=payments, owner=mia)
    factories.iam_user(acme_prod, "gone", gone_at=factories.READ_AT)
    factories.iam_user(globex_main, "of-another-organization")

    found = preview(acme)

    assert (found.unassigned, found.read, found.assigned) == (4, 4, 3)
    assert found.by_rule == {first.pk: 1, second.pk: 1}
    assert not IAMUser.objects.exclude(team_said_by="").exists()
