"""Have an AWS account read now, and what beat does of itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, AccountImport, Organization, Person, Team
from accounts.usecases.imports import import_due_accounts, refresh_account, start_import
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """What the workers were told, instead of telling them."""
    told: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: told.append((name, args)))
    return told


def test_it_starts_an_import_and_tells_a_worker_after_the_commit(
    olive: Person,
    acme_prod: Account,
    sent: list[tuple[str, list[int]]],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        account_import = refresh_account(by=olive, account=acme_prod, at=AT)
        assert sent == []

    assert (account_import.state, account_import.account) == (AccountImport.State.WAITING, acme_prod)
    assert sent == [("accounts.tasks.import_account", [account_import.pk])]
    assert not Entry.objects.exists()


@pytest.mark.parametrize("who", ["hugo", "ada", "lena"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, acme_prod: Account, envelope: None, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        refresh_account(by=somebody, account=acme_prod, at=AT)


def test_elsewhere_it_does_not_exist(
    oskar: Person, lena: Person, mia: Person, leaves_nothing: Block, acme_dev: Account, platform: Team
) -> None:
    for stranger in (oskar, lena, mia):
        with leaves_nothing(NotThere):
            refresh_account(by=stranger, account=acme_dev, at=AT)


def test_it_refuses_while_the_account_is_being_read(
    olive: Person, acme_prod: Account, acme_dev: Account, leaves_nothing: Block
) -> None:
    refresh_account(by=olive, account=acme_prod, at=AT)

    with leaves_nothing(ValidationError, match="being read already"):
        refresh_account(by=olive, account=acme_prod, at=AT + MINUTE)
    assert refresh_account(by=olive, account=acme_dev, at=AT).state == AccountImport.State.WAITING


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_starts(olive: Person, acme_prod: Account) -> None:
    outcomes = together(2, lambda _: refresh_account(by=olive, account=acme_prod, at=AT))

    assert {type(outcome) for outcome in outcomes} == {AccountImport, ValidationError}
    assert AccountImport.objects.count() == 1


@pytest.mark.parametrize("state", [AccountImport.State.WAITING, AccountImport.State.READING])
def test_a_stranded_import_gives_way_to_a_new_one(acme_prod: Account, state: str) -> None:
    old = factories.account_import(acme_prod, state=state, lease_until=AT - MINUTE)

    new = start_import(account=acme_prod, at=AT)

    old.refresh_from_db()
    assert (old.state, old.finished_at, "ended before" in old.error) == (AccountImport.State.FAILED, AT, True)
    assert (new.state, new.lease_until) == (AccountImport.State.WAITING, AT + 10 * MINUTE)


def ticks(minutes: int) -> Iterator[tuple[int, set[int]]]:
    """Beat, minute after minute; what it starts is read at once. The minute and the accounts that were started."""
    for minute in range(minutes):
        import_due_accounts(at=AT + minute * MINUTE)
        started = set(AccountImport.objects.open().values_list("account_id", flat=True))
        AccountImport.objects.open().update(state=AccountImport.State.APPLIED)
        yield minute, started


def test_beat_starts_each_account_once_in_its_time(acme_prod: Account, acme_dev: Account, settings: Any) -> None:
    settings.IMPORT_EVERY_MINUTES = 30
    # At first both were never read.
    assert next(ticks(1)) == (0, {acme_prod.pk, acme_dev.pk})

    turns = [(minute, pk) for minute, started in ticks(121) for pk in started]

    for account in (acme_prod, acme_dev):
        minutes = [minute for minute, pk in turns if pk == account.pk]
        assert len(minutes) == 4
        assert {later - sooner for sooner, later in pairwise(minutes)} == {30}


def test_beat_spreads_the_accounts_over_the_time(acme: Organization, settings: Any) -> None:
    settings.IMPORT_EVERY_MINUTES = 30
    for number in range(40):
        factories.account(acme, f"{number:012d}")
    next(ticks(1))

    most = max(len(started) for _, started in ticks(31))

    assert most <= 8


def test_beat_lets_a_reading_go_on_and_takes_over_a_stranded_one(acme_prod: Account, acme_dev: Account) -> None:
    reading = {"state": "reading", "created_at": AT - timedelta(hours=2)}
    factories.account_import(acme_prod, lease_until=AT + MINUTE, **reading)
    factories.account_import(acme_dev, lease_until=AT - MINUTE, **reading)

    import_due_accounts(at=AT)

    assert AccountImport.objects.filter(account=acme_prod).count() == 1
    assert list(AccountImport.objects.filter(account=acme_dev).order_by("pk").values_list("state", flat=True)) == [
        "failed",
        "waiting",
    ]


def test_beat_starts_the_others_when_one_was_started_by_somebody_meanwhile(
    acme_prod: Account, acme_dev: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.account_import(acme_prod, lease_until=AT + MINUTE, created_at=AT - timedelta(hours=2))
    monkeypatch.setattr(AccountImport, "OPEN", ())

    import_due_accounts(at=AT)

    assert AccountImport.objects.filter(account=acme_dev).count() == 1
