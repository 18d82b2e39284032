"""Add an IAM user to a group that the team may hand out."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import Account, IAMGroup, IAMUser, Person
from accounts.usecases.iam_users import add_iam_user_to_group
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def test_it_saves_an_entry_and_its_delivery(lena: Person, ledger_writer: IAMUser) -> None:
    add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT, reason="On call")

    entry = Entry.objects.get()
    assert (entry.kind, entry.details["group"], entry.reason) == (
        "accounts.iam_user.added_to_group",
        "ledger-writers",
        "On call",
    )
    assert Delivery.objects.get().subject == ledger_writer.arn
    assert not ledger_writer.group_memberships.exists()


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, ledger_writer: IAMUser, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        add_iam_user_to_group(by=somebody, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_elsewhere_it_does_not_exist(oskar: Person, mia: Person, leaves_nothing: Block, ledger_writer: IAMUser) -> None:
    for stranger in (oskar, mia):
        with leaves_nothing(NotThere):
            add_iam_user_to_group(by=stranger, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_a_lead_hands_out_only_what_lies_in_the_envelope(
    lena: Person, olive: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    with leaves_nothing(OutsideEnvelope, match="not a group that you may hand out"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="administrators", at=AT)

    add_iam_user_to_group(by=olive, iam_user=ledger_writer, group_name="administrators", at=AT)
    assert Entry.objects.get().by_id == str(olive.pk)


def test_a_group_made_anew_under_its_name_is_not_in_the_envelope(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, ledger_writers: IAMGroup, acme_prod: Account
) -> None:
    ledger_writers.gone_at = AT
    ledger_writers.save()
    factories.iam_group(acme_prod, "ledger-writers")

    with leaves_nothing(OutsideEnvelope):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_a_user_without_a_team_has_no_envelope(olive: Person, ledger_writer: IAMUser) -> None:
    ledger_writer.team = None
    ledger_writer.save()

    add_iam_user_to_group(by=olive, iam_user=ledger_writer, group_name="ledger-writers", at=AT)

    assert Entry.objects.count() == 1


def test_it_refuses_a_group_that_it_is_in(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, ledger_writers: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, ledger_writers)

    with leaves_nothing(ValidationError, match="is in ledger-writers already"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)


def test_it_refuses_an_eleventh_group(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, acme_prod: Account
) -> None:
    for number in range(10):
        factories.group_membership(ledger_writer, factories.iam_group(acme_prod, f"group-{number}"))

    with leaves_nothing(ValidationError, match="at most 10 groups"):
        add_iam_user_to_group(by=lena, iam_user=ledger_writer, group_name="ledger-writers", at=AT)
