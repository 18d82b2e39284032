"""One import, from its row's "Waiting" to "Applied" or "Failed"."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict

from django.db import OperationalError, transaction

from accounts.delivery.held import iam_of
from accounts.importers import one_user
from accounts.importers.apply import Applied, apply
from accounts.importers.known import known
from accounts.importers.progress import LEASE, ImportLost, Progress
from accounts.importers.snapshot import fetch
from accounts.importers.staging import Staged
from accounts.models import Account, AccountImport
from portal.aws import errors
from portal.ledger.clock import database_now

logger = logging.getLogger(__name__)

WRITING = "Writing what has changed"
UNFORESEEN = "The portal failed while it read the account ({}). Its log says more; nothing was changed."


def run(import_id: int) -> None:
    """Read the account and apply what was read. A failed import has concluded nothing, and says why on its row."""
    if not _claim(import_id):
        logger.info("Import %s is not to be carried out now", import_id)
        return
    account_import = AccountImport.objects.select_related("account", "organization", "iam_user").get(pk=import_id)
    try:
        _carry(account_import)
    except ImportLost:
        logger.warning("Import %s was taken for dead and is not applied", account_import.pk)
    except errors.AWSError as error:
        _fail(account_import, error)
    except OperationalError:
        # The database is away, so no outcome can be stored: the import is taken for dead when its lease is over.
        raise
    except Exception as error:
        logger.exception("Import %s failed in a way that nobody foresaw", import_id)
        _finish(account_import, AccountImport.State.FAILED, error=UNFORESEEN.format(type(error).__name__))


def _claim(import_id: int) -> bool:
    waiting = AccountImport.objects.filter(pk=import_id, state=AccountImport.State.WAITING)
    return waiting.update(state=AccountImport.State.READING, lease_until=database_now() + LEASE) == 1


def _carry(account_import: AccountImport) -> None:
    iam, tell = iam_of(account_import.account), Progress(account_import)
    if account_import.iam_user is not None:
        told = one_user.fetch(iam, account_import.iam_user)
        _apply(account_import, lambda account: one_user.apply(account, told))
        return
    with Staged() as staged:
        snapshot = fetch(iam, staged, known=known(account_import.account), tell=tell)
        tell(WRITING, 0, len(snapshot.users))
        _apply(account_import, lambda account: apply(account, snapshot))


@transaction.atomic
def _apply(account_import: AccountImport, write: Callable[[Account], Applied]) -> None:
    # Locked against a second import, which may have begun where this one was taken for dead; what else points at the
    # account goes on meanwhile.
    account = Account.objects.select_for_update(no_key=True).get(pk=account_import.account_id)
    if not _is_still_ours(account_import):
        raise ImportLost
    account_import.counts = asdict(write(account))
    _enterable(account)
    _finish(account_import, AccountImport.State.APPLIED)


def _is_still_ours(account_import: AccountImport) -> bool:
    return AccountImport.objects.filter(pk=account_import.pk, state=AccountImport.State.READING).exists()


@transaction.atomic
def _fail(account_import: AccountImport, error: errors.AWSError) -> None:
    logger.warning("Import %s could not read account %s: %s", account_import.pk, account_import.account_id, error.code)
    if isinstance(error, errors.Denied) and error.operation == "AssumeRole":
        # One that was refused meanwhile stays so: it is not read before its connection was tested again.
        enterable = Account.objects.importable().filter(pk=account_import.account_id)
        enterable.update(state=Account.State.UNREACHABLE, state_reason=str(error))
    _finish(account_import, AccountImport.State.FAILED, error=str(error))


def _enterable(account: Account) -> None:
    Account.objects.importable().filter(pk=account.pk).update(state=Account.State.CONNECTED, state_reason="")


def _finish(account_import: AccountImport, state: AccountImport.State, *, error: str = "") -> None:
    ours = AccountImport.objects.filter(pk=account_import.pk, state=AccountImport.State.READING)
    ours.update(state=state, finished_at=database_now(), error=error, counts=account_import.counts, progress={})
