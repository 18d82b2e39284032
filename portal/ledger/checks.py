"""System checks of the ledger."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import connections

from portal.ledger import guards


def entries_are_guarded(
    *, databases: Sequence[str] | None, **_options: Any
) -> list[checks.CheckMessage]:  # Any: what a check is given is Django's
    """Warn where the database would let somebody rewrite an entry.

    A warning and not an error: `migrate` runs this check first, and is what puts the guards back.
    """
    return [
        checks.Warning(
            "The database lets entries of the ledger be changed.",
            hint="Run manage.py migrate: it installs the guards again.",
            id="ledger.W001",
        )
        for alias in databases or ()
        if guards.has_entries_table(connections[alias]) and not guards.are_installed(connections[alias])
    ]
