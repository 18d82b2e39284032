"""`python -m tests.benchmarks.reading ACCOUNT_ID...`: import these AWS accounts, one after another, in this process.

Prints a line of JSON for each: seconds, how many of them this process and the database had, statements, memory, and how
many rows tell of IAM users now. An account that the portal does not know yet is connected first.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django
from django.db import connection

from tests.benchmarks import large_account, peers


def main() -> None:
    """Read them."""
    django.setup()
    for account_id in sys.argv[1:]:
        sys.stdout.write(json.dumps(read(account_id)) + "\n")
        sys.stdout.flush()


def read(account_id: str) -> dict[str, float]:
    """One reading of the account; the settings are read."""
    # Only now: they import models.
    stage = importlib.import_module("tests.benchmarks.stage")
    readings = importlib.import_module("accounts.management.readings")
    account = stage.large_account(account_id)
    watch, spent = Watch(), time.process_time()
    with connection.execute_wrapper(watch):
        reading = readings.read_now(account)
    assert not reading.account_import.error, reading.account_import.error
    return {
        "seconds": reading.seconds,
        "processor_seconds": time.process_time() - spent,
        "database_seconds": watch.seconds,
        "statements": watch.statements,
        "users": reading.account_import.counts["iam_users"],
        "rows": stage.rows(account),
        "memory_mib": memory_mib(),
        "peak_mib": peers.peak_mib(),
    }


class Watch:
    """How long the database had for how many statements of one connection."""

    def __init__(self) -> None:
        self.seconds, self.statements = 0.0, 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]
    ) -> Any:
        """Carry one statement."""
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - start
            self.statements += 1


def memory_mib() -> float:
    """The memory that this process has now (Linux)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


def account_ids(count: int) -> list[str]:
    """The numbers of so many accounts, beginning with the large one's."""
    return [str(int(large_account.NUMBER) + number) for number in range(count)]


if __name__ == "__main__":
    main()
