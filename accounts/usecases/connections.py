"""Deciding about the connection to an AWS account: have it tested, and what follows from what the test found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access
from accounts.access import Permission
from accounts.importers import connection
from accounts.importers.probes import Check, Finding, Outcome, Verdict
from accounts.kinds import Kind
from accounts.models import Account, AccountDiscovery, AccountImport, ConnectionTest, Organization, Person
from accounts.usecases.imports import start_import
from accounts.usecases.records import about
from portal.ledger.record import record

logger = logging.getLogger(__name__)

TEST_TASK = "accounts.tasks.test_connection"
EMBEDDED_ROLE_TASK = "accounts.tasks.put_embedded_role"
# How long a test may wait in the queue: one that a person waits for is soon given up, and can be asked for again.
WAITS_FOR_A_WORKER = {"interactive": connection.LEASE, "bulk": timedelta(hours=1)}
ENDED = "The worker ended before it was done. Try again."


@transaction.atomic
def test_connection(*, by: Person, account: Account, at: datetime) -> ConnectionTest:
    """Have the connection tested now. What the test finds stands in the ledger; that it was asked for does not.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is being tested already.
    """
    _require(by=by, account=account)
    return _start_test(by, account, at, queue="interactive")


@transaction.atomic
def test_new_connections(*, by: Person, organization: Organization, at: datetime) -> list[ConnectionTest]:
    """Have every connection tested that was not tested yet, or is refused, and is not being tested just now.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    """
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=organization)
    started = []
    for account in Account.objects.untested().filter(organization=organization).order_by("pk"):
        with suppress(ValidationError):
            started.append(_start_test(by, account, at, queue="bulk"))
    return started


@transaction.atomic
def conclude_test(*, by: Person | None, test: ConnectionTest, finding: Finding, at: datetime) -> None:
    """Write down what a test found, and let the account be entered or not; a first import starts by itself.

    A worker that was taken for dead changes nothing any more.
    """
    # Locked against an import that is applied at this moment: it would say that the account is connected.
    account = Account.objects.select_for_update(no_key=True).get(pk=test.account_id)
    if not _close(test, finding, at):
        logger.warning("Test %s of a connection was taken for dead and concludes nothing", test.pk)
        return
    if not _follow(account, finding, at):
        return
    kind = Kind.ACCOUNT_REFUSED if finding.verdict is Verdict.REFUSED else Kind.ACCOUNT_CONNECTION_TESTED
    details = {"account_id": account.account_id, "role_arn": account.role_arn, "missing": sorted(finding.missing)}
    record(
        organization=account.organization,
        kind=kind,
        by=by,
        subject=about(account),
        at=at,
        details=details | {"found": finding.words},
    )


@transaction.atomic
def put_embedded_roles(*, by: Person, accounts: Sequence[Account], at: datetime) -> None:  # noqa: ARG001 -- no row keeps it
    """Have the roles that the pages show put in place in the embedded AWS, where nobody else could do it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere; in another AWS there is no such use-case.
    """
    for account in accounts:
        _require(by=by, account=account)
    if not settings.AWS_IS_EMBEDDED:
        raise access.NotThere
    for account in accounts:
        _tell(EMBEDDED_ROLE_TASK, account.pk, queue="interactive")


def close_stranded(*, at: datetime) -> None:
    """Close the tests and discoveries whose worker has been silent for too long; they have concluded nothing."""
    _close_stranded_tests(at)
    AccountDiscovery.objects.stranded(at=at).update(state=AccountDiscovery.State.FAILED, error=ENDED, finished_at=at)


def _require(*, by: Person, account: Account) -> None:
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=account.organization)


def _start_test(by: Person, account: Account, at: datetime, *, queue: str) -> ConnectionTest:
    _close_stranded_tests(at, account=account)
    test = ConnectionTest(
        organization=account.organization,
        account=account,
        asked_by=by,
        created_at=at,
        lease_until=at + WAITS_FOR_A_WORKER[queue],
    )
    try:
        with transaction.atomic():
            test.save(force_insert=True)
    except IntegrityError:
        raise ValidationError("This connection is being tested already.") from None
    _tell(TEST_TASK, test.pk, queue=queue)
    return test


def _close_stranded_tests(at: datetime, **which: Account) -> None:
    checks = [asdict(Check(connection.WHOLE, Outcome.UNCLEAR, ENDED))]
    ConnectionTest.objects.stranded(at=at).filter(**which).update(
        state=ConnectionTest.State.FAILED, checks=checks, finished_at=at
    )


def _close(test: ConnectionTest, finding: Finding, at: datetime) -> bool:
    """Whether the test was still the worker's to close."""
    has_passed = finding.verdict is Verdict.PASSED
    testing = ConnectionTest.objects.filter(pk=test.pk, state=ConnectionTest.State.TESTING)
    return (
        testing.update(
            state=ConnectionTest.State.PASSED if has_passed else ConnectionTest.State.FAILED,
            checks=[asdict(check) for check in finding.checks],
            finished_at=at,
        )
        == 1
    )


def _follow(account: Account, finding: Finding, at: datetime) -> bool:
    """Let the account be entered or not; whether that was decided, and not only tried."""
    if finding.verdict is Verdict.PASSED:
        _set_state(account, Account.State.CONNECTED, "")
        with suppress(ValidationError):
            start_import(account=account, at=at)
        return True
    if finding.verdict is Verdict.REFUSED:
        _set_state(account, Account.State.REFUSED, finding.words)
        AccountImport.objects.open().filter(account=account).update(
            state=AccountImport.State.FAILED, error=f"It was ended: {finding.words}", finished_at=at
        )
        return True
    if finding.verdict is Verdict.SHUT and account.state in (Account.State.CONNECTED, Account.State.UNREACHABLE):
        _set_state(account, Account.State.UNREACHABLE, finding.words)
    return False


def _set_state(account: Account, state: Account.State, reason: str) -> None:
    account.state, account.state_reason = state, reason
    account.save(update_fields=["state", "state_reason"])


def _tell(task: str, row_id: int, *, queue: str) -> None:
    """Tell a worker, once it is committed."""
    transaction.on_commit(
        lambda: current_app.send_task(task, args=[row_id], queue=queue, retry=False, ignore_result=True), robust=True
    )
