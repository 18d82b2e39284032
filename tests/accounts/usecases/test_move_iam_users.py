"""Moving IAM users to another team: what a lead of both may move by themselves, and what not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, Envelope, IAMGroup, IAMUser, Organization, Person, Team
from accounts.usecases import bulk_rows, iam_users
from accounts.usecases.ownership import assign_iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.test_within_the_envelope import BREAKS

LeavesNothing = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
AT = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def both(lena: Person, acme: Organization, platform: Team) -> Person:
    """Lena, who leads Platform too."""
    factories.membership(lena, Duty.LEAD, of=acme, team=platform)
    return lena


@pytest.fixture
def held(platform: Team, acme_prod: Account, ledger_writers: IAMGroup) -> Envelope:
    """What Platform may have: the same as Payments, under every path but theirs."""
    return factories.envelope(platform, path="/", accounts=[acme_prod], groups=[ledger_writers])


def move(by: Person, iam_user: IAMUser, team: Team, **more: Any) -> IAMUser:
    assign_iam_users(by=by, iam_users=[iam_user], team=team, at=AT, **more)
    iam_user.refresh_from_db()
    return iam_user


def test_a_lead_of_both_moves_what_the_other_team_may_have(
    both: Person, platform: Team, held: Envelope, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, ledger_writers)

    moved = move(both, ledger_writer, platform, reason="They run it now")

    assert (moved.team, moved.team_said_by) == (platform, "hand")
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_name, entry.reason) == ("accounts.iam_user.assigned", "Lena", "They run it now")
    assert (entry.details["team"], entry.details["before"]["team"]) == ("Platform", "Payments")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("what", BREAKS)
def test_what_the_other_team_may_not_have_is_not_moved(
    both: Person, platform: Team, held: Envelope, ledger_writer: IAMUser, administrators: IAMGroup, what: str,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    break_it, words = BREAKS[what]
    break_it(ledger_writer, held)

    with leaves_nothing(OutsideEnvelope, match=words.replace("Your team", "Team Platform")) as refused:
        move(both, ledger_writer, platform)
    assert list(refused.value.message_dict) == ["team"]
    assert refused.value.messages[0].endswith("Request the move instead: an owner or admin decides.")


def test_what_only_the_first_team_may_have_is_not_moved(
    both: Person, platform: Team, payments: Team, held: Envelope, ledger_writer: IAMUser, administrators: IAMGroup,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    payments.envelope.groups.add(administrators)
    factories.group_membership(ledger_writer, administrators)

    with leaves_nothing(OutsideEnvelope, match="does not fit team Platform: it is in administrators"):
        move(both, ledger_writer, platform)


def test_what_is_on_its_way_counts_already(
    both: Person, olive: Person, platform: Team, held: Envelope, ledger_writer: IAMUser, administrators: IAMGroup,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    iam_users.add_iam_user_to_group(by=olive, iam_user=ledger_writer, group_name="administrators", at=AT)

    with leaves_nothing(OutsideEnvelope, match="it is in administrators, or on its way there"):
        move(both, ledger_writer, platform)


def test_one_under_another_path_is_not_moved(
    both: Person, platform: Team, held: Envelope, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    IAMUser.objects.update(path="/portal/acme/payments/")

    with leaves_nothing(OutsideEnvelope, match="its path is /portal/acme/payments/, and the team's /"):
        move(both, ledger_writer, platform)


def test_one_that_lacks_a_tag_is_not_moved(
    both: Person, platform: Team, held: Envelope, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    held.tag_rules = [{"key": "stage", "values": ["prod"]}, {"key": "cost-center", "values": ["4711"]}]
    held.save()

    with leaves_nothing(OutsideEnvelope, match="it lacks the tag cost-center = 4711"):
        move(both, ledger_writer, platform)

    IAMUser.objects.update(tags={"Stage": "prod", "cost-center": "4711"})
    assert move(both, ledger_writer, platform).team == platform


def test_more_than_there_is_room_for_are_not_moved(
    both: Person, platform: Team, payments: Team, held: Envelope, ledger_writer: IAMUser, acme_prod: Account,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    held.iam_user_limit = 2
    held.save()
    factories.iam_user(acme_prod, "robot", team=platform)
    second = factories.iam_user(acme_prod, "second", team=payments)

    with leaves_nothing(OutsideEnvelope, match="has 1 of 2 IAM users: 2 more are too many"):
        assign_iam_users(by=both, iam_users=[ledger_writer, second], team=platform, at=AT)
    move(both, ledger_writer, platform)
    with leaves_nothing(OutsideEnvelope, match="has 2 of 2 IAM users, which is all"):
        move(both, second, platform)


def test_a_team_without_an_envelope_takes_nothing(
    both: Person, platform: Team, ledger_writer: IAMUser, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(OutsideEnvelope, match="Team Platform has no access to acme-prod"):
        move(both, ledger_writer, platform)


def test_a_lead_of_one_moves_nothing_and_takes_nothing(
    lena: Person, payments: Team, platform: Team, held: Envelope, ledger_writer: IAMUser, acme_prod: Account,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    theirs = factories.iam_user(acme_prod, "robot", team=platform)
    own = factories.iam_user(acme_prod, "own", team=platform, owner=lena)
    nobodys = factories.iam_user(acme_prod, "nobodys")

    with leaves_nothing(access.NotAllowed):
        move(lena, ledger_writer, platform)
    with leaves_nothing(access.NotThere):
        move(lena, theirs, payments)
    with leaves_nothing(access.NotAllowed):
        move(lena, own, payments)
    with leaves_nothing(access.NotThere):
        move(lena, nobodys, payments)


def test_whose_duty_in_the_other_team_is_less_moves_nothing(
    lena: Person, acme: Organization, platform: Team, held: Envelope, ledger_writer: IAMUser,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    factories.membership(lena, Duty.MEMBER, of=acme, team=platform)
    factories.membership(lena, Duty.HELPDESK, of=acme)

    with leaves_nothing(access.NotAllowed):
        move(lena, ledger_writer, platform)


def test_the_new_owner_is_of_the_team_that_it_comes_to(
    both: Person, mia: Person, acme: Organization, platform: Team, held: Envelope, ledger_writer: IAMUser,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    paul = factories.member("paul@acme.test", Duty.MEMBER, of=acme, team=platform)

    with leaves_nothing(ValidationError, match="somebody of the team"):
        move(both, ledger_writer, platform, owner=mia)

    assert move(both, ledger_writer, platform, owner=paul).owner == paul


def test_an_owner_named_beside_a_team_that_it_is_in_already_is_asked_about(
    both: Person, mia: Person, payments: Team, ledger_writer: IAMUser, administrators: IAMGroup,
    leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    factories.group_membership(ledger_writer, administrators)

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        move(both, ledger_writer, payments, owner=mia)


def test_of_many_one_that_does_not_fit_stops_all(
    both: Person, payments: Team, platform: Team, held: Envelope, ledger_writer: IAMUser, acme_prod: Account,
    administrators: IAMGroup, leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    second = factories.iam_user(acme_prod, "second", team=payments)
    factories.group_membership(second, administrators)

    with leaves_nothing(OutsideEnvelope, match="second does not fit"):
        assign_iam_users(by=both, iam_users=[ledger_writer, second], team=platform, at=AT)


def test_an_owner_moves_whatever_it_holds(
    olive: Person, platform: Team, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, administrators)

    assert move(olive, ledger_writer, platform).team == platform


def test_a_bulk_change_moves_by_the_same_rules(
    both: Person, acme: Organization, payments: Team, platform: Team, held: Envelope, ledger_writer: IAMUser,
    acme_prod: Account, administrators: IAMGroup,
) -> None:  # fmt: skip
    second = factories.iam_user(acme_prod, "second", team=payments)
    factories.group_membership(second, administrators)
    bulk = factories.bulk_change(both, acme, kind="assign", change={"team": platform.pk})
    for iam_user in (ledger_writer, second):
        factories.bulk_row(bulk, iam_user)

    bulk_rows.carry_on(bulk_change_id=bulk.pk, at=AT)

    teams = dict(IAMUser.objects.values_list("user_name", "team__name"))
    assert teams == {"ledger-writer": "Platform", "second": "Payments"}
