"""Approving and declining: by somebody else, who could decide when it was asked for, and exactly what was asked for."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from accounts.access import NotAllowed, NotThere
from accounts.models import Duty, GroupGrant, IAMGroup, IAMUser, Membership, Organization, Person, Request, Team
from accounts.usecases.requests import approve_request, decline_request, expire_requests, withdraw_request
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.test_make_request import ask

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def approve(by: Person, request: Request, at: datetime | None = None) -> Request:
    return approve_request(by=by, request=request, at=at or timezone.now())


@pytest.fixture
def asked(olive: Person, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup) -> Request:
    """Lena asks for administrators."""
    return ask(lena, ledger_writer)


def test_an_approval_has_it_done_in_the_approvers_name(olive: Person, lena: Person, asked: Request) -> None:
    approve_request(by=olive, request=asked, at=timezone.now(), words="For the migration")

    asked.refresh_from_db()
    assert (asked.state, asked.decided_by, asked.words) == ("approved", olive, "For the migration")
    approved, added = Entry.objects.order_by("sequence")[1:]
    assert (approved.kind, approved.by_id, approved.reason) == (
        "accounts.request.approved",
        str(olive.pk),
        "For the migration",
    )
    assert (added.kind, added.by_id, added.reason) == (
        "accounts.iam_user.added_to_group",
        str(olive.pk),
        "On call",
    )
    told = {"group": "administrators", "request": asked.pk, "requested_by": lena.email, "binding": asked.binding}
    assert told.items() <= added.details.items()
    assert added.deliveries.count() == 1


def test_an_approval_until_a_time_makes_a_grant(
    olive: Person, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    until = timezone.now() + timedelta(days=2)
    request = ask(lena, ledger_writer, until=until)

    approve(olive, request)

    grant = GroupGrant.objects.get()
    assert (grant.group_name, grant.until, grant.request, grant.made_by) == ("administrators", until, request, olive)
    assert Delivery.objects.get().entry.details["until"] == until.isoformat()


def test_nobody_decides_about_what_they_asked_for(
    olive: Person, lena: Person, asked: Request, leaves_nothing: Block
) -> None:
    """Also not by a second duty, which they had before."""
    second = factories.membership(lena, Duty.ADMIN, of=asked.organization)
    Membership.objects.filter(pk=second.pk).update(created_at=factories.READ_AT)

    for decide in (approve, lambda by, request: decline_request(by=by, request=request, words="No", at=timezone.now())):
        with leaves_nothing(ValidationError, match="somebody else decides"):
            decide(lena, asked)


def test_who_became_approver_since_does_not_decide(acme: Organization, asked: Request, leaves_nothing: Block) -> None:
    newcomer = factories.member("newcomer@acme.test", Duty.ADMIN, of=acme)

    with leaves_nothing(ValidationError, match="could decide when this was asked for"):
        approve(newcomer, asked)
    with leaves_nothing(ValidationError, match="could decide when this was asked for"):
        decline_request(by=newcomer, request=asked, words="No", at=timezone.now())


def test_who_may_not_decide_is_refused(
    ada: Person, hugo: Person, oskar: Person, acme: Organization, payments: Team, asked: Request, leaves_nothing: Block
) -> None:
    colleague = factories.member("colleague@acme.test", Duty.LEAD, of=acme, team=payments)

    for by, refusal in ((ada, NotAllowed), (colleague, NotAllowed), (hugo, NotThere), (oskar, NotThere)):
        with leaves_nothing(refusal):
            approve(by, asked)
        with leaves_nothing(refusal):
            decline_request(by=by, request=asked, words="No", at=timezone.now())


def test_it_is_declined_with_words(olive: Person, asked: Request, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        decline_request(by=olive, request=asked, words=" ", at=timezone.now())

    decline_request(by=olive, request=asked, words="Use the pipeline", at=timezone.now())

    assert (asked.state, asked.decided_by, asked.words) == ("declined", olive, "Use the pipeline")
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("end", ["approve", "decline", "withdraw"])
def test_what_is_decided_stays_decided(
    olive: Person, lena: Person, asked: Request, leaves_nothing: Block, end: str
) -> None:
    at = timezone.now()
    ends: dict[str, Callable[[], Request]] = {
        "approve": lambda: approve(olive, asked),
        "decline": lambda: decline_request(by=olive, request=asked, words="No", at=at),
        "withdraw": lambda: withdraw_request(by=lena, request=asked, at=at),
    }
    ends[end]()

    for again in ends.values():
        with leaves_nothing(ValidationError, match="decided already"):
            again()


def change_the_iam_user(request: Request) -> None:
    IAMUser.objects.filter(pk=request.subject_id).update(user_id="AIDAANOTHER")


def change_the_group(request: Request) -> None:
    IAMGroup.objects.filter(group_name="administrators").update(inline_policies={"more": {"Statement": []}})


def change_the_envelope(request: Request) -> None:
    row = request.team.envelope if request.team else None
    assert row is not None
    row.version += 1
    row.save()


def disable_the_requester(request: Request) -> None:
    Person.objects.filter(pk=request.made_by_id).update(is_active=False)


@pytest.mark.parametrize("change", [change_the_iam_user, change_the_group, change_the_envelope, disable_the_requester])
def test_what_changed_meanwhile_is_not_approved(
    olive: Person, asked: Request, change: Callable[[Request], None]
) -> None:
    change(asked)

    assert approve(olive, asked).state == "lapsed"

    assert not Delivery.objects.exists()
    assert asked.words
    assert Entry.objects.latest("sequence").kind == "accounts.request.lapsed"


def test_too_late_is_not_approved(olive: Person, asked: Request) -> None:
    assert approve(olive, asked, at=asked.expires_at).state == "expired"

    assert not Delivery.objects.exists()
    assert Entry.objects.latest("sequence").kind == "accounts.request.expired"


def test_beat_closes_what_nobody_decided_about(asked: Request) -> None:
    assert expire_requests(at=asked.expires_at - timedelta(seconds=1)) == 0
    assert expire_requests(at=asked.expires_at) == 1
    assert expire_requests(at=asked.expires_at) == 0

    asked.refresh_from_db()
    assert (asked.state, asked.decided_by) == ("expired", None)


def test_what_the_use_case_refuses_leaves_it_open(
    olive: Person, asked: Request, ledger_writer: IAMUser, leaves_nothing: Block
) -> None:
    for number in range(10):
        factories.group_membership(ledger_writer, factories.iam_group(ledger_writer.account, f"group-{number}"))

    with leaves_nothing(ValidationError, match="at most 10 groups"):
        approve(olive, asked)


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_of_two_who_approve_at_once_one_does(
    olive: Person, acme: Organization, lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    second = factories.member("second@acme.test", Duty.ADMIN, of=acme)
    request = ask(lena, ledger_writer)
    outcomes, barrier = [], threading.Barrier(2)

    def run(by: Person) -> None:
        mine = Request.objects.get(pk=request.pk)
        barrier.wait()
        try:
            outcomes.append(approve(by, mine).state)
        except ValidationError as refusal:
            outcomes.append(refusal.messages[0])
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[by]) for by in (olive, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["This is decided already: approved.", "approved"]
    assert Entry.objects.filter(kind="accounts.iam_user.added_to_group").count() == 1
    assert Delivery.objects.count() == 1


def test_of_two_who_hold_the_same_row_one_closes_it(asked: Request, olive: Person) -> None:
    """The conditional update decides, wherever the database has no row locks."""
    now = timezone.now()
    with transaction.atomic():
        closed = [
            Request.objects.close(Request.objects.get(), state, decided_at=now, decided_by=olive)
            for state in (Request.State.APPROVED, Request.State.DECLINED)
        ]

    assert closed == [True, False]
    assert Request.objects.get().state == "approved"
