"""Have the connection to an AWS account tested, and what follows from what the test finds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.importers.probes import Check, Finding, Outcome, Verdict
from accounts.models import Account, AccountImport, ConnectionTest, Organization, Person
from accounts.usecases import connections, imports
from portal.ledger.models import Entry
from tests import factories
from tests.portal.ledger.carrying import together

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
State = Account.State

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Sent = list[tuple[str, list[int], str]]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the workers were told, instead of telling them."""
    told: Sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, queue, **options: told.append((name, args, queue)))
    return told


def finding(verdict: Verdict, words: str = "", *missing: str) -> Finding:
    outcome = Outcome.PASSED if verdict is Verdict.PASSED else Outcome.FAILED
    return Finding(verdict, words, (Check("Entry with the external ID", outcome, words, missing),))


@pytest.fixture
def conclude(olive: Person, acme_prod: Account) -> Callable[..., ConnectionTest]:
    """What a worker does with a test that found this."""

    def conclude(found: Finding, **fields: Any) -> ConnectionTest:
        test = factories.connection_test(acme_prod, **{"state": "testing", "asked_by": olive} | fields)
        connections.conclude_test(by=olive, test=test, finding=found, at=AT)
        test.refresh_from_db()
        acme_prod.refresh_from_db()
        return test

    return conclude


def set_state(account: Account, state: Account.State) -> None:
    Account.objects.filter(pk=account.pk).update(state=state)


# Asking for it


def test_it_starts_a_test_and_tells_a_worker_after_the_commit(
    olive: Person,
    acme_prod: Account,
    sent: Sent,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        test = connections.test_connection(by=olive, account=acme_prod, at=AT)
        assert sent == []

    assert (test.state, test.asked_by, test.lease_until) == ("waiting", olive, AT + 3 * MINUTE)
    assert sent == [("accounts.tasks.test_connection", [test.pk], "interactive")]
    assert not Entry.objects.exists()


@pytest.mark.parametrize("who", ["hugo", "ada", "lena"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, acme_prod: Account, envelope: None, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        connections.test_connection(by=somebody, account=acme_prod, at=AT)


def test_elsewhere_it_does_not_exist(oskar: Person, mia: Person, leaves_nothing: Block, acme_prod: Account) -> None:
    for stranger in (oskar, mia):
        with leaves_nothing(NotThere):
            connections.test_connection(by=stranger, account=acme_prod, at=AT)


def test_it_refuses_while_it_is_being_tested(olive: Person, acme_prod: Account, leaves_nothing: Block) -> None:
    connections.test_connection(by=olive, account=acme_prod, at=AT)

    with leaves_nothing(ValidationError, match="being tested already"):
        connections.test_connection(by=olive, account=acme_prod, at=AT + MINUTE)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_starts(olive: Person, acme_prod: Account) -> None:
    outcomes = together(2, lambda _: connections.test_connection(by=olive, account=acme_prod, at=AT))

    assert {type(outcome) for outcome in outcomes} == {ConnectionTest, ValidationError}
    assert ConnectionTest.objects.count() == 1


def test_a_stranded_test_gives_way_to_a_new_one(olive: Person, acme_prod: Account) -> None:
    old = factories.connection_test(acme_prod, state="testing", lease_until=AT - MINUTE)

    new = connections.test_connection(by=olive, account=acme_prod, at=AT)

    old.refresh_from_db()
    assert (old.state, old.finished_at, old.checks[0]["outcome"]) == ("failed", AT, "unclear")
    assert "Try again" in old.checks[0]["words"]
    assert new.state == "waiting"


def test_beat_closes_what_was_stranded_and_nothing_else(acme_prod: Account, acme_dev: Account) -> None:
    stranded = factories.connection_test(acme_prod, state="testing", lease_until=AT - MINUTE)
    going_on = factories.connection_test(acme_dev, state="testing", lease_until=AT + MINUTE)
    discovery = factories.account_discovery(acme_prod, lease_until=AT - MINUTE)

    connections.close_stranded(at=AT)

    for row in (stranded, going_on, discovery):
        row.refresh_from_db()
    assert (stranded.state, going_on.state) == ("failed", "testing")
    assert (discovery.state, "Try again" in discovery.error) == ("failed", True)
    assert set(Account.objects.values_list("state", flat=True)) == {State.CONNECTED}


def test_all_that_were_not_tested_are_tested_at_once(
    olive: Person, acme: Organization, acme_prod: Account, acme_dev: Account, globex_main: Account
) -> None:
    sandbox = factories.account(acme, "444455556666", state=State.REFUSED)
    busy = factories.account(acme, "555566667777", state=State.NEW)
    factories.connection_test(busy, state="testing", lease_until=AT + MINUTE)
    for account in (acme_dev, globex_main):
        set_state(account, State.NEW)

    started = connections.test_new_connections(by=olive, organization=acme, at=AT)

    assert {test.account for test in started} == {acme_dev, sandbox}
    # They may wait for one another: an hour in the queue is not the end.
    assert {test.lease_until for test in started} == {AT + timedelta(hours=1)}


@pytest.mark.parametrize("who", ["hugo", "ada", "lena", "mia"])
def test_testing_all_is_not_for_those_who_only_look(
    request: pytest.FixtureRequest, acme: Organization, leaves_nothing: Block, acme_dev: Account, who: str
) -> None:
    set_state(acme_dev, State.NEW)
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        connections.test_new_connections(by=somebody, organization=acme, at=AT)


def test_testing_all_of_another_organization_is_not_there(
    oskar: Person, acme: Organization, acme_dev: Account, leaves_nothing: Block
) -> None:
    set_state(acme_dev, State.NEW)

    with leaves_nothing(NotThere):
        connections.test_new_connections(by=oskar, organization=acme, at=AT)


# What follows


@pytest.mark.parametrize("state", State)
def test_a_test_that_passed_connects_the_account_and_starts_an_import(
    olive: Person, acme_prod: Account, conclude: Callable[..., ConnectionTest], state: Account.State
) -> None:
    set_state(acme_prod, state)

    test = conclude(finding(Verdict.PASSED, "", "iam:DeleteUser"))

    assert (test.state, test.finished_at) == ("passed", AT)
    assert (acme_prod.state, acme_prod.state_reason) == (State.CONNECTED, "")
    assert AccountImport.objects.get().account == acme_prod
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id) == ("accounts.account.connection_tested", str(olive.pk))
    assert entry.details["missing"] == ["iam:DeleteUser"]


def test_while_the_account_is_read_a_test_starts_no_second_import(
    acme_prod: Account, conclude: Callable[..., ConnectionTest]
) -> None:
    going_on = factories.account_import(acme_prod, state="reading", lease_until=AT + MINUTE)

    conclude(finding(Verdict.PASSED))

    assert AccountImport.objects.get() == going_on


@pytest.mark.parametrize("state", State)
def test_abuse_a24_a_refused_account_says_why_and_is_read_no_more(
    acme_prod: Account, conclude: Callable[..., ConnectionTest], state: Account.State
) -> None:
    set_state(acme_prod, state)
    reading = factories.account_import(acme_prod, state="reading", lease_until=AT + MINUTE)

    test = conclude(finding(Verdict.REFUSED, "Mend the trust."))

    assert test.state == "failed"
    assert (acme_prod.state, acme_prod.state_reason) == (State.REFUSED, "Mend the trust.")
    reading.refresh_from_db()
    assert (reading.state, "Mend the trust." in reading.error) == (AccountImport.State.FAILED, True)
    entry = Entry.objects.get()
    assert (entry.kind, entry.details["found"]) == ("accounts.account.refused", "Mend the trust.")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.NEW, State.NEW),
        (State.REFUSED, State.REFUSED),
        (State.CONNECTED, State.UNREACHABLE),
        (State.UNREACHABLE, State.UNREACHABLE),
    ],
)
def test_an_account_that_lets_nobody_in_is_not_connected_by_it(
    acme_prod: Account, conclude: Callable[..., ConnectionTest], before: Account.State, after: Account.State
) -> None:
    set_state(acme_prod, before)

    conclude(finding(Verdict.SHUT, "AWS did not let the portal in."))

    assert acme_prod.state == after
    assert not Entry.objects.exists()
    assert not AccountImport.objects.exists()


