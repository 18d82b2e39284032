"""Offboard somebody."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import (
    Account,
    Duty,
    IAMUser,
    IAMUserRecord,
    Membership,
    Offboarding,
    Organization,
    Person,
    Team,
)
from accounts.policy.denial import DENY_ALL, POLICY_NAME
from accounts.usecases.iam_users import delete_iam_user
from accounts.usecases.offboarding import follow_offboardings, offboard_person
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WHY = "Leaves at the end of the month"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def mias(mia: Person, acme_prod: Account, acme_dev: Account, payments: Team) -> list[IAMUser]:
    """Mia's own IAM user in each account of Acme; in the first with an active key, one that is not, and a password."""
    rows = [factories.iam_user(account, "mia", team=payments, owner=mia) for account in (acme_prod, acme_dev)]
    factories.access_key(rows[0], access_key_id="AKIAACTIVE0000000001")
    factories.access_key(rows[0], access_key_id="AKIAINACTIVE00000001", status="Inactive")
    factories.login_profile(rows[0])
    return rows


@pytest.fixture
def shop(mia: Person, acme_prod: Account, payments: Team) -> IAMUser:
    """An application that Mia answers for."""
    return factories.iam_user(acme_prod, "shop", team=payments, owner=mia, kind="application", purpose="Sells")


def offboard(by: Person, person: Person, organization: Organization, **what: Any) -> Offboarding:
    given: dict[str, Any] = {"reason": WHY, "at": AT}
    return offboard_person(by=by, organization=organization, person=person, **given | what)


