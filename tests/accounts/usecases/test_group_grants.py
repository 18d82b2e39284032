"""Groups until a time: they end once, and the membership with the last grant that needs it."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Duty, GroupGrant, IAMGroup, IAMUser, Organization, Person, Team
from accounts.usecases.drift import revert_drift
from accounts.usecases.group_grants import end_due_grants, extend_grant, give_back_grant, grant_group
from accounts.usecases.iam_users import add_iam_user_to_group, remove_iam_user_from_group
from portal.ledger import deliver as worker
from portal.ledger.models import Delivery, Entry
from tests import factories

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

NOW = timezone.now()
DAY = timedelta(days=1)
ADMINISTRATION = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def grant(
    by: Person, iam_user: IAMUser, *, days: int = 1, at: datetime = NOW, group: str = "ledger-writers"
) -> GroupGrant:
    return grant_group(by=by, iam_user=iam_user, group_name=group, until=NOW + days * DAY, at=at)


def arrive(iam_user: IAMUser, group: IAMGroup) -> None:
    """As if the additions had been carried."""
    Delivery.objects.open().update(state="done", done_at=NOW, attempts=1)
    if not iam_user.group_memberships.filter(iam_group=group).exists():
        factories.group_membership(iam_user, group)


def removals() -> list[Entry]:
    return list(Entry.objects.filter(kind="accounts.iam_user.removed_from_group"))


@pytest.fixture
def granted(lena: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup) -> GroupGrant:
    """Ledger-writers for a day; AWS has it."""
    made = grant(lena, ledger_writer)
    arrive(ledger_writer, ledger_writers)
    return made


def test_it_saves_the_grant_and_the_addition(lena: Person, ledger_writer: IAMUser) -> None:
    made = grant(lena, ledger_writer)

    assert (made.until, made.made_by, made.ended_at) == (NOW + DAY, lena, None)
    kinds = list(Entry.objects.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["accounts.group_grant.made", "accounts.iam_user.added_to_group"]
    assert Delivery.objects.get().entry.details["until"] == (NOW + DAY).isoformat()


def test_a_lead_grants_only_what_lies_in_the_envelope(
    lena: Person, hugo: Person, mia: Person, oskar: Person, ledger_writer: IAMUser, administrators: IAMGroup,
    leaves_nothing: Block,
) -> None:  # fmt: skip
    with leaves_nothing(OutsideEnvelope):
        grant(lena, ledger_writer, group="administrators")
    with leaves_nothing(NotAllowed):
        grant(hugo, ledger_writer)
    for stranger in (mia, oskar):
        with leaves_nothing(NotThere):
            grant(stranger, ledger_writer)


@pytest.mark.parametrize(("days", "words"), [(0, "still to come"), (-1, "still to come"), (400, "within a year")])
def test_its_time_is_to_come_and_within_a_year(
    lena: Person, ledger_writer: IAMUser, leaves_nothing: Block, days: int, words: str
) -> None:
    with leaves_nothing(ValidationError, match=words):
        grant(lena, ledger_writer, days=days)


def test_where_it_is_for_good_no_time_is_set(
    lena: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup, leaves_nothing: Block
) -> None:
    factories.group_membership(ledger_writer, ledger_writers)

    with leaves_nothing(ValidationError, match="already"):
        grant(lena, ledger_writer)


def test_when_its_time_is_over_it_is_removed_once(ledger_writer: IAMUser, granted: GroupGrant) -> None:
    assert end_due_grants(at=granted.until - timedelta(seconds=1)) == 0
    assert removals() == []

    assert end_due_grants(at=granted.until) == 1
    assert end_due_grants(at=granted.until + DAY) == 0

    granted.refresh_from_db()
    assert (granted.ended_at, granted.ended_why) == (NOW + DAY, "time")
    (removal,) = removals()
    assert (removal.by_id, removal.by_name, removal.details["grant"]) == ("", "Gatehouse", granted.pk)
    assert removal.deliveries.get().subject == ledger_writer.arn


def test_the_membership_ends_with_the_last_grant(olive: Person, ledger_writer: IAMUser, granted: GroupGrant) -> None:
    later = grant(olive, ledger_writer, days=3)
    assert Entry.objects.filter(kind="accounts.iam_user.added_to_group").count() == 1

    assert end_due_grants(at=NOW + 2 * DAY) == 1
    assert removals() == []

    assert end_due_grants(at=later.until) == 1
    assert len(removals()) == 1


def test_two_grants_that_end_at_once_remove_once(olive: Person, ledger_writer: IAMUser, granted: GroupGrant) -> None:
    grant(olive, ledger_writer, days=3)

    assert end_due_grants(at=NOW + 4 * DAY) == 2
    assert len(removals()) == 1


def test_a_permanent_decision_keeps_the_membership(lena: Person, ledger_writer: IAMUser, granted: GroupGrant) -> None:
    add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=NOW)

    assert end_due_grants(at=granted.until) == 1
    assert removals() == []


def test_a_permanent_decision_that_was_given_up_keeps_nothing(
    lena: Person, ledger_writer: IAMUser, granted: GroupGrant
) -> None:
    add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=NOW)
    worker.abandon(delivery=Delivery.objects.open().get(), at=NOW)

    end_due_grants(at=granted.until)

    assert len(removals()) == 1


def test_a_permanent_decision_is_made_once(
    lena: Person, ledger_writer: IAMUser, granted: GroupGrant, leaves_nothing: Block
) -> None:
    add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=NOW)

    with leaves_nothing(ValidationError, match="already"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=NOW)
    with leaves_nothing(ValidationError, match="already"):
        grant(lena, ledger_writer, days=5)


def test_removing_by_hand_ends_its_grants(lena: Person, ledger_writer: IAMUser, granted: GroupGrant) -> None:
    remove_iam_user_from_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=NOW)

    granted.refresh_from_db()
    assert granted.ended_why == "removed"
    assert end_due_grants(at=granted.until) == 0
    assert len(removals()) == 1


def test_an_addition_that_nobody_carried_ends_without_a_removal(lena: Person, ledger_writer: IAMUser) -> None:
    made = grant(lena, ledger_writer)

    assert end_due_grants(at=made.until) == 1

    assert removals() == []
    assert Delivery.objects.get().state == "given_up"


def test_an_addition_that_was_given_up_ends_without_a_removal(lena: Person, ledger_writer: IAMUser) -> None:
    made = grant(lena, ledger_writer)
    worker.abandon(delivery=Delivery.objects.get(), at=NOW)

    assert end_due_grants(at=made.until) == 1
    assert removals() == []


@pytest.mark.parametrize("state", ["waiting", "stuck", "calling"])
def test_an_addition_that_was_tried_is_removed_for_all_cases(lena: Person, ledger_writer: IAMUser, state: str) -> None:
    """A lost answer says nothing of what AWS did; one that is being carried stays ahead of the removal."""
    made = grant(lena, ledger_writer)
    more: dict[str, dict[str, Any]] = {
        "stuck": {"stuck_kind": "denied"},
        "waiting": {"not_before": NOW},
        "calling": {"claim": "00000000-0000-4000-8000-000000000000", "lease_until": NOW},
    }
    Delivery.objects.update(state=state, attempts=1, error="AWS did not answer", **more[state])

    end_due_grants(at=made.until)

    assert len(removals()) == 1
    assert Delivery.objects.earliest("pk").state == ("calling" if state == "calling" else "given_up")


def test_one_that_is_gone_has_nothing_removed(ledger_writer: IAMUser, granted: GroupGrant) -> None:
    IAMUser.objects.update(gone_at=NOW)

    assert end_due_grants(at=granted.until) == 1
    assert removals() == []


def test_it_is_extended_inside_the_envelope(
    lena: Person, hugo: Person, oskar: Person, granted: GroupGrant, ledger_writers: IAMGroup, leaves_nothing: Block
) -> None:
    for by, refusal in ((hugo, NotAllowed), (oskar, NotThere)):
        with leaves_nothing(refusal):
            extend_grant(by=by, grant=granted, until=NOW + 2 * DAY, at=NOW)
    for until in (granted.until, granted.until - timedelta(hours=1)):
        with leaves_nothing(ValidationError, match="later time"):
            extend_grant(by=lena, grant=granted, until=until, at=NOW)

    extend_grant(by=lena, grant=granted, until=NOW + 2 * DAY, at=NOW)

    assert end_due_grants(at=NOW + DAY) == 0
    assert end_due_grants(at=NOW + 2 * DAY) == 1
    entry = Entry.objects.get(kind="accounts.group_grant.extended")
    assert (entry.details["before"], entry.details["until"]) == (
        (NOW + DAY).isoformat(), (NOW + 2 * DAY).isoformat(),
    )  # fmt: skip


def test_what_a_lead_could_not_hand_out_they_cannot_extend(
    lena: Person, olive: Person, ledger_writer: IAMUser, administrators: IAMGroup, leaves_nothing: Block
) -> None:
    made = grant(olive, ledger_writer, group="administrators")

    with leaves_nothing(OutsideEnvelope):
        extend_grant(by=lena, grant=made, until=NOW + 2 * DAY, at=NOW)

    extend_grant(by=olive, grant=made, until=NOW + 2 * DAY, at=NOW)


def test_a_group_that_carries_more_since_is_not_extended_by_a_lead(
    lena: Person, granted: GroupGrant, ledger_writers: IAMGroup, leaves_nothing: Block
) -> None:
    """That the IAM user is in it already makes it no smaller."""
    IAMGroup.objects.filter(pk=ledger_writers.pk).update(inline_policies={"all": ADMINISTRATION})

    with leaves_nothing(OutsideEnvelope):
        extend_grant(by=lena, grant=granted, until=NOW + 2 * DAY, at=NOW)


def test_what_has_ended_is_not_extended(lena: Person, granted: GroupGrant, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="ended already"):
        extend_grant(by=lena, grant=granted, until=NOW + 3 * DAY, at=granted.until)

    give_back_grant(by=lena, grant=granted, at=NOW)
    with leaves_nothing(ValidationError, match="ended already"):
        extend_grant(by=lena, grant=granted, until=NOW + 3 * DAY, at=NOW)


def test_its_owner_gives_it_back(
    mia: Person, hugo: Person, oskar: Person, ledger_writer: IAMUser, granted: GroupGrant, leaves_nothing: Block
) -> None:
    for by, refusal in ((hugo, NotAllowed), (mia, NotThere), (oskar, NotThere)):
        with leaves_nothing(refusal):
            give_back_grant(by=by, grant=granted, at=NOW)
    ledger_writer.owner = mia
    ledger_writer.save()
    granted.refresh_from_db()

    give_back_grant(by=mia, grant=granted, at=NOW)

    assert (granted.ended_why, len(removals())) == ("given_back", 1)
    assert removals()[0].by_id == str(mia.pk)
    with leaves_nothing(ValidationError, match="ended already"):
        give_back_grant(by=mia, grant=granted, at=NOW)


def test_whoever_left_the_organization_gives_nothing_back(
    acme: Organization, globex: Organization, ledger_writer: IAMUser, granted: GroupGrant, leaves_nothing: Block
) -> None:
    gone = factories.member("gone@acme.test", Duty.MEMBER, of=globex)
    IAMUser.objects.update(owner=gone)
    granted.refresh_from_db()

    with leaves_nothing(NotThere):
        give_back_grant(by=gone, grant=granted, at=NOW)


def test_given_back_early_another_grant_keeps_it(
    olive: Person, lena: Person, ledger_writer: IAMUser, granted: GroupGrant
) -> None:
    grant(olive, ledger_writer, days=3)

    give_back_grant(by=lena, grant=granted, at=NOW)

    assert removals() == []


def test_it_can_be_granted_again(lena: Person, ledger_writer: IAMUser, granted: GroupGrant) -> None:
    end_due_grants(at=granted.until)

    grant(lena, ledger_writer, days=5, at=granted.until)

    kinds = [delivery.entry.kind.rsplit(".")[-1] for delivery in Delivery.objects.open().order_by("pk")]
    assert kinds == ["removed_from_group", "added_to_group"]


def test_one_that_is_made_anew_does_not_keep_what_it_had_for_a_time(
    olive: Person, ledger_writer: IAMUser, granted: GroupGrant, administrators: IAMGroup
) -> None:
    add_iam_user_to_group(by=olive, iam_user=ledger_writer, group_name="administrators", at=NOW)
    arrive(ledger_writer, administrators)
    IAMUser.objects.update(gone_at=NOW)
    ledger_writer.refresh_from_db()
    decided = ledger_writer.record.attributes.stored()
    gone = factories.drift(ledger_writer, kind="gone", attribute="", decided=decided, held=None)

    revert_drift(by=olive, drifts=[gone], reason="Deleted by mistake", at=NOW)

    assert decided["group_names"] == ["administrators", "ledger-writers"]
    assert Entry.objects.get(kind="accounts.iam_user.created").details["groups"] == ["administrators"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_two_workers_end_it_once(
    lena: Person, ledger_writer: IAMUser, ledger_writers: IAMGroup, olive: Person, acme_prod: Account, payments: Team
) -> None:
    granted = grant(lena, ledger_writer)
    grant(olive, ledger_writer)
    arrive(ledger_writer, ledger_writers)
    barrier, counts = threading.Barrier(2), []

    def run() -> None:
        barrier.wait()
        counts.append(end_due_grants(at=granted.until))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 2
    assert len(removals()) == 1
