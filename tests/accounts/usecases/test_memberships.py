"""Granting and ending duties: by an owner alone, never one's own upward, and never the last owner's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.access import NotAllowed, NotThere, Permission
from accounts.models import Duty, Membership, Organization, Person, Team
from accounts.usecases.memberships import end_membership, grant_duty
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def grant(by: Person, organization: Organization, person: Person, **changes: Any) -> Membership:
    given: dict[str, Any] = {"duty": Duty.AUDITOR, "at": AT}
    return grant_duty(by=by, organization=organization, person=person, **given | changes)


def of(person: Person) -> Membership:
    return Membership.objects.get(person=person)


def test_an_owner_gives_a_duty_and_it_counts(olive: Person, acme: Organization, mia: Person) -> None:
    grant(olive, acme, mia, reason="The audit")

    assert access.may(by=mia, to=Permission.VIEW_LEDGER, organization=acme)
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_type, entry.subject_id, entry.reason) == (
        "accounts.membership.granted", "person", str(mia.pk), "The audit",
    )  # fmt: skip
    assert entry.details == {"e-mail": "mia@acme.test", "duty": "auditor", "team": ""}


def test_an_owner_ends_a_duty_and_it_counts_no_more(olive: Person, acme: Organization, lena: Person) -> None:
    end_membership(by=olive, membership=of(lena), at=AT, reason="Moved on")

    assert of(lena).ended_at == AT
    assert not lena.belongs_to(acme)
    assert not access.may_anywhere(by=lena, to=Permission.CREATE_IAM_USER, organization=acme)
    assert Entry.objects.get().kind == "accounts.membership.ended"


@pytest.mark.parametrize("who", ["anna", "lena", "hugo", "ada", "mia", "oskar"])
def test_nobody_else_changes_duties(
    request: pytest.FixtureRequest, who: str, acme: Organization, payments: Team, olive: Person, leaves_nothing: Block
) -> None:
    is_anna = who == "anna"
    by = factories.member("anna@acme.test", Duty.ADMIN, of=acme) if is_anna else request.getfixturevalue(who)
    other = factories.member("other@acme.test", Duty.MEMBER, of=acme, team=payments)
    sees = who in {"anna", "lena", "hugo", "ada"}

    for person in (other, by):
        with leaves_nothing(NotThere if who == "oskar" else NotAllowed):
            grant(by, acme, person, duty=Duty.OWNER)
    with leaves_nothing(NotAllowed if sees else NotThere):
        end_membership(by=by, membership=of(other), at=AT)


def test_nobody_gives_themselves_a_duty(
    olive: Person, acme: Organization, payments: Team, leaves_nothing: Block
) -> None:
    for duty, team in ((Duty.LEAD, payments), (Duty.ADMIN, None)):
        with leaves_nothing(ValidationError, match="Nobody gives themselves"):
            grant(olive, acme, olive, duty=duty, team=team)


@pytest.mark.parametrize(
    ("duty", "with_team", "field"),
    [("lead", False, "team"), ("owner", True, "team"), ("helpdesk", True, "team"), ("root", False, "duty"),
     ("", False, "duty")],
)  # fmt: skip
def test_a_duty_that_does_not_go_is_refused_at_its_field(
    olive: Person, acme: Organization, mia: Person, payments: Team, duty: str, with_team: bool, field: str,
    leaves_nothing: Block,
) -> None:  # fmt: skip
    with leaves_nothing(ValidationError) as refused:
        grant(olive, acme, mia, duty=duty, team=payments if with_team else None)
    assert list(refused.value.message_dict) == [field]


def test_a_duty_that_somebody_has_is_not_given_twice(
    olive: Person, acme: Organization, lena: Person, payments: Team, hugo: Person, leaves_nothing: Block
) -> None:
    with leaves_nothing(ValidationError, match="has this duty already"):
        grant(olive, acme, lena, duty=Duty.LEAD, team=payments)
    with leaves_nothing(ValidationError, match="has this duty already"):
        grant(olive, acme, hugo, duty=Duty.HELPDESK)


def test_a_duty_that_ended_is_given_again(olive: Person, acme: Organization, mia: Person) -> None:
    end_membership(by=olive, membership=grant(olive, acme, mia), at=AT)

    assert grant(olive, acme, mia).ended_at is None


def test_strangers_and_teams_of_others_are_not_there(
    olive: Person, acme: Organization, oskar: Person, mia: Person, core: Team, leaves_nothing: Block
) -> None:
    left = factories.member("left@acme.test", Duty.MEMBER, of=acme)
    Membership.objects.filter(person=left).update(ended_at=AT)
    disabled = factories.member("disabled@acme.test", Duty.MEMBER, of=acme, is_active=False)

    for person in (oskar, left, disabled):
        with leaves_nothing(NotThere):
            grant(olive, acme, person)
    with leaves_nothing(NotThere):
        grant(olive, acme, mia, duty=Duty.LEAD, team=core)
    with leaves_nothing(NotThere):
        end_membership(by=olive, membership=of(oskar), at=AT)


def test_what_has_ended_does_not_end_again(olive: Person, lena: Person, leaves_nothing: Block) -> None:
    membership = of(lena)
    end_membership(by=olive, membership=membership, at=AT)

    with leaves_nothing(ValidationError, match="ended already"):
        end_membership(by=olive, membership=membership, at=AT)


def test_the_last_owner_stays(olive: Person, acme: Organization, globex: Organization, leaves_nothing: Block) -> None:
    factories.member("anna@acme.test", Duty.ADMIN, of=acme)
    factories.member("gone@acme.test", Duty.OWNER, of=acme, is_active=False)
    ended = factories.member("ended@acme.test", Duty.OWNER, of=acme)
    Membership.objects.filter(person=ended).update(ended_at=AT)
    factories.member("other@globex.test", Duty.OWNER, of=globex)

    with leaves_nothing(ValidationError, match="Olive is the last owner of Acme"):
        end_membership(by=olive, membership=of(olive), at=AT)


def test_an_owner_leaves_another_behind(olive: Person, acme: Organization) -> None:
    other = factories.member("otto@acme.test", Duty.OWNER, of=acme)

    end_membership(by=olive, membership=of(olive), at=AT)

    assert not olive.belongs_to(acme)
    with pytest.raises(ValidationError, match="last owner"):
        end_membership(by=other, membership=of(other), at=AT)


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_end_each_other_at_once_one_stays(olive: Person, acme: Organization) -> None:
    owners = [olive, factories.member("otto@acme.test", Duty.OWNER, of=acme)]
    theirs = [of(owner) for owner in owners]

    outcomes = together(2, lambda number: end_membership(by=owners[number], membership=theirs[1 - number], at=AT))

    assert sum(isinstance(outcome, Membership) for outcome in outcomes) == 1
    assert Membership.objects.active().filter(duty=Duty.OWNER).count() == 1
    assert Entry.objects.count() == 1
