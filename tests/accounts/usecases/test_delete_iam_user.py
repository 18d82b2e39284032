"""Delete IAM user."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import IAMUser, Person, Team
from accounts.usecases.iam_users import delete_iam_user
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def test_it_names_the_very_user_that_shall_go(lena: Person, ledger_writer: IAMUser) -> None:
    delete_iam_user(by=lena, iam_user=ledger_writer, reason="Unused since spring", at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.reason) == ("accounts.iam_user.deleted", "Unused since spring")
    assert entry.details == {"user_name": "ledger-writer", "user_id": ledger_writer.user_id}
    assert Delivery.objects.get().subject == ledger_writer.arn
    ledger_writer.refresh_from_db()
    assert ledger_writer.is_in_aws


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, ledger_writer: IAMUser, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        delete_iam_user(by=somebody, iam_user=ledger_writer, reason="Why not", at=AT)


def test_elsewhere_it_does_not_exist(
    oskar: Person, mia: Person, lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, platform: Team
) -> None:
    for stranger in (oskar, mia):
        with leaves_nothing(NotThere):
            delete_iam_user(by=stranger, iam_user=ledger_writer, reason="Why not", at=AT)

    ledger_writer.team = platform
    ledger_writer.save()
    with leaves_nothing(NotThere):
        delete_iam_user(by=lena, iam_user=ledger_writer, reason="Why not", at=AT)


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_it_wants_a_reason(lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, reason: str) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        delete_iam_user(by=lena, iam_user=ledger_writer, reason=reason, at=AT)


def test_it_refuses_what_aws_does_not_have_yet(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, payments: Team
) -> None:
    coming = factories.undelivered_iam_user(ledger_writer.account, "coming", team=payments)

    with leaves_nothing(ValidationError, match="not in AWS yet"):
        delete_iam_user(by=lena, iam_user=coming, reason="Unused", at=AT)


def test_it_refuses_a_second_time(lena: Person, leaves_nothing: Block, ledger_writer: IAMUser) -> None:
    delete_iam_user(by=lena, iam_user=ledger_writer, reason="Unused", at=AT)

    with leaves_nothing(ValidationError, match="being deleted"):
        delete_iam_user(by=lena, iam_user=ledger_writer, reason="Unused", at=AT)

    Delivery.objects.update(state=Delivery.State.GIVEN_UP, done_at=AT)
    delete_iam_user(by=lena, iam_user=ledger_writer, reason="Now really", at=AT)
    assert Entry.objects.count() == 2
