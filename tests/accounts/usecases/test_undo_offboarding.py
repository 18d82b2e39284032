"""Undo an offboarding."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, Duty, IAMUser, IAMUserRecord, Membership, Offboarding, Organization, Person, Team
from accounts.usecases.iam_users import delete_iam_user
from accounts.usecases.offboarding import (
    _decide_deletions,
    follow_offboardings,
    offboard_person,
    undo_offboarding,
)
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(days=1)
DUE = AT + timedelta(days=7)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def begun(olive: Person, mia: Person, acme: Organization, acme_prod: Account, payments: Team) -> Offboarding:
    """Mia, member of Payments with an IAM user, is being offboarded by Olive."""
    factories.iam_user(acme_prod, "mia", team=payments, owner=mia)
    factories.iam_user(acme_prod, "shop", team=payments, owner=mia, kind="application", purpose="Sells")
    return offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=AT)


def undo(by: Person, offboarding: Offboarding, **what: Any) -> Offboarding:
    given: dict[str, Any] = {"reason": "Stays", "at": LATER}
    return undo_offboarding(by=by, offboarding=offboarding, **given | what)


def test_what_was_active_is_to_be_so_again(olive: Person, mia: Person, begun: Offboarding) -> None:
    undo(olive, begun)

    undone, enabled = Entry.objects.order_by("sequence")[2:]
    assert (undone.kind, undone.by_id, undone.reason) == ("accounts.offboarding.undone", str(olive.pk), "Stays")
    assert undone.details["memberships"] == [{"duty": "member", "team": "Payments"}]
    assert (enabled.kind, enabled.by_id) == ("accounts.iam_user.enabled", str(olive.pk))
    assert begun.iam_users.theirs().get().enabled == enabled
    # Not before the disabling has arrived or was given up.
    assert [one.entry.kind for one in Delivery.objects.deliverable(LATER)] == ["accounts.iam_user.disabled"]
    assert (begun.state, begun.undone_at) == ("undone", LATER)
    assert Membership.objects.active().of(mia).get().duty == Duty.MEMBER


def test_the_record_has_the_denial_no_more(olive: Person, begun: Offboarding) -> None:
    undo(olive, begun)

    assert IAMUserRecord.objects.get().inline_policies == {}


def test_a_duty_that_was_granted_anew_meanwhile_is_not_there_twice(
    olive: Person, mia: Person, begun: Offboarding, acme: Organization, payments: Team
) -> None:
    factories.membership(mia, Duty.MEMBER, of=acme, team=payments)

    undo(olive, begun)

    assert Membership.objects.active().of(mia).count() == 1


def test_a_duty_that_had_ended_before_stays_so(
    olive: Person, mia: Person, acme: Organization, acme_prod: Account
) -> None:
    admin = factories.membership(mia, Duty.ADMIN, of=acme)
    Membership.objects.filter(pk=admin.pk).update(ended_at=AT - timedelta(days=1))

    undo(olive, offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=AT))

    assert Membership.objects.active().of(mia).get().duty == Duty.MEMBER


def test_what_is_gone_or_being_deleted_is_not_enabled(olive: Person, begun: Offboarding) -> None:
    iam_user = IAMUser.objects.get(user_name="mia")
    delete_iam_user(by=olive, iam_user=iam_user, reason="Sooner", at=AT)

    undo(olive, begun)

    assert not Entry.objects.filter(kind="accounts.iam_user.enabled").exists()


def test_afterwards_they_can_be_offboarded_again(
    olive: Person, mia: Person, acme: Organization, begun: Offboarding
) -> None:
    undo(olive, begun)

    again = offboard_person(by=olive, organization=acme, person=mia, reason="Now really", at=LATER)

    assert Offboarding.objects.open().get() == again


# Until the deletion was decided


def test_it_cannot_be_undone_once_the_deletion_was_decided(
    leaves_nothing: Block, olive: Person, begun: Offboarding
) -> None:
    follow_offboardings(at=DUE)

    with leaves_nothing(ValidationError, match="cannot be undone any more"):
        undo(olive, begun, at=DUE)


def test_what_was_undone_is_not_deleted(olive: Person, begun: Offboarding) -> None:
    undo(olive, begun)

    follow_offboardings(at=DUE)

    assert not Entry.objects.filter(kind="accounts.iam_user.deleted").exists()


def test_not_even_by_a_beat_that_has_seen_it_before(olive: Person, begun: Offboarding) -> None:
    """Its list of what is due was read a moment before somebody undid it."""
    undo(olive, begun)

    _decide_deletions(begun.pk, DUE)

    assert not Entry.objects.filter(kind="accounts.iam_user.deleted").exists()


def test_it_is_undone_once(leaves_nothing: Block, olive: Person, begun: Offboarding) -> None:
    undo(olive, begun)

    with leaves_nothing(ValidationError, match="cannot be undone any more"):
        undo(olive, begun)


def test_it_wants_a_reason(leaves_nothing: Block, olive: Person, begun: Offboarding) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        undo(olive, begun, reason=" ")


# Who may


@pytest.mark.parametrize(
    ("who", "refusal"), [("hugo", NotAllowed), ("ada", NotAllowed), ("oskar", NotThere), ("mia", NotThere)]
)
def test_it_refuses_the_others(
    request: pytest.FixtureRequest, leaves_nothing: Block, begun: Offboarding, who: str, refusal: type[Exception]
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(refusal):
        undo(somebody, begun)


def test_nobody_undoes_their_own(leaves_nothing: Block, mia: Person, acme: Organization, begun: Offboarding) -> None:
    factories.membership(mia, Duty.OWNER, of=acme)

    with leaves_nothing(NotAllowed):
        undo(mia, begun)


def test_a_lead_undoes_that_of_a_member(lena: Person, begun: Offboarding) -> None:
    assert undo(lena, begun).state == "undone"


def test_a_lead_does_not_give_back_more_than_a_membership_of_the_team(
    leaves_nothing: Block, olive: Person, lena: Person, mia: Person, acme: Organization
) -> None:
    factories.membership(mia, Duty.ADMIN, of=acme)
    offboarding = offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=AT)

    with leaves_nothing(NotAllowed):
        undo(lena, offboarding)


def test_an_admin_does_not_give_back_an_owners_duty(leaves_nothing: Block, olive: Person, acme: Organization) -> None:
    admin = factories.member("adam@acme.test", Duty.ADMIN, of=acme)
    otto = factories.member("otto@acme.test", Duty.OWNER, of=acme)
    offboarding = offboard_person(by=olive, organization=acme, person=otto, reason="Leaves", at=AT)

    with leaves_nothing(NotAllowed):
        undo(admin, offboarding)


def test_a_lead_of_another_team_does_not_see_it(leaves_nothing: Block, begun: Offboarding, platform: Team) -> None:
    other = factories.member("lea@acme.test", Duty.LEAD, of=platform.organization, team=platform)

    with leaves_nothing(NotThere):
        undo(other, begun)
