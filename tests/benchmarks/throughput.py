"""How many deliveries the workers carry, by their number and by how far away AWS is; and how well the pace is kept.

Each case has a portal of its own. Its limit is what its calls cost if only the distance took time: calls x latency /
threads; its peer is a pool of ten threads that makes the same calls without the portal.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests import services
from tests.benchmarks import house
from tests.benchmarks.report import Measurement, write

THREADS_EACH = 4
COUNT = 200
# So many that how the run begins and ends does not count against the pace.
PACE, PACED_COUNT, BURST = 40, 150, 20


@dataclass(frozen=True)
class Case:
    """One portal, one crowd of IAM users."""

    latency_ms: float
    workers: int
    how: str = "portal"
    count: int = COUNT
    settings: dict[str, str] = field(default_factory=dict)
    # More than so many AWS answers with "Throttling"; 0 for any number.
    calls_per_second: float = 0

    def run(self) -> dict[str, float]:
        """The seconds and calls, in a portal of its own."""
        with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name, ExitStack() as stack:
            folder, limit = Path(name), self.calls_per_second
            env = (
                stack.enter_context(house.servers(folder, latency_ms=self.latency_ms, calls_per_second=limit))
                | self.settings
            )
            for number in range(self.workers):
                worker = services.start_worker(env, folder / f"worker-{number}.log", name=f"bench-{number}")
                stack.enter_context(services.running(worker))
            command = [sys.executable, "-m", "tests.benchmarks.load", self.how, str(self.count)]
            ran = subprocess.run(command, env=env, cwd=services.ROOT, check=True, stdout=subprocess.PIPE, text=True)
        told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
        return told


def main() -> None:
    """Print the tables and write the file."""
    write("throughput", [*_by_workers(), _against_the_pool(), _pace()], database="sqlite")


def _by_workers() -> list[Measurement]:
    found = []
    for latency_ms in (0.0, 20.0):
        for workers in (1, 2, 4):
            told = Case(latency_ms, workers, count=COUNT // 2).run()
            distance = told["calls"] * latency_ms / 1000 / (workers * THREADS_EACH)
            name = f"deliveries per second, {workers} workers, AWS {latency_ms:.0f} ms away"
            note = f"the distance alone would take {distance:.1f} s; it took {told['seconds']:.1f} s"
            found.append(Measurement(name, "1/s", [COUNT / 2 / told["seconds"]], at_least=True, note=note))
    return found


def _against_the_pool() -> Measurement:
    portal, pool = Case(20.0, 4).run(), Case(20.0, 0, how="pool").run()
    note = (
        f"{COUNT} IAM users, {pool['calls']:.0f} calls: portal {portal['seconds']:.1f} s, pool {pool['seconds']:.1f} s"
    )
    return Measurement(
        "portal / pool of ten threads, 20 ms away", "x", [portal["seconds"] / pool["seconds"]], 2.5, note=note
    )


def _pace() -> Measurement:
    settings = {"AWS_CALLS_PER_SECOND": str(PACE), "AWS_CALLS_BURST": str(BURST)}
    told = Case(0.0, 2, count=PACED_COUNT, settings=settings).run()
    share = (told["calls"] - BURST) / told["seconds"] / PACE
    note = f"{told['calls']:.0f} calls in {told['seconds']:.1f} s, of which {BURST} at once"
    return Measurement("share of the token bucket's rate that is used", "x", [share], 0.9, at_least=True, note=note)


if __name__ == "__main__":
    main()
