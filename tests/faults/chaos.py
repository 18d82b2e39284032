"""`python -m tests.faults.chaos [SECONDS]`: people decide, workers are killed; then ledger, rows and AWS must agree."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import services
from tests.benchmarks import house

SECONDS = 120
SHORTEST_LIFE, LONGEST_LIFE = 2.0, 6.0
LEASE_SECONDS = 2


def main(seconds: int) -> int:
    """The exit code of the comparison."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-chaos-") as name, house.servers(Path(name)) as env:
        env["DELIVERY_LEASE_SECONDS"] = str(LEASE_SECONDS)
        log = Path(name) / "worker.log"
        people = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.people", str(seconds)], env=env, cwd=services.ROOT
        )
        with services.running(people):
            kills = _kill_workers(env, log, until=time.monotonic() + seconds)
            sys.stdout.write(f"Killed {kills} workers in {seconds} seconds.\n")
            with services.running(services.start_worker(env, log)):
                return people.wait()


def _kill_workers(env: dict[str, str], log: Path, *, until: float) -> int:
    """One worker after another, each for a few seconds."""
    kills = 0
    while time.monotonic() < until:
        worker = services.start_worker(env, log)
        with services.running(worker):
            time.sleep(random.uniform(SHORTEST_LIFE, LONGEST_LIFE))
            worker.send_signal(signal.SIGKILL)
        kills += 1
    return kills


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
