"""Reading an account in the foreground, for the commands."""

import time
from collections import Counter
from dataclasses import dataclass

from accounts import importers
from accounts.models import Account, AccountImport
from accounts.usecases.imports import open_import
from portal.ledger.clock import database_now


@dataclass(frozen=True)
class Reading:
    """What one reading took: calls by API operation, and seconds of wall-clock time."""

    account_import: AccountImport
    calls: Counter[str]
    seconds: float


def read_now(account: Account) -> Reading:
    """Import the account in this process; whether it could be read is said by the import's state.

    :raises ValidationError: when it is being read already.
    """
    account_import = open_import(account=account, at=database_now())
    began = time.monotonic()
    with importers.counted() as calls:
        importers.run(account_import.pk)
    account_import.refresh_from_db()
    return Reading(account_import, calls, time.monotonic() - began)
