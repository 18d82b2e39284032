"""Accepting an invitation: whose it is, once, in time, and as long as its sender might still make it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError

from accounts.access import NotThere
from accounts.models import Duty, Invitation, Membership, Organization, Person, Team
from accounts.models.invitation import hash_of
from accounts.usecases.invitations import SignInFirst, SomebodyElse, accept_invitation
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Accept = Callable[..., Membership]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOOD = hash_of("the token in the mail")
PASSWORD = "seven purple gate posts"


@pytest.fixture
def invitation(olive: Person, acme: Organization, payments: Team) -> Invitation:
    """Olive invites Nora, who is new, to lead Payments."""
    return factories.invitation(acme, "nora@new.test", by=olive, duty=Duty.LEAD, team=payments, token_hash=GOOD)


@pytest.fixture
def accept(invitation: Invitation) -> Accept:
    def accept(**changes: Any) -> Membership:
        told: dict[str, Any] = {"by": None, "token_hash": GOOD, "name": "Nora", "password": PASSWORD, "at": AT}
        return accept_invitation(**told | changes)

    return accept


def test_who_is_new_can_sign_in_and_has_the_duty(accept: Accept, acme: Organization, payments: Team) -> None:
    membership = accept(name=" Nora Nilsen ")

    person = Person.objects.get(email="nora@new.test")
    assert (membership.person, membership.duty, membership.team) == (person, Duty.LEAD, payments)
    assert (person.name, person.check_password(PASSWORD)) == ("Nora Nilsen", True)
    address = EmailAddress.objects.get(user=person)
    assert (address.email, address.verified, address.primary) == ("nora@new.test", True, True)
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.subject_id) == (
        "accounts.invitation.accepted", str(person.pk), str(person.pk),
    )  # fmt: skip
    assert entry.details == {"e-mail": "nora@new.test", "duty": "lead", "team": "Payments", "invited by": "Olive"}
    assert PASSWORD not in str(list(Entry.objects.values()))


def test_who_is_here_already_accepts_signed_in(accept: Accept, oskar: Person, acme: Organization) -> None:
    Invitation.objects.update(email="OSKAR@globex.test")
    before = Person.objects.filter(pk=oskar.pk).values().get()

    membership = accept(by=oskar, name="Somebody", password="other")

    assert (membership.person, membership.organization) == (oskar, acme)
    assert Person.objects.filter(pk=oskar.pk).values().get() == before


def test_another_verified_e_mail_of_theirs_serves(accept: Accept, oskar: Person) -> None:
    EmailAddress.objects.create(user=oskar, email="nora@new.test", verified=True)

    assert accept(by=oskar).person == oskar


def test_an_e_mail_that_was_never_verified_is_nobodys(accept: Accept, oskar: Person) -> None:
    EmailAddress.objects.create(user=oskar, email="nora@new.test", verified=False)

    assert accept().person != oskar


# Refused


@pytest.mark.parametrize(
    "told",
    [{"revoked_at": AT}, {"accepted_at": AT}, {"expires_at": AT}, {"expires_at": AT - timedelta(days=1)},
     {"token_hash": ""}, {"token_hash": hash_of("a newer one")}],
)  # fmt: skip
def test_a_link_that_is_not_good_is_not_there(accept: Accept, told: dict[str, Any], leaves_nothing: Block) -> None:
    Invitation.objects.update(**told)

    with leaves_nothing(NotThere):
        accept()


@pytest.mark.parametrize("token_hash", ["", "x", GOOD.upper(), hash_of("another")])
def test_a_link_that_never_was_is_not_there(accept: Accept, token_hash: str, leaves_nothing: Block) -> None:
    with leaves_nothing(NotThere):
        accept(token_hash=token_hash)


def test_it_serves_once(accept: Accept, leaves_nothing: Block) -> None:
    person = accept().person

    for by in (None, person):
        with leaves_nothing(NotThere):
            accept(by=by)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_follow_it_at_once_one_comes_in(accept: Accept) -> None:
    outcomes = together(2, lambda number: accept(name=f"Nora {number}"))

    assert sorted(type(outcome).__name__ for outcome in outcomes) in (
        ["Membership", "NotThere"], ["Membership", "SignInFirst"],
    )  # fmt: skip
    assert Person.objects.filter(email="nora@new.test").count() == 1
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_organizations_invite_somebody_who_follows_both_at_once(
    accept: Accept, globex: Organization, oskar: Person
) -> None:
    theirs = hash_of("theirs")
    factories.invitation(globex, "nora@new.test", by=oskar, token_hash=theirs)

    outcomes = together(2, lambda number: accept(token_hash=[GOOD, theirs][number]))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Membership", "SignInFirst"]
    assert Person.objects.filter(email="nora@new.test").count() == 1
    assert Invitation.objects.open().count() == 1


def test_nobody_takes_the_e_mail_of_somebody_who_is_here(accept: Accept, oskar: Person, leaves_nothing: Block) -> None:
    Invitation.objects.update(email="Oskar@globex.test")

    with leaves_nothing(SignInFirst):
        accept()


def test_nobody_accepts_what_is_somebody_elses(
    accept: Accept, oskar: Person, mia: Person, leaves_nothing: Block
) -> None:
    with leaves_nothing(SomebodyElse):
        accept(by=mia)
    Invitation.objects.update(email="oskar@globex.test")
    with leaves_nothing(SomebodyElse):
        accept(by=mia)


def test_who_is_disabled_stays_out(accept: Accept, oskar: Person, leaves_nothing: Block) -> None:
    Invitation.objects.update(email="oskar@globex.test")
    Person.objects.filter(pk=oskar.pk).update(is_active=False)
    oskar.refresh_from_db()

    for by in (None, oskar):
        with leaves_nothing(NotThere):
            accept(by=by)


@pytest.mark.parametrize("left", ["ended", "disabled", "no longer an owner"])
def test_what_somebody_gave_who_has_left_is_given_no_more(
    accept: Accept, olive: Person, acme: Organization, left: str, leaves_nothing: Block
) -> None:
    if left == "disabled":
        Person.objects.filter(pk=olive.pk).update(is_active=False)
    else:
        olive.membership_set.update(ended_at=AT)
    if left == "no longer an owner":
        factories.membership(olive, Duty.ADMIN, of=acme)

    with leaves_nothing(NotThere):
        accept()


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "  "), ("name", "x" * 151), ("name", "a\nb"), ("name", "\u202ea"), ("name", "a\x00"),
     ("password", ""), ("password", "short"), ("password", "password1234"), ("password", "nora@new.test")],
)  # fmt: skip
def test_a_name_or_password_that_will_not_do_leaves_nothing(
    accept: Accept, field: str, value: str, leaves_nothing: Block
) -> None:
    with leaves_nothing(ValidationError) as refused:
        accept(**{field: value})
    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize("name", ["{0.__class__}", "<script>alert(1)</script>", "%(name)s", "Ægir Þórsson", "山田"])
def test_a_name_may_be_any_text(accept: Accept, name: str) -> None:
    assert str(accept(name=name).person) == name


def test_who_was_given_the_duty_meanwhile_has_it_once(
    accept: Accept, oskar: Person, acme: Organization, payments: Team
) -> None:
    Invitation.objects.update(email="oskar@globex.test")
    given = factories.membership(oskar, Duty.LEAD, of=acme, team=payments)

    assert accept(by=oskar) == given
