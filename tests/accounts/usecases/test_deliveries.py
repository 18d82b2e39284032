"""Try a stuck delivery again, or give it up."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, IAMUser, Person, Team
from accounts.usecases.deliveries import give_up, try_again
from accounts.usecases.iam_users import create_iam_user
from portal.ledger.models import Delivery, Entry

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DECISIONS = [try_again, give_up]

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Decision = Callable[..., Delivery]


@pytest.fixture
def stuck(lena: Person, payments: Team, acme_prod: Account, envelope: None) -> Delivery:
    """The delivery of a creation that AWS denied."""
    create_iam_user(by=lena, team=payments, account=acme_prod, user_name="mia", kind="person", at=AT)
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind="denied", error="AWS denied CreateUser.", attempts=3)
    return Delivery.objects.get()


def test_tried_again_it_is_due_and_the_ledger_says_who_wanted_it(olive: Person, stuck: Delivery) -> None:
    try_again(by=olive, delivery=stuck, reason="The permission is there now", at=AT)

    stuck.refresh_from_db()
    assert (stuck.state, stuck.attempts, stuck.stuck_kind) == (Delivery.State.DUE, 0, "")
    entry = Entry.objects.get(kind="accounts.delivery.retried")
    assert (entry.by_id, entry.reason, entry.subject_id) == (
        str(olive.pk),
        "The permission is there now",
        str(stuck.pk),
    )
    assert entry.details == {"entry": str(stuck.entry_id), "attempts": 3, "error": "AWS denied CreateUser."}


def test_given_up_the_creation_leaves_its_name_free(
    olive: Person, stuck: Delivery, lena: Person, payments: Team
) -> None:
    give_up(by=olive, delivery=stuck, reason="Not needed", at=AT)

    stuck.refresh_from_db()
    assert (stuck.state, stuck.done_at) == (Delivery.State.GIVEN_UP, AT)
    row = IAMUser.objects.get()
    assert row.gone_at == AT
    entry = Entry.objects.get(kind="accounts.delivery.given_up")
    assert (entry.by_id, entry.reason) == (str(olive.pk), "Not needed")
    assert entry.details["error"] == "AWS denied CreateUser."
    create_iam_user(by=lena, team=payments, account=row.account, user_name="mia", kind="person", at=AT)
    assert IAMUser.objects.present().count() == 1


@pytest.mark.parametrize("decide", DECISIONS)
@pytest.mark.parametrize("who", ["lena", "hugo", "ada", "mia"])
def test_it_refuses_who_has_no_duty_for_it(
    request: pytest.FixtureRequest, leaves_nothing: Block, stuck: Delivery, decide: Decision, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        decide(by=somebody, delivery=stuck, reason="Because", at=AT)


@pytest.mark.parametrize("decide", DECISIONS)
def test_elsewhere_it_does_not_exist(oskar: Person, leaves_nothing: Block, stuck: Delivery, decide: Decision) -> None:
    with leaves_nothing(NotThere):
        decide(by=oskar, delivery=stuck, reason="Because", at=AT)


@pytest.mark.parametrize("decide", DECISIONS)
def test_it_wants_a_reason(olive: Person, leaves_nothing: Block, stuck: Delivery, decide: Decision) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        decide(by=olive, delivery=stuck, reason=" ", at=AT)


@pytest.mark.parametrize("decide", DECISIONS)
@pytest.mark.parametrize("ended", [Delivery.State.DONE, Delivery.State.GIVEN_UP])
def test_it_refuses_what_has_ended(
    olive: Person, leaves_nothing: Block, stuck: Delivery, decide: Decision, ended: str
) -> None:
    Delivery.objects.update(state=ended, stuck_kind="", done_at=AT)

    with leaves_nothing(ValidationError, match="on its way or has ended"):
        decide(by=olive, delivery=stuck, reason="Because", at=AT)
