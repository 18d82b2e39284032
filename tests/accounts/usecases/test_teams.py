"""Creating and renaming teams."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, Duty, Envelope, Organization, Person, Team
from accounts.usecases.teams import create_team, rename_team
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_new_team_has_an_envelope_that_gives_nothing(olive: Person, acme: Organization, acme_prod: Account) -> None:
    team = create_team(by=olive, organization=acme, name="  Data Platform ", at=AT, reason="New")

    envelope = Envelope.objects.get(team=team)
    assert (team.name, team.slug, envelope.path) == ("Data Platform", "data-platform", "/portal/acme/data-platform/")
    assert (envelope.accounts.count(), envelope.groups.count(), envelope.policies.count()) == (0, 0, 0)
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_name, entry.details, entry.reason) == (
        "accounts.team.created", "Data Platform", {"name": "Data Platform"}, "New",
    )  # fmt: skip


def test_an_admin_renames_a_team_and_its_path_stays(acme: Organization, payments: Team, envelope: None) -> None:
    anna = factories.member("anna@acme.test", Duty.ADMIN, of=acme)

    rename_team(by=anna, team=payments, name="Payments and Billing", at=AT)

    payments.refresh_from_db()
    assert (payments.name, payments.slug) == ("Payments and Billing", "payments")
    assert Envelope.objects.get(team=payments).path == "/portal/acme/payments/"
    assert Entry.objects.get().details == {"name": "Payments and Billing", "before": "Payments"}


@pytest.mark.parametrize("who", ["lena", "hugo", "ada", "mia", "oskar"])
def test_nobody_else_makes_or_renames_one(
    request: pytest.FixtureRequest, who: str, acme: Organization, payments: Team, leaves_nothing: Block
) -> None:
    by, refusal = request.getfixturevalue(who), NotThere if who == "oskar" else NotAllowed

    with leaves_nothing(refusal):
        create_team(by=by, organization=acme, name="Mine", at=AT)
    with leaves_nothing(refusal):
        rename_team(by=by, team=payments, name="Mine", at=AT)


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "a\nb", "\u202eabc", "a\x00b", "\ud800"])
def test_a_name_that_can_be_none_is_refused_at_its_field(
    olive: Person, acme: Organization, payments: Team, name: str, leaves_nothing: Block
) -> None:
    for decide in (
        lambda: create_team(by=olive, organization=acme, name=name, at=AT),
        lambda: rename_team(by=olive, team=payments, name=name, at=AT),
    ):
        with leaves_nothing(ValidationError) as refused:
            decide()
        assert list(refused.value.message_dict) == ["name"]


@pytest.mark.parametrize("name", ["Payments", "PAYMENTS", " payments "])
def test_a_name_is_one_teams_alone(
    olive: Person, acme: Organization, payments: Team, platform: Team, name: str, leaves_nothing: Block
) -> None:
    with leaves_nothing(ValidationError, match="has this name already"):
        create_team(by=olive, organization=acme, name=name, at=AT)
    with leaves_nothing(ValidationError, match="has this name already"):
        rename_team(by=olive, team=platform, name=name, at=AT)


def test_a_team_may_change_the_case_of_its_own_name(olive: Person, payments: Team, leaves_nothing: Block) -> None:
    assert rename_team(by=olive, team=payments, name="PAYMENTS", at=AT).name == "PAYMENTS"
    with leaves_nothing(ValidationError, match="its name already"):
        rename_team(by=olive, team=payments, name="PAYMENTS", at=AT)


def test_another_organization_may_have_a_team_of_the_name(oskar: Person, globex: Organization, payments: Team) -> None:
    assert create_team(by=oskar, organization=globex, name="Payments", at=AT).slug == "payments"


@pytest.mark.parametrize("name", ["日本", "A-B", "{0.__class__}", "<b>x</b>", "x" * 120])
def test_names_that_make_no_slug_or_the_same_one_get_one_each(olive: Person, acme: Organization, name: str) -> None:
    factories.team(acme, "a b").__class__.objects.filter(name="a b").update(slug="a-b")

    team = create_team(by=olive, organization=acme, name=name, at=AT)

    team.full_clean()
    assert team.slug != "a-b"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_a_team_of_a_name_at_once_one_does(olive: Person, acme: Organization) -> None:
    names = ["Data", "DATA"]

    outcomes = together(2, lambda number: create_team(by=olive, organization=acme, name=names[number], at=AT))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Team", "ValidationError"]
    assert Team.objects.count() == Entry.objects.count() == 1