@pytest.mark.parametrize("state", State)
def test_a_test_that_proved_nothing_changes_nothing(
    acme_prod: Account, conclude: Callable[..., ConnectionTest], state: Account.State
) -> None:
    set_state(acme_prod, state)

    test = conclude(finding(Verdict.FAILED, "Try again."))

    assert test.state == "failed"
    assert (acme_prod.state, acme_prod.state_reason) == (state, "")
    assert not Entry.objects.exists()
    assert not AccountImport.objects.exists()


@pytest.mark.parametrize("verdict", Verdict)
def test_a_test_that_was_taken_for_dead_concludes_nothing(
    acme_prod: Account, conclude: Callable[..., ConnectionTest], verdict: Verdict
) -> None:
    set_state(acme_prod, State.NEW)

    test = conclude(finding(verdict, "Words."), state="failed", checks=[])

    assert (test.state, test.checks, acme_prod.state) == ("failed", [], State.NEW)
    assert not Entry.objects.exists()


# Only then


@pytest.mark.parametrize(("state", "words"), [(State.NEW, "was not tested yet"), (State.REFUSED, "refuses to enter")])
def test_an_account_that_was_not_tested_is_not_read(
    olive: Person, acme_prod: Account, leaves_nothing: Block, state: Account.State, words: str
) -> None:
    set_state(acme_prod, state)

    with leaves_nothing(ValidationError, match=words):
        imports.refresh_account(by=olive, account=acme_prod, at=AT)
    imports.import_due_accounts(at=AT)
    assert not AccountImport.objects.exists()


@pytest.mark.parametrize("state", [State.CONNECTED, State.UNREACHABLE])
def test_one_that_was_tested_once_is_read(acme_prod: Account, state: Account.State) -> None:
    set_state(acme_prod, state)

    imports.import_due_accounts(at=AT)

    assert AccountImport.objects.get().account == acme_prod


# The embedded AWS


def test_the_role_is_put_in_place_by_a_worker(
    olive: Person,
    acme_prod: Account,
    sent: Sent,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        connections.put_embedded_roles(by=olive, accounts=[acme_prod], at=AT)

    assert sent == [("accounts.tasks.put_embedded_role", [acme_prod.pk], "interactive")]


def test_only_in_the_embedded_aws(olive: Person, acme_prod: Account, settings: Any, sent: Sent) -> None:
    settings.AWS_IS_EMBEDDED = False

    with pytest.raises(NotThere):
        connections.put_embedded_roles(by=olive, accounts=[acme_prod], at=AT)


@pytest.mark.parametrize(("who", "refusal"), [("ada", NotAllowed), ("oskar", NotThere), ("mia", NotThere)])
def test_only_those_who_connect_put_roles_in_place(
    request: pytest.FixtureRequest, acme_prod: Account, who: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        connections.put_embedded_roles(by=request.getfixturevalue(who), accounts=[acme_prod], at=AT)
