"""Discover the accounts of an AWS organization, and connect many of them at once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, Organization, Person
from accounts.usecases.discovery import connect_accounts, discover_accounts
from portal.ledger.models import Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DATA, LAKE, ARCHIVE, GLOBEX = "555566667777", "777788889999", "666677778888", "333344445555"

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Connect = Callable[..., list[Account]]


@pytest.fixture
def found(acme_prod: Account, globex_main: Account) -> None:
    """What AWS told through Acme's first account: that one, two to connect, one closed, and one of Globex."""
    for number in (acme_prod.account_id, DATA, LAKE, GLOBEX):
        factories.discovered_account(acme_prod, number)
    factories.discovered_account(acme_prod, ARCHIVE, status="SUSPENDED")


@pytest.fixture
def connect(olive: Person, acme_prod: Account, found: None) -> Connect:
    """Olive connects accounts, but for what the test says otherwise."""

    def connect(*ids: str, **changes: Any) -> list[Account]:
        told: dict[str, Any] = {
            "by": olive,
            "via": acme_prod,
            "role_name": "gatehouse-portal",
            "member_account_ids": ids or None,
            "at": AT,
        }
        return connect_accounts(**told | changes)

    return connect


def test_each_gets_an_external_id_and_an_entry_of_its_own(connect: Connect, acme: Organization) -> None:
    accounts = connect(DATA, LAKE)

    assert [(account.account_id, account.state, account.organization) for account in accounts] == [
        (DATA, Account.State.NEW, acme),
        (LAKE, Account.State.NEW, acme),
    ]
    assert accounts[0].name == f"member {DATA}"
    assert accounts[0].role_arn == f"arn:aws:iam::{DATA}:role/gatehouse-portal"
    assert len({account.external_id for account in accounts}) == 2
    assert min(len(account.external_id) for account in accounts) >= 32
    entries = Entry.objects.order_by("sequence")
    assert [(entry.kind, entry.details["account_id"]) for entry in entries] == [
        ("accounts.account.connected", DATA),
        ("accounts.account.connected", LAKE),
    ]
    assert {entry.details["discovered_through"] for entry in entries} == {"111122223333"}
    assert [entry.subject_id for entry in entries] == [str(account.pk) for account in accounts]


def test_all_means_all_that_can_be(connect: Connect) -> None:
    assert [account.account_id for account in connect()] == [DATA, LAKE]


@pytest.mark.parametrize("number", ["111122223333", ARCHIVE, GLOBEX, "999900001111", "", "x"])
def test_one_that_cannot_be_connected_stops_all(connect: Connect, leaves_nothing: Block, number: str) -> None:
    with leaves_nothing(ValidationError, match="Nothing was connected") as refused:
        connect(DATA, number)
    assert "lobex" not in str(refused.value)


def test_nothing_marked_is_said(connect: Connect, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="Choose at least one"):
        connect(member_account_ids=[])


def test_nothing_left_is_said(connect: Connect, leaves_nothing: Block) -> None:
    connect()

    with leaves_nothing(ValidationError, match="No account is left"):
        connect()


def test_a_role_name_that_is_none_is_refused(connect: Connect, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError, match="1 to 64"):
        connect(DATA, role_name="a b")


def test_one_that_somebody_connects_in_the_same_second_stops_all(
    connect: Connect, leaves_nothing: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr("django.db.models.query.QuerySet.bulk_create", late)

    with leaves_nothing(ValidationError, match="just connected"):
        connect(DATA, LAKE)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("hugo", NotAllowed), ("ada", NotAllowed), ("lena", NotThere), ("mia", NotThere), ("oskar", NotThere)],
)
def test_it_is_for_those_who_connect(
    request: pytest.FixtureRequest, connect: Connect, leaves_nothing: Block, who: str, refusal: type[Exception]
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(refusal):
        connect(DATA, by=somebody)


# Discovering


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """What the workers were told, instead of telling them."""
    told: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: told.append((name, args)))
    return told


def test_discovering_tells_a_worker_after_the_commit(
    olive: Person,
    acme_prod: Account,
    sent: list[tuple[str, list[int]]],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        row = discover_accounts(by=olive, account=acme_prod, at=AT)
        assert sent == []

    assert row.state == "waiting"
    assert sent == [("accounts.tasks.discover_accounts", [row.pk])]


def test_one_discovery_goes_on_at_a_time(olive: Person, acme_prod: Account, leaves_nothing: Block) -> None:
    discover_accounts(by=olive, account=acme_prod, at=AT)

    with leaves_nothing(ValidationError, match="being read already"):
        discover_accounts(by=olive, account=acme_prod, at=AT + MINUTE)
    assert discover_accounts(by=olive, account=acme_prod, at=AT + 4 * MINUTE).state == "waiting"


def test_an_account_that_was_not_tested_discovers_nothing(
    olive: Person, acme: Organization, leaves_nothing: Block
) -> None:
    account = factories.account(acme, "444455556666", state=Account.State.NEW)

    with leaves_nothing(ValidationError, match="was not tested yet"):
        discover_accounts(by=olive, account=account, at=AT)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("hugo", NotAllowed), ("ada", NotAllowed), ("lena", NotThere), ("mia", NotThere), ("oskar", NotThere)],
)
def test_discovering_is_for_those_who_connect(
    request: pytest.FixtureRequest, acme_prod: Account, leaves_nothing: Block, who: str, refusal: type[Exception]
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(refusal):
        discover_accounts(by=somebody, account=acme_prod, at=AT)
