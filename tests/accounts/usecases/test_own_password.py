"""Reset one's own console password, without a duty beyond being its owner."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Duty, IAMGroup, IAMUser, Membership, Organization, Person, Team
from accounts.usecases.console_access import create_login_profile, remove_login_profile, reset_login_profile
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def mias(ledger_writer: IAMUser, mia: Person) -> IAMUser:
    """An IAM user with a password, assigned to Mia by a person."""
    ledger_writer.owner, ledger_writer.owner_said_by = mia, IAMUser.SaidBy.HAND
    ledger_writer.save()
    factories.login_profile(ledger_writer)
    return ledger_writer


def test_its_owner_resets_it_and_is_its_recipient(mia: Person, mias: IAMUser) -> None:
    reset_login_profile(by=mia, iam_user=mias, at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id) == ("accounts.login_profile.reset", str(mia.pk))
    assert entry.details["recipient_id"] == str(mia.pk)
    assert Delivery.objects.get().subject == mias.arn


def test_what_it_can_do_is_no_obstacle_where_a_person_said_whose_it_is(
    mia: Person, mias: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(mias, administrators)

    reset_login_profile(by=mia, iam_user=mias, at=AT)

    assert Entry.objects.count() == 1


def test_a_duty_of_ones_own_is_no_obstacle(acme: Organization, lena: Person, mias: IAMUser) -> None:
    factories.membership(lena, Duty.HELPDESK, of=acme)
    IAMUser.objects.update(owner=lena)

    reset_login_profile(by=lena, iam_user=IAMUser.objects.get(), at=AT)

    assert Entry.objects.count() == 1


def test_whom_only_tags_name_gets_no_more_than_the_team_may_have(
    leaves_nothing: Block, mia: Person, mias: IAMUser, administrators: IAMGroup
) -> None:
    membership = factories.group_membership(mias, administrators)
    IAMUser.objects.update(owner_said_by=IAMUser.SaidBy.TAGS)

    with leaves_nothing(OutsideEnvelope, match="Only its tags say that ledger-writer is yours"):
        reset_login_profile(by=mia, iam_user=mias, at=AT)
    membership.delete()
    reset_login_profile(by=mia, iam_user=mias, at=AT)


def test_whom_only_tags_name_gets_nothing_of_what_has_no_team(
    leaves_nothing: Block, mia: Person, mias: IAMUser
) -> None:
    IAMUser.objects.update(owner_said_by=IAMUser.SaidBy.TAGS, team=None)

    with leaves_nothing(OutsideEnvelope, match="Only its tags"):
        reset_login_profile(by=mia, iam_user=mias, at=AT)


@pytest.mark.parametrize("decide", [create_login_profile, remove_login_profile])
def test_to_create_and_to_remove_one_takes_more_than_owning_it(
    leaves_nothing: Block, mia: Person, mias: IAMUser, decide: Callable[..., IAMUser]
) -> None:
    with leaves_nothing(NotAllowed):
        decide(by=mia, iam_user=mias, at=AT)


def test_whose_it_was_when_they_asked_must_still_be_its_owner(
    leaves_nothing: Block, mia: Person, lena: Person, mias: IAMUser
) -> None:
    IAMUser.objects.update(owner=lena)

    with leaves_nothing(NotThere):
        reset_login_profile(by=mia, iam_user=mias, at=AT)


def test_one_who_has_left_owns_nothing(leaves_nothing: Block, mia: Person, mias: IAMUser) -> None:
    Membership.objects.filter(person=mia).update(ended_at=AT)

    with leaves_nothing(NotThere):
        reset_login_profile(by=mia, iam_user=mias, at=AT)


def test_a_lead_who_is_not_its_owner_is_held_by_the_envelope(
    leaves_nothing: Block, lena: Person, mias: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(mias, administrators)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        reset_login_profile(by=lena, iam_user=mias, at=AT)


def test_without_a_password_there_is_none_to_reset(leaves_nothing: Block, mia: Person, mias: IAMUser) -> None:
    mias.login_profile.delete()

    with leaves_nothing(ValidationError, match="has no console password"):
        reset_login_profile(by=mia, iam_user=IAMUser.objects.get(), at=AT)


def test_another_teams_lead_sees_nothing(
    leaves_nothing: Block, acme: Organization, platform: Team, mias: IAMUser
) -> None:
    lars = factories.member("lars@acme.test", Duty.LEAD, of=acme, team=platform)

    with leaves_nothing(NotThere):
        reset_login_profile(by=lars, iam_user=mias, at=AT)
