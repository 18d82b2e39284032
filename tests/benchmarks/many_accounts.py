"""`python -m tests.benchmarks.many_accounts [COUNT]`: many accounts of 5,000 IAM users each into PostgreSQL.

One process imports all of them, one after another, from recorded answers. Its memory must not grow with their number.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests import services
from tests.benchmarks import databases, house, reading
from tests.benchmarks.report import Measurement, load, write

USERS = 5_000
ACCOUNTS = 6
# By then the process has loaded what it needs, and has held an account of this size.
WARM = 2
# The clients of the sixteen accounts that a process came into last are kept, and take up to four MiB each.
MAY_GROW_MIB = 64.0


def measure(count: int) -> list[Measurement]:
    """Import so many accounts."""
    with portal(USERS) as env:
        told = list(imported(env, count))
    rows = [each["rows"] / each["seconds"] for each in told]
    memory = [each["memory_mib"] for each in told]
    of = f"{count} accounts x {USERS:,} users into PostgreSQL"
    seconds = sum(each["seconds"] for each in told)
    note = f"{sum(each['rows'] for each in told):,.0f} rows in {seconds:,.0f} s, load {load()}"
    grown = f"{memory[0]:.0f} MiB after the first account, {memory[-1]:.0f} MiB after the last"
    return [
        Measurement(f"{of}: rows", "per second", rows, at_least=True, note=note),
        Measurement(f"{of}: time of each", "s", [each["seconds"] for each in told]),
        Measurement(f"{of}: of that on the processor", "s", [each["processor_seconds"] for each in told]),
        Measurement(f"{of}: of that in the database", "s", [each["database_seconds"] for each in told]),
        Measurement(f"{of}: statements for each", "", [each["statements"] for each in told]),
        Measurement(f"{of}: memory", "MiB", memory),
        Measurement(f"{of}: growth", "MiB", [max(memory[WARM:]) - memory[WARM - 1]], MAY_GROW_MIB, note=grown),
    ]


@contextmanager
def portal(users: int) -> Iterator[dict[str, str]]:
    """An empty portal on PostgreSQL, with an AWS that replays an account of so many users."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        # PostgreSQL runs as another user where this is root.
        folder.chmod(0o711)
        env = stack.enter_context(house.servers(folder, latency_ms=0.0))
        port, log = services.free_port(), folder / "replay.log"
        command = [sys.executable, "-m", "tests.benchmarks.replay_aws", "--port", str(port), "--users", str(users)]
        aws = stack.enter_context(services.running(services.start(command, log=log, env=env)))
        services.wait_until(partial(services.listens, port), process=aws, log=log)
        server = services.start_postgres(folder / "postgres")
        stack.callback(server.stop)
        address = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "DATABASE_URL": databases.postgresql(server)}
        yield databases.migrated(env | address)


def imported(env: dict[str, str], count: int) -> Iterator[dict[str, Any]]:
    """What the process tells after each account."""
    command = [sys.executable, "-m", "tests.benchmarks.reading", *reading.account_ids(count)]
    with subprocess.Popen(command, env=env, cwd=services.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            yield json.loads(line)
    assert process.returncode == 0, process.returncode


if __name__ == "__main__":
    write("many_accounts", measure(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS), database="postgresql")
