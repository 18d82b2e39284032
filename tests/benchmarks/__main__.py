"""`python -m tests.benchmarks`: start a portal of its own, measure it, print tables, write `var/bench/*.json`."""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests import services
from tests.benchmarks import house

NAMES = ("delivery", "pages", "ledger")
# What the limit of "from commit to delivered" is said for.
LATENCY_MS = 20.0
# These start portals of their own, one after another.
ALONE = ("throughput", "mass_rotation", "imports", "million")


def main() -> int:
    """Measure everything; 1 where something could not be measured."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name, ExitStack() as stack:
        env = stack.enter_context(house.running(Path(name), latency_ms=LATENCY_MS))
        worst = max(_measure(name, env) for name in NAMES)
    return max(worst, *(_measure_alone(name) for name in ALONE))


def _measure(name: str, env: dict[str, str]) -> int:
    # Each in a process of its own, whose settings are read from this environment.
    command = [sys.executable, "-m", "tests.benchmarks.measure", name]
    return subprocess.run(command, env=env, cwd=services.ROOT, check=False).returncode


def _measure_alone(name: str) -> int:
    command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
    return subprocess.run(command, cwd=services.ROOT, check=False).returncode


sys.exit(main())
