"""The ledger as a Django app: its rows are guarded by the database itself, after every migration."""

from typing import Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db import connections
from django.db.models.signals import post_migrate

from portal.ledger import checks, guards


class LedgerConfig(AppConfig):
    """Installs the triggers that keep entries as they were written."""

    name = "portal.ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        """Guard the entries after each migration: SQLite drops triggers whenever it rebuilds a table."""
        post_migrate.connect(guard_entries, sender=self, dispatch_uid="guard_entries")
        register(checks.entries_are_guarded, Tags.database)


def guard_entries(*, using: str, **_signal: Any) -> None:  # Any: what a signal carries is Django's
    """Install the guards in the database that was just migrated."""
    guards.install(connections[using])
