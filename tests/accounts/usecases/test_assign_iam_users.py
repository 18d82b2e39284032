"""Deciding by hand whose IAM users are, one or many."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, Duty, IAMUser, Membership, Organization, Person, Team
from accounts.ownership import Owners
from accounts.usecases.ownership import ASSIGNED_AT_ONCE, assign_iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories

pytestmark = pytest.mark.usefixtures("envelope")

LeavesNothing = Callable[..., Any]


@pytest.fixture
def robots(acme_prod: Account, acme_dev: Account) -> list[IAMUser]:
    """Imported IAM users of nobody."""
    return [factories.iam_user(account, f"robot-{number}") for number, account in enumerate([acme_prod, acme_dev])]


def test_an_owner_says_whose_many_are_with_an_entry_each(
    olive: Person, robots: list[IAMUser], payments: Team, mia: Person
) -> None:
    at = timezone.now()

    assign_iam_users(by=olive, iam_users=robots, team=payments, owner=mia, reason="They deploy the ledger", at=at)

    rows = list(IAMUser.objects.order_by("pk"))
    assert [(row.team, row.owner, row.team_said_by, row.owner_said_by) for row in rows] == [
        (payments, mia, "hand", "hand")
    ] * 2
    entries = Entry.objects.order_by("sequence")
    assert [entry.subject_name for entry in entries] == [row.arn for row in rows]
    assert {(entry.kind, entry.reason, entry.at) for entry in entries} == {
        (Kind.IAM_USER_ASSIGNED, "They deploy the ledger", at)
    }
    assert entries[0].details == {
        "team": "Payments",
        "owner": "mia@acme.test",
        "kind": "person",
        "purpose": "",
        "before": {"team": "", "owner": "", "kind": "person", "purpose": ""},
    }
    assert not Delivery.objects.exists()


def test_what_is_not_given_stays_as_each_has_it(
    olive: Person, robots: list[IAMUser], payments: Team, platform: Team, mia: Person
) -> None:
    IAMUser.objects.filter(pk=robots[0].pk).update(team=platform, team_said_by="tags")

    assign_iam_users(by=olive, iam_users=robots, owner=mia, at=timezone.now())

    assert [(row.team, row.team_said_by, row.owner) for row in IAMUser.objects.order_by("pk")] == [
        (platform, "tags", mia),
        (None, "", mia),
    ]


def test_an_import_no_longer_changes_what_a_person_said(
    acme: Organization, olive: Person, robots: list[IAMUser], payments: Team, platform: Team
) -> None:
    assign_iam_users(by=olive, iam_users=robots[:1], team=payments, at=timezone.now())
    robots[0].refresh_from_db()
    robots[0].tags = {"team": "platform"}

    assert not Owners(acme).refresh(robots[0], robots[0])
    assert robots[0].team == payments


def test_what_tags_said_is_a_persons_word_once_they_say_the_same(
    olive: Person, robots: list[IAMUser], payments: Team
) -> None:
    IAMUser.objects.update(team=payments, team_said_by="tags")

    assign_iam_users(by=olive, iam_users=robots, team=payments, at=timezone.now())

    assert set(IAMUser.objects.values_list("team_said_by", flat=True)) == {"hand"}


def test_kind_and_purpose_can_be_said_too(olive: Person, robots: list[IAMUser]) -> None:
    assign_iam_users(by=olive, iam_users=robots, kind="application", purpose=" Deploys ", at=timezone.now())

    assert set(IAMUser.objects.values_list("kind", "purpose")) == {("application", "Deploys")}


def test_a_lead_names_an_owner_among_the_people_of_the_team(
    lena: Person, mia: Person, ledger_writer: IAMUser, payments: Team
) -> None:
    assign_iam_users(by=lena, iam_users=[ledger_writer], owner=mia, team=payments, at=timezone.now())

    ledger_writer.refresh_from_db()
    assert (ledger_writer.owner, ledger_writer.team) == (mia, payments)


def test_a_lead_names_nobody_of_another_team(
    lena: Person, ada: Person, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="somebody of the team"):
        assign_iam_users(by=lena, iam_users=[ledger_writer], owner=ada, at=timezone.now())


def test_a_lead_names_nobody_who_has_left_the_team(
    lena: Person, mia: Person, acme: Organization, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    factories.membership(mia, Duty.MEMBER, of=acme)
    Membership.objects.filter(person=mia, team__isnull=False).update(ended_at=timezone.now())

    with leaves_nothing(ValidationError):
        assign_iam_users(by=lena, iam_users=[ledger_writer], owner=mia, at=timezone.now())


def test_a_lead_moves_nothing_to_a_team_that_they_do_not_lead(
    lena: Person, platform: Team, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotAllowed):
        assign_iam_users(by=lena, iam_users=[ledger_writer], team=platform, at=timezone.now())


def test_a_lead_does_not_take_what_has_no_team(
    lena: Person, mia: Person, payments: Team, robots: list[IAMUser], leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotThere):
        assign_iam_users(by=lena, iam_users=robots, team=payments, owner=mia, at=timezone.now())


def test_a_lead_does_not_assign_what_is_their_own_in_another_team(
    lena: Person, platform: Team, robots: list[IAMUser], leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.update(owner=lena, team=platform)

    with leaves_nothing(access.NotAllowed):
        assign_iam_users(by=lena, iam_users=robots, kind="application", purpose="x", at=timezone.now())


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_those_without_the_duty_are_refused(
    request: pytest.FixtureRequest, who: str, robots: list[IAMUser], payments: Team, leaves_nothing: LeavesNothing
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(access.NotAllowed):
        assign_iam_users(by=somebody, iam_users=robots, team=payments, at=timezone.now())


def test_a_member_does_not_give_away_their_own(
    mia: Person, robots: list[IAMUser], payments: Team, lena: Person, leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.update(owner=mia, team=payments)

    with leaves_nothing(access.NotAllowed):
        assign_iam_users(by=mia, iam_users=robots, owner=lena, at=timezone.now())


def test_one_of_another_organization_among_them_stops_all(
    olive: Person, robots: list[IAMUser], globex_main: Account, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    alien = factories.iam_user(globex_main, "alien")

    with leaves_nothing(access.NotThere):
        assign_iam_users(by=olive, iam_users=[*robots, alien], team=payments, at=timezone.now())


def test_who_belongs_to_two_organizations_does_not_mix_them(
    olive: Person, robots: list[IAMUser], globex: Organization, globex_main: Account, payments: Team,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    factories.membership(olive, Duty.OWNER, of=globex)
    alien = factories.iam_user(globex_main, "alien")

    with leaves_nothing(access.NotThere):
        assign_iam_users(by=olive, iam_users=[*robots, alien], kind="application", purpose="x", at=timezone.now())
    with leaves_nothing(access.NotThere):
        assign_iam_users(by=olive, iam_users=[alien], team=payments, at=timezone.now())


def test_a_team_of_another_organization_is_not_there(
    olive: Person, robots: list[IAMUser], core: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotThere):
        assign_iam_users(by=olive, iam_users=robots, team=core, at=timezone.now())


@pytest.mark.parametrize("who", ["oskar", "disabled", "left"])
def test_nobody_from_elsewhere_or_disabled_owns_anything(
    who: str, olive: Person, oskar: Person, mia: Person, robots: list[IAMUser], leaves_nothing: LeavesNothing
) -> None:
    if who == "disabled":
        Person.objects.filter(pk=mia.pk).update(is_active=False)
    if who == "left":
        Membership.objects.filter(person=mia).update(ended_at=timezone.now())

    with leaves_nothing(ValidationError, match="somebody of your organization"):
        assign_iam_users(by=olive, iam_users=robots, owner=oskar if who == "oskar" else mia, at=timezone.now())


def test_what_changes_nothing_or_names_nothing_is_refused(
    olive: Person, robots: list[IAMUser], payments: Team, leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.update(team=payments, team_said_by="hand")

    with leaves_nothing(ValidationError, match="already"):
        assign_iam_users(by=olive, iam_users=robots, team=payments, at=timezone.now())
    with leaves_nothing(ValidationError, match="Choose a team"):
        assign_iam_users(by=olive, iam_users=robots, at=timezone.now())
    with leaves_nothing(ValidationError, match="at least one"):
        assign_iam_users(by=olive, iam_users=[], team=payments, at=timezone.now())


def test_the_second_of_many_that_is_refused_takes_the_first_back(
    olive: Person, robots: list[IAMUser], leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.filter(pk=robots[0].pk).update(purpose="Deploys")

    with leaves_nothing(ValidationError, match="Say what the application does"):
        assign_iam_users(by=olive, iam_users=robots, kind="application", at=timezone.now())


@pytest.mark.parametrize("what", [{"kind": "robot"}, {"kind": "application", "purpose": "x" * 201}])
def test_a_kind_or_purpose_that_is_none_is_refused(
    olive: Person, robots: list[IAMUser], what: dict[str, Any], leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError):
        assign_iam_users(by=olive, iam_users=robots, at=timezone.now(), **what)


def test_what_aws_no_longer_holds_is_nobodys_any_more(
    olive: Person, robots: list[IAMUser], payments: Team, leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.filter(pk=robots[1].pk).update(gone_at=factories.READ_AT)

    with leaves_nothing(ValidationError, match="no longer holds robot-1"):
        assign_iam_users(by=olive, iam_users=robots, team=payments, at=timezone.now())


def test_more_than_one_transaction_should_take_are_refused(
    olive: Person, acme_prod: Account, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    many = [factories.iam_user(acme_prod, f"robot-{number}") for number in range(ASSIGNED_AT_ONCE + 1)]

    with leaves_nothing(ValidationError, match="at most 200"):
        assign_iam_users(by=olive, iam_users=many, team=payments, at=timezone.now())
