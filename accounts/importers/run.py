"""One import, from its row's "Waiting" to "Applied" or "Failed"."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta

from django.db import transaction

from accounts.delivery.held import iam_of
from accounts.importers.apply import Applied, apply
from accounts.importers.snapshot import Snapshot, fetch
from accounts.models import AccessKey, Account, AccountImport
from portal.aws import errors
from portal.ledger.clock import database_now

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)


def run(import_id: int) -> None:
    """Read the account and apply what was read. A failed import has concluded nothing, and says why on its row."""
    if not _claim(import_id):
        return
    account_import = AccountImport.objects.select_related("account", "organization").get(pk=import_id)
    try:
        snapshot = fetch(iam_of(account_import.account), may_have_keys=_known_to_have_keys(account_import.account))
    except errors.AWSError as error:
        _fail(account_import, error)
    else:
        _apply(account_import, snapshot)


def _claim(import_id: int) -> bool:
    waiting = AccountImport.objects.filter(pk=import_id, state=AccountImport.State.WAITING)
    return waiting.update(state=AccountImport.State.READING, lease_until=database_now() + LEASE) == 1


def _known_to_have_keys(account: Account) -> set[str]:
    return set(AccessKey.objects.present().filter(account=account).values_list("iam_user__user_name", flat=True))


@transaction.atomic
def _apply(account_import: AccountImport, snapshot: Snapshot) -> None:
    # Locked against a delivery that settles into the same rows, and against a second import that was taken for dead.
    account = Account.objects.select_for_update().get(pk=account_import.account_id)
    applied: Applied = apply(account, snapshot)
    _enterable(account)
    account_import.counts = asdict(applied)
    _finish(account_import, AccountImport.State.APPLIED)


@transaction.atomic
def _fail(account_import: AccountImport, error: errors.AWSError) -> None:
    logger.warning("Import %s could not read account %s: %s", account_import.pk, account_import.account_id, error.code)
    account = account_import.account
    if isinstance(error, errors.Denied) and error.operation == "AssumeRole":
        account.state, account.state_reason = Account.State.UNREACHABLE, str(error)
        account.save(update_fields=["state", "state_reason"])
    account_import.error = str(error)
    _finish(account_import, AccountImport.State.FAILED)


def _enterable(account: Account) -> None:
    account.state, account.state_reason = Account.State.CONNECTED, ""
    account.save(update_fields=["state", "state_reason"])


def _finish(account_import: AccountImport, state: AccountImport.State) -> None:
    account_import.state, account_import.finished_at = state, database_now()
    account_import.save(update_fields=["state", "finished_at", "error", "counts"])
