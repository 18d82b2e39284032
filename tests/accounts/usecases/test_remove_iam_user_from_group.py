"""Remove an IAM user from a group."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import IAMGroup, IAMUser, Person
from accounts.usecases.iam_users import remove_iam_user_from_group
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture
def administrator(ledger_writer: IAMUser, administrators: IAMGroup) -> IAMUser:
    """An IAM user in a group outside the envelope of its team."""
    factories.group_membership(ledger_writer, administrators)
    return ledger_writer


def test_taking_away_needs_no_envelope(lena: Person, administrator: IAMUser) -> None:
    remove_iam_user_from_group(by=lena, iam_user=administrator, group_name="administrators", at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.details["group"]) == ("accounts.iam_user.removed_from_group", "administrators")
    assert Delivery.objects.get().subject == administrator.arn
    assert administrator.group_memberships.count() == 1


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, administrator: IAMUser, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        remove_iam_user_from_group(by=somebody, iam_user=administrator, group_name="administrators", at=AT)


def test_elsewhere_it_does_not_exist(oskar: Person, mia: Person, leaves_nothing: Block, administrator: IAMUser) -> None:
    for stranger in (oskar, mia):
        with leaves_nothing(NotThere):
            remove_iam_user_from_group(by=stranger, iam_user=administrator, group_name="administrators", at=AT)


def test_it_refuses_a_group_that_it_is_not_in(lena: Person, leaves_nothing: Block, administrator: IAMUser) -> None:
    with leaves_nothing(ValidationError, match="is not in ledger-writers"):
        remove_iam_user_from_group(by=lena, iam_user=administrator, group_name="ledger-writers", at=AT)
