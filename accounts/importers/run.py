"""One import, from its row's "Waiting" to "Applied" or "Failed"."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta

from django.db import OperationalError, transaction

from accounts import arns
from accounts.delivery.held import iam_of
from accounts.importers.apply import apply
from accounts.importers.snapshot import Known, Snapshot, fetch
from accounts.models import AccessKey, Account, AccountImport, MFADevice
from portal.aws import errors
from portal.ledger.clock import database_now

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
UNFORESEEN = "The portal failed while it read the account ({}). Its log says more; nothing was changed."


def run(import_id: int) -> None:
    """Read the account and apply what was read. A failed import has concluded nothing, and says why on its row."""
    if not _claim(import_id):
        logger.info("Import %s is not to be carried out now", import_id)
        return
    account_import = AccountImport.objects.select_related("account", "organization").get(pk=import_id)
    try:
        _apply(account_import, fetch(iam_of(account_import.account), known=_known(account_import.account)))
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


def _known(account: Account) -> Known:
    keys = AccessKey.objects.present().filter(account=account)
    devices = MFADevice.objects.filter(account=account).exclude(serial_number__contains=arns.VIRTUAL_MFA)
    return Known(
        with_access_keys=frozenset(keys.values_list("iam_user__user_id", flat=True)),
        with_hardware_mfa=frozenset(devices.values_list("iam_user__user_id", flat=True)),
    )


@transaction.atomic
def _apply(account_import: AccountImport, snapshot: Snapshot) -> None:
    # Locked against a second import, which may have begun where this one was taken for dead; what else points at the
    # account goes on meanwhile.
    account = Account.objects.select_for_update(no_key=True).get(pk=account_import.account_id)
    if not _is_still_ours(account_import):
        logger.warning("Import %s was taken for dead and is not applied", account_import.pk)
        return
    applied = apply(account, snapshot)
    _enterable(account)
    account_import.counts = asdict(applied)
    _finish(account_import, AccountImport.State.APPLIED)


def _is_still_ours(account_import: AccountImport) -> bool:
    return AccountImport.objects.filter(pk=account_import.pk, state=AccountImport.State.READING).exists()


@transaction.atomic
def _fail(account_import: AccountImport, error: errors.AWSError) -> None:
    logger.warning("Import %s could not read account %s: %s", account_import.pk, account_import.account_id, error.code)
    account = account_import.account
    if isinstance(error, errors.Denied) and error.operation == "AssumeRole":
        account.state, account.state_reason = Account.State.UNREACHABLE, str(error)
        account.save(update_fields=["state", "state_reason"])
    _finish(account_import, AccountImport.State.FAILED, error=str(error))


def _enterable(account: Account) -> None:
    account.state, account.state_reason = Account.State.CONNECTED, ""
    account.save(update_fields=["state", "state_reason"])


def _finish(account_import: AccountImport, state: AccountImport.State, *, error: str = "") -> None:
    ours = AccountImport.objects.filter(pk=account_import.pk, state=AccountImport.State.READING)
    ours.update(state=state, finished_at=database_now(), error=error, counts=account_import.counts)
