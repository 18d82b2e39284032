"""Deciding by which tags and rules imported IAM users find their team and owner, and applying them now."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, Duty, IAMUser, Organization, OwnershipRule, Person, Team
from accounts.usecases import ownership, ownership_rules
from accounts.usecases.ownership import apply_ownership_rules
from accounts.usecases.ownership_rules import (
    change_ownership_rule,
    create_ownership_rule,
    delete_ownership_rule,
    move_ownership_rule,
    set_tag_names,
)
from portal.ledger.models import Entry
from tests import factories

LeavesNothing = Callable[..., Any]


@pytest.fixture
def rules(acme: Organization, payments: Team) -> list[OwnershipRule]:
    """Three, with gaps between their positions."""
    return [
        factories.ownership_rule(acme, name_pattern=name, team=payments, position=position)
        for name, position in (("a", 1), ("b", 4), ("c", 5))
    ]


def decide(what: str, *, by: Person, acme: Organization, rule: OwnershipRule, payments: Team) -> object:
    """One of the decisions, with everything right."""
    at = timezone.now()
    says: dict[str, Any] = {"path_prefix": "/x/", "name_pattern": "*", "account": None, "team": payments, "owner": None}
    match what:
        case "create":
            return create_ownership_rule(by=by, organization=acme, at=at, **says)
        case "change":
            return change_ownership_rule(by=by, rule=rule, at=at, **says)
        case "move":
            return move_ownership_rule(by=by, rule=rule, to=2, at=at)
        case "delete":
            return delete_ownership_rule(by=by, rule=rule, at=at)
        case "name":
            return set_tag_names(by=by, organization=acme, team_tag="squad", owner_tag="owner", at=at)
        case _:
            return apply_ownership_rules(by=by, organization=acme, at=at)


DECISIONS = ["create", "change", "move", "delete", "name", "apply"]


@pytest.mark.parametrize("what", DECISIONS)
@pytest.mark.parametrize("who", ["lena", "hugo", "ada", "mia", "oskar"])
def test_only_owners_and_admins_decide_about_rules(
    request: pytest.FixtureRequest, who: str, what: str, acme: Organization, payments: Team, acme_prod: Account,
    rules: list[OwnershipRule], leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    factories.iam_user(acme_prod, "a")
    somebody = request.getfixturevalue(who)
    sees_none = who == "oskar" or (who in {"lena", "mia"} and what in {"change", "move", "delete"})

    with leaves_nothing(access.NotThere if sees_none else access.NotAllowed):
        decide(what, by=somebody, acme=acme, rule=rules[0], payments=payments)


@pytest.mark.parametrize("what", DECISIONS)
def test_an_admin_decides_and_it_stands_in_the_ledger_with_the_reason(
    what: str, acme: Organization, payments: Team, acme_prod: Account, rules: list[OwnershipRule]
) -> None:
    factories.iam_user(acme_prod, "a")
    admin = factories.member("anna@acme.test", Duty.ADMIN, of=acme)

    decide(what, by=admin, acme=acme, rule=rules[0], payments=payments)

    assert Entry.objects.get().by_name == "Anna"


# One rule


def test_a_new_rule_stands_behind_all_others(
    olive: Person, acme: Organization, acme_prod: Account, payments: Team, mia: Person, rules: list[OwnershipRule]
) -> None:
    rule = create_ownership_rule(
        by=olive, organization=acme, account=acme_prod, path_prefix="/people/", name_pattern="m*", team=payments,
        owner=mia, reason="Payments' people", at=timezone.now(),
    )  # fmt: skip

    assert list(OwnershipRule.objects.order_by("position")) == [*rules, rule]
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_id, entry.subject_name, entry.reason) == (
        Kind.OWNERSHIP_RULE_CREATED, str(rule.pk), "/people/m*", "Payments' people",
    )  # fmt: skip
    assert entry.details == {
        "path_prefix": "/people/", "name_pattern": "m*", "account": "111122223333", "team": "Payments",
        "owner": "mia@acme.test",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path_prefix", "people/"), ("path_prefix", "/people"), ("path_prefix", ""), ("path_prefix", "/a b/"),
        ("path_prefix", "/" + "x" * 600 + "/"), ("path_prefix", "/\u202e/"), ("path_prefix", "/\x00/"),
        ("name_pattern", ""), ("name_pattern", "[a]"), ("name_pattern", "a" * 129), ("name_pattern", "<script>"),
        ("name_pattern", "{{ 7 }}"), ("name_pattern", "a\n"), ("name_pattern", "\x00"),
    ],
)  # fmt: skip
def test_a_path_or_pattern_that_can_be_none_is_refused_at_its_field(
    olive: Person, acme: Organization, payments: Team, field: str, value: str, leaves_nothing: LeavesNothing
) -> None:
    what: dict[str, Any] = {field: value}

    with leaves_nothing(ValidationError) as refused:
        create_ownership_rule(by=olive, organization=acme, team=payments, at=timezone.now(), **what)
    assert list(refused.value.error_dict) == [field]


def test_a_rule_that_says_nothing_is_refused(olive: Person, acme: Organization, leaves_nothing: LeavesNothing) -> None:
    with leaves_nothing(ValidationError, match="a team, an owner, or both"):
        create_ownership_rule(by=olive, organization=acme, at=timezone.now())


def test_a_rule_names_nothing_of_another_organization(
    olive: Person, acme: Organization, payments: Team, core: Team, globex_main: Account, oskar: Person,
    rules: list[OwnershipRule], leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    at = timezone.now()

    with leaves_nothing(access.NotThere):
        create_ownership_rule(by=olive, organization=acme, team=core, at=at)
    with leaves_nothing(access.NotThere):
        create_ownership_rule(by=olive, organization=acme, team=payments, account=globex_main, at=at)
    with leaves_nothing(ValidationError, match="somebody of your organization"):
        create_ownership_rule(by=olive, organization=acme, owner=oskar, at=at)
    with leaves_nothing(access.NotThere):
        change_ownership_rule(
            by=olive, rule=rules[0], path_prefix="/", name_pattern="a", account=None, team=core, owner=None, at=at
        )


def test_a_rule_is_changed_in_its_place(
    olive: Person, platform: Team, acme_prod: Account, rules: list[OwnershipRule], leaves_nothing: LeavesNothing
) -> None:
    says: dict[str, Any] = {
        "path_prefix": "/x/", "name_pattern": "b*", "account": acme_prod, "team": platform, "owner": olive
    }  # fmt: skip

    changed = change_ownership_rule(by=olive, rule=rules[1], at=timezone.now(), **says)

    rules[1].refresh_from_db()
    assert {name: getattr(rules[1], name) for name in says} == says
    assert list(OwnershipRule.objects.order_by("position")) == [rules[0], changed, rules[2]]
    assert Entry.objects.get().details["before"]["name_pattern"] == "b"
    with leaves_nothing(ValidationError, match="already"):
        change_ownership_rule(by=olive, rule=rules[1], at=timezone.now(), **says)


@pytest.mark.parametrize(
    ("which", "to", "order"), [(0, 2, "bac"), (0, 3, "bca"), (2, 1, "cab"), (2, 2, "acb"), (1, 1, "bac"), (1, 3, "acb")]
)
def test_a_rule_is_moved_to_a_place(olive: Person, rules: list[OwnershipRule], which: int, to: int, order: str) -> None:
    move_ownership_rule(by=olive, rule=rules[which], to=to, at=timezone.now())

    found = OwnershipRule.objects.order_by("position").values_list("name_pattern", "position")
    assert list(found) == [(name, place) for place, name in enumerate(order, start=1)]
    assert Entry.objects.get().details == {"place": to, "before": {"place": which + 1}}


@pytest.mark.parametrize("to", [-1, 0, 2, 4, 10**9])
def test_a_place_that_is_none_is_refused(
    olive: Person, rules: list[OwnershipRule], to: int, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="changed the rules"):
        move_ownership_rule(by=olive, rule=rules[1], to=to, at=timezone.now())


def test_a_rule_is_deleted_once(olive: Person, rules: list[OwnershipRule], leaves_nothing: LeavesNothing) -> None:
    delete_ownership_rule(by=olive, rule=rules[1], at=timezone.now())

    assert list(OwnershipRule.objects.order_by("position")) == [rules[0], rules[2]]
    assert Entry.objects.get().details["name_pattern"] == "b"
    with leaves_nothing(access.NotThere):
        delete_ownership_rule(by=olive, rule=rules[1], at=timezone.now())


def test_there_is_an_end_to_rules(
    monkeypatch: pytest.MonkeyPatch, olive: Person, acme: Organization, payments: Team, rules: list[OwnershipRule],
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    monkeypatch.setattr(ownership_rules, "RULES_AT_MOST", 3)

    with leaves_nothing(ValidationError, match="at most 3 rules"):
        create_ownership_rule(by=olive, organization=acme, team=payments, at=timezone.now())


# The tags


def test_the_tags_are_named(olive: Person, acme: Organization) -> None:
    set_tag_names(by=olive, organization=acme, team_tag=" squad ", owner_tag="Kontakt:ä", at=timezone.now())

    acme.refresh_from_db()
    assert (acme.team_tag, acme.owner_tag) == ("squad", "Kontakt:ä")
    assert Entry.objects.get().details == {
        "team_tag": "squad", "owner_tag": "Kontakt:ä", "before": {"team_tag": "team", "owner_tag": "owner"}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("team_tag", "owner_tag"),
    [
        ("", "owner"), ("team", ""), ("a" * 129, "owner"), ("<b>", "owner"), ("{{x}}", "owner"), ("te\x00am", "owner"),
        ("aws:team", "owner"), ("team", "gatehouse:entry"), ("Team", "tEAM"), ("team", "owner"),
        ("\u202eteam", "owner"),
    ],
)  # fmt: skip
def test_a_name_that_no_tag_has_is_refused(
    olive: Person, acme: Organization, team_tag: str, owner_tag: str, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError):
        set_tag_names(by=olive, organization=acme, team_tag=team_tag, owner_tag=owner_tag, at=timezone.now())


# Now


def test_tags_and_rules_are_applied_to_the_unassigned_alone(
    olive: Person, acme: Organization, acme_prod: Account, payments: Team, platform: Team, mia: Person,
    globex_main: Account,
) -> None:  # fmt: skip
    factories.ownership_rule(acme, name_pattern="robot-*", team=payments, owner=mia)
    by_rule = factories.iam_user(acme_prod, "robot-1")
    by_tag = factories.iam_user(acme_prod, "robot-2", tags={"team": "Platform"})
    by_hand = factories.iam_user(acme_prod, "robot-3", team=platform, team_said_by="hand")
    assigned = factories.iam_user(acme_prod, "robot-4", team=platform, owner=olive, team_said_by="rule")
    elsewhere = factories.iam_user(globex_main, "robot-5", tags={"team": "Core"})
    gone = factories.iam_user(acme_prod, "robot-6", gone_at=factories.READ_AT)
    other = factories.iam_user(acme_prod, "other")

    apply_ownership_rules(by=olive, organization=acme, reason="First day", at=timezone.now())

    rows = {row.pk: (row.team, row.owner, row.team_said_by, row.owner_said_by) for row in IAMUser.objects.all()}
    assert rows == {
        by_rule.pk: (payments, mia, "rule", "rule"),
        by_tag.pk: (platform, mia, "tags", "rule"),
        by_hand.pk: (platform, mia, "hand", "rule"),
        assigned.pk: (platform, olive, "rule", ""),
        elsewhere.pk: (None, None, "", ""),
        gone.pk: (None, None, "", ""),
        other.pk: (None, None, "", ""),
    }
    entry = Entry.objects.get()
    assert (entry.kind, entry.reason, entry.subject_type) == (Kind.OWNERSHIP_RULES_APPLIED, "First day", "organization")
    assert entry.details["iam_users"] == [
        {"arn": by_rule.arn, "team": "Payments", "owner": "mia@acme.test"},
        {"arn": by_tag.arn, "team": "Platform", "owner": "mia@acme.test"},
        {"arn": by_hand.arn, "team": "Platform", "owner": "mia@acme.test"},
    ]


def test_the_ledger_has_many_as_several_lists(
    monkeypatch: pytest.MonkeyPatch, olive: Person, acme: Organization, acme_prod: Account, payments: Team
) -> None:
    monkeypatch.setattr(ownership, "LISTED_IN_AN_ENTRY", 2)
    factories.ownership_rule(acme, team=payments)
    for number in range(5):
        factories.iam_user(acme_prod, f"robot-{number}")

    apply_ownership_rules(by=olive, organization=acme, at=timezone.now())

    listed = [len(entry.details["iam_users"]) for entry in Entry.objects.order_by("sequence")]
    assert listed == [2, 2, 1]
    assert IAMUser.objects.filter(team=payments).count() == 5


def test_where_nothing_fits_it_says_so(
    olive: Person, acme: Organization, acme_prod: Account, rules: list[OwnershipRule], leaves_nothing: LeavesNothing
) -> None:
    factories.iam_user(acme_prod, "z")

    with leaves_nothing(ValidationError, match="Neither tags nor rules"):
        apply_ownership_rules(by=olive, organization=acme, at=timezone.now())