def test_everything_of_theirs_in_every_account_is_disabled_at_once(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboarding = offboard(olive, mia, acme)

    started, *disabled = Entry.objects.order_by("sequence")
    assert (started.kind, started.by_id, started.reason) == ("accounts.offboarding.started", str(olive.pk), WHY)
    assert started.details == {
        "person": "mia@acme.test",
        "delete_after": "2026-11-30T12:00:00+00:00",
        "memberships": [{"duty": "member", "team": "Payments"}],
        "iam_users": [iam_user.arn for iam_user in mias],
        "need_another_owner": [],
    }
    assert [entry.kind for entry in disabled] == ["accounts.iam_user.disabled"] * 2
    deliveries = Delivery.objects.order_by("sequence")
    assert [(one.subject, one.queue, one.state) for one in deliveries] == [
        (iam_user.arn, "interactive", "due") for iam_user in mias
    ]
    first, second = offboarding.iam_users.order_by("iam_user")
    assert (first.active_access_key_ids, first.had_login_profile) == (["AKIAACTIVE0000000001"], True)
    assert (second.active_access_key_ids, second.had_login_profile) == ([], False)
    assert [first.disabled, second.disabled] == disabled
    assert offboarding.delete_after == AT + timedelta(days=7)


def test_the_denial_is_no_drift_because_the_record_follows(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboard(olive, mia, acme)

    for record in IAMUserRecord.objects.all():
        assert record.inline_policies == {POLICY_NAME: DENY_ALL}


def test_their_memberships_here_end_and_those_elsewhere_do_not(
    olive: Person, mia: Person, acme: Organization, globex: Organization
) -> None:
    factories.membership(mia, Duty.AUDITOR, of=acme)
    elsewhere = factories.membership(mia, Duty.MEMBER, of=globex)

    offboarding = offboard(olive, mia, acme)

    assert set(Membership.objects.of(mia).filter(ended_at=AT)) == set(offboarding.memberships.all())
    assert offboarding.memberships.count() == 2
    assert list(Membership.objects.of(mia).filter(ended_at=None)) == [elsewhere]


def test_an_application_is_named_and_left_alone(olive: Person, mia: Person, acme: Organization, shop: IAMUser) -> None:
    offboarding = offboard(olive, mia, acme, delete_after=AT)

    row = offboarding.iam_users.get()
    assert (row.kind, row.disabled, row.deleted) == ("application", None, None)
    assert Entry.objects.get().details["need_another_owner"] == [shop.arn]
    assert not Delivery.objects.exists()


def test_what_others_own_is_left_alone(olive: Person, mia: Person, acme: Organization, acme_prod: Account) -> None:
    factories.iam_user(acme_prod, "nobodys")
    factories.iam_user(acme_prod, "olives", owner=olive)
    factories.iam_user(acme_prod, "gone", owner=mia, gone_at=AT)

    assert not offboard(olive, mia, acme).iam_users.exists()


def test_who_left_before_still_has_keys(olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]) -> None:
    """A39: the portal has forgotten them, AWS has not."""
    Membership.objects.of(mia).update(ended_at=AT - timedelta(days=90))
    Person.objects.filter(pk=mia.pk).update(is_active=False)

    offboarding = offboard(olive, mia, acme)

    assert (Delivery.objects.count(), offboarding.memberships.count()) == (2, 0)


def test_at_once_the_deletion_is_decided_too(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboarding = offboard(olive, mia, acme, delete_after=AT)

    assert (offboarding.state, offboarding.deletion_decided_at) == ("deleting", AT)
    kinds = Entry.objects.order_by("sequence").values_list("kind", "by_name")
    assert list(kinds)[3:] == [("accounts.iam_user.deleted", "Gatehouse")] * 2
    # Disabled first: a subject's deliveries are carried in their order.
    assert [one.entry.kind for one in Delivery.objects.deliverable(AT)] == ["accounts.iam_user.disabled"] * 2


# Who may


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, mia: Person, acme: Organization, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        offboard(somebody, mia, acme)


def test_a_member_does_not_offboard_a_colleague(leaves_nothing: Block, mia: Person, acme: Organization) -> None:
    colleague = factories.member("max@acme.test", Duty.MEMBER, of=acme, team=Team.objects.get())

    with leaves_nothing(NotThere):
        offboard(mia, colleague, acme)


def test_elsewhere_they_do_not_exist(leaves_nothing: Block, oskar: Person, mia: Person, acme: Organization) -> None:
    with leaves_nothing(NotThere):
        offboard(oskar, mia, acme)
    with leaves_nothing(NotThere):
        offboard(oskar, mia, Organization.objects.get(slug="globex"))


def test_a_stranger_does_not_exist(leaves_nothing: Block, olive: Person, oskar: Person, acme: Organization) -> None:
    with leaves_nothing(NotThere):
        offboard(olive, oskar, acme)


@pytest.mark.parametrize("who", ["olive", "lena"])
def test_nobody_offboards_themselves(
    request: pytest.FixtureRequest, leaves_nothing: Block, acme: Organization, who: str
) -> None:
    somebody = request.getfixturevalue(who)
    factories.membership(somebody, Duty.OWNER, of=acme) if who == "lena" else None

    with leaves_nothing(NotAllowed):
        offboard(somebody, somebody, acme)


def test_nobody_offboards_a_higher_rank(leaves_nothing: Block, olive: Person, acme: Organization) -> None:
    admin = factories.member("adam@acme.test", Duty.ADMIN, of=acme)
    another = factories.member("alma@acme.test", Duty.ADMIN, of=acme)

    with leaves_nothing(NotAllowed):
        offboard(admin, olive, acme)
    assert offboard(admin, another, acme).person == another


def test_the_last_owner_stays(leaves_nothing: Block, olive: Person, acme: Organization) -> None:
    """An owner is offboarded by another owner alone, and who has just left decides nothing any more."""
    otto = factories.member("otto@acme.test", Duty.OWNER, of=acme)

    offboard(olive, otto, acme)

    with leaves_nothing(NotThere):
        offboard(otto, olive, acme)
    assert Membership.objects.active().filter(duty=Duty.OWNER).get().person == olive


def test_a_lead_offboards_a_member_of_the_team(
    lena: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    assert offboard(lena, mia, acme).iam_users.count() == 2


@pytest.mark.parametrize(
    ("duty", "where"),
    [
        *((duty, "payments") for duty in (Duty.OWNER, Duty.ADMIN, Duty.LEAD, Duty.HELPDESK, Duty.AUDITOR)),
        (Duty.LEAD, "platform"),
        (Duty.MEMBER, "platform"),
        (Duty.MEMBER, None),
    ],
)
def test_a_lead_does_not_offboard_who_is_more_than_that(
    request: pytest.FixtureRequest,
    leaves_nothing: Block,
    lena: Person,
    mia: Person,
    acme: Organization,
    duty: Duty,
    where: str | None,
) -> None:
    team = request.getfixturevalue(where) if where else None
    factories.membership(mia, duty, of=acme, team=team)

    with leaves_nothing(NotAllowed):
        offboard(lena, mia, acme)


def test_a_lead_does_not_know_the_members_of_another_team(
    leaves_nothing: Block, lena: Person, acme: Organization, platform: Team
) -> None:
    pia = factories.member("pia@acme.test", Duty.MEMBER, of=acme, team=platform)

    with leaves_nothing(NotThere):
        offboard(lena, pia, acme)


@pytest.mark.parametrize("kind", ["person", "application"])
def test_a_lead_does_not_reach_into_another_team(
    leaves_nothing: Block, lena: Person, mia: Person, acme: Organization, acme_dev: Account, platform: Team, kind: str
) -> None:
    factories.iam_user(acme_dev, "mia", team=platform, owner=mia, kind=kind)

    with leaves_nothing(ValidationError, match="not your team's"):
        offboard(lena, mia, acme)

    IAMUser.objects.update(team=None)
    with leaves_nothing(ValidationError, match="not your team's"):
        offboard(lena, mia, acme)


# Bad input


@pytest.mark.parametrize(
    ("what", "match"),
    [
        ({"reason": " \n"}, "Say why"),
        ({"delete_after": AT - timedelta(seconds=1)}, "has passed"),
        ({"delete_after": AT + timedelta(days=366)}, "within 365 days"),
    ],
)
def test_what_it_refuses(
    leaves_nothing: Block, olive: Person, mia: Person, acme: Organization, what: dict[str, Any], match: str
) -> None:
    with leaves_nothing(ValidationError, match=match):
        offboard(olive, mia, acme, **what)


def test_it_refuses_a_second_time(
    leaves_nothing: Block, olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboard(olive, mia, acme)

    with leaves_nothing(ValidationError, match="being offboarded already"):
        offboard(olive, mia, acme)


def test_it_refuses_who_has_nothing_here(leaves_nothing: Block, olive: Person, mia: Person, acme: Organization) -> None:
    Membership.objects.of(mia).update(ended_at=AT)

    with leaves_nothing(ValidationError, match="nothing to offboard"):
        offboard(olive, mia, acme)


# When the time has come


def test_the_deletions_are_decided_when_the_time_has_come_and_once(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser], shop: IAMUser
) -> None:
    offboarding = offboard(olive, mia, acme)

    follow_offboardings(at=AT + timedelta(days=7) - timedelta(seconds=1))
    assert not Entry.objects.filter(kind="accounts.iam_user.deleted").exists()

    late = AT + timedelta(days=9)
    follow_offboardings(at=late)
    follow_offboardings(at=late)

    offboarding.refresh_from_db()
    assert (offboarding.state, offboarding.deletion_decided_at) == ("deleting", late)
    entries = Entry.objects.filter(kind="accounts.iam_user.deleted").order_by("sequence")
    assert [entry.subject_name for entry in entries] == [iam_user.arn for iam_user in mias]
    for entry, iam_user in zip(entries, mias, strict=True):
        assert (entry.by_id, entry.by_name, entry.reason) == ("", "Gatehouse", WHY)
        assert entry.details == {"user_name": "mia", "user_id": iam_user.user_id, "offboarding": offboarding.pk}
    assert [row.deleted for row in offboarding.iam_users.theirs().order_by("iam_user")] == list(entries)


def test_what_somebody_has_decided_already_is_not_decided_again(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboarding = offboard(olive, mia, acme)
    delete_iam_user(by=olive, iam_user=mias[0], reason="Sooner", at=AT)
    IAMUser.objects.filter(pk=mias[1].pk).update(gone_at=AT)

    follow_offboardings(at=AT + timedelta(days=8))

    entry = Entry.objects.get(kind="accounts.iam_user.deleted")
    assert entry.reason == "Sooner"
    first, second = offboarding.iam_users.order_by("iam_user")
    assert (first.deleted, second.deleted) == (entry, None)


def test_it_is_concluded_when_all_of_it_is_gone(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser]
) -> None:
    offboarding = offboard(olive, mia, acme, delete_after=AT)

    IAMUser.objects.filter(pk=mias[0].pk).update(gone_at=AT)
    follow_offboardings(at=AT)
    offboarding.refresh_from_db()
    assert offboarding.state == "deleting"

    Delivery.objects.filter(entry__kind="accounts.iam_user.deleted").update(state="done", done_at=AT)
    follow_offboardings(at=AT)
    offboarding.refresh_from_db()
    assert (offboarding.state, offboarding.concluded_at) == ("concluded", AT)


# What has not converged


MINUTE = timedelta(minutes=1)


def late(minutes: int) -> list[Offboarding]:
    return list(Offboarding.objects.late(AT + minutes * MINUTE))


@pytest.mark.parametrize("state", ["due", "stuck", "given_up"])
def test_what_has_not_arrived_after_a_quarter_of_an_hour_is_an_alarm(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser], state: str
) -> None:
    offboarding = offboard(olive, mia, acme)
    Delivery.objects.update(
        state=state,
        stuck_kind="denied" if state == "stuck" else "",
        done_at=AT if state == "given_up" else None,
    )

    assert late(15) == []
    assert late(16) == [offboarding]
    Delivery.objects.update(state="done", stuck_kind="", done_at=AT)
    assert late(16) == []


def test_so_is_a_deletion_and_an_application_is_none(
    olive: Person, mia: Person, acme: Organization, mias: list[IAMUser], shop: IAMUser
) -> None:
    offboarding = offboard(olive, mia, acme)
    Delivery.objects.update(state="done", done_at=AT)
    follow_offboardings(at=AT + timedelta(days=7))
    of_deletion = timedelta(days=7) // MINUTE

    assert late(of_deletion + 15) == []
    assert late(of_deletion + 16) == [offboarding]
    IAMUser.objects.filter(pk__in=[row.pk for row in mias]).update(gone_at=AT)
    assert late(of_deletion + 16) == []
