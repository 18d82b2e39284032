"""How far an import is: told to whoever looks at the page, and a sign of life to whoever would take it for dead."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Protocol

from accounts.models import AccountImport
from portal.ledger.clock import database_now

LEASE = timedelta(minutes=10)
# Looked at once a second; written no more often.
TOLD_EVERY_SECONDS = 0.5


class ImportLost(Exception):
    """The import was taken for dead meanwhile; another may have begun, and this one must not go on."""


class Tell(Protocol):
    """Say what is being done and how far it is; `total` is 0 where nobody knows."""

    def __call__(self, doing: str, done: int, total: int) -> None: ...


class Progress:
    """Writes the progress of one import into its row, and renews its lease by the way."""

    def __init__(self, account_import: AccountImport) -> None:
        self._pk = account_import.pk
        self._told: tuple[str, float] = ("", 0.0)

    def __call__(self, doing: str, done: int, total: int) -> None:
        """Tell it, unless something was told a moment ago.

        :raises ImportLost: when the import is not ours any more.
        """
        what, when = self._told
        if doing == what and time.monotonic() - when < TOLD_EVERY_SECONDS:
            return
        self._told = (doing, time.monotonic())
        progress = {"doing": doing, "done": done, "total": total}
        ours = AccountImport.objects.filter(pk=self._pk, state=AccountImport.State.READING)
        if ours.update(progress=progress, lease_until=database_now() + LEASE) != 1:
            raise ImportLost


def nobody(doing: str, done: int, total: int) -> None:
    """Told to nobody."""
