"""Have one IAM user read now."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ValidationError

from accounts.access import NotThere
from accounts.models import Account, AccountImport, IAMUser, Person, Team
from accounts.usecases.imports import refresh_account, refresh_iam_user
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], str]]:
    """What the workers were told and in which queue, instead of telling them."""
    told: list[tuple[list[int], str]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, queue, **options: told.append((args, queue)))
    return told


def test_it_starts_at_once_before_what_nobody_waits_for(
    lena: Person,
    ledger_writer: IAMUser,
    sent: list[tuple[list[int], str]],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        account_import = refresh_iam_user(by=lena, iam_user=ledger_writer, at=AT)

    assert (account_import.iam_user, account_import.account) == (ledger_writer, ledger_writer.account)
    assert sent == [([account_import.pk], "interactive")]
    assert not Entry.objects.exists()


def test_whoever_sees_it_may(hugo: Person, ada: Person, ledger_writer: IAMUser) -> None:
    for somebody in (hugo, ada):
        refresh_iam_user(by=somebody, iam_user=ledger_writer, at=AT)
        AccountImport.objects.update(state=AccountImport.State.APPLIED)


def test_elsewhere_it_does_not_exist(
    oskar: Person, mia: Person, lena: Person, acme_prod: Account, platform: Team, leaves_nothing: Block
) -> None:
    theirs = factories.iam_user(acme_prod, "theirs", team=platform)

    for stranger in (oskar, mia, lena):
        with leaves_nothing(NotThere):
            refresh_iam_user(by=stranger, iam_user=theirs, at=AT)


def test_once_at_a_time_beside_the_accounts_own(
    lena: Person, olive: Person, ledger_writer: IAMUser, leaves_nothing: Block
) -> None:
    refresh_account(by=olive, account=ledger_writer.account, at=AT)
    refresh_iam_user(by=lena, iam_user=ledger_writer, at=AT)

    with leaves_nothing(ValidationError, match="ledger-writer is being read already"):
        refresh_iam_user(by=lena, iam_user=ledger_writer, at=AT + MINUTE)


def test_what_aws_does_not_hold_is_not_read(lena: Person, ledger_writer: IAMUser, leaves_nothing: Block) -> None:
    IAMUser.objects.update(gone_at=AT)
    ledger_writer.refresh_from_db()

    with leaves_nothing(ValidationError, match="does not hold"):
        refresh_iam_user(by=lena, iam_user=ledger_writer, at=AT)
