"""The import of whole accounts: calls, seconds and memory, beside the plain boto3 loop and Cartography's IAM functions.

AWS is 20 ms away and counts the calls. Everybody reads the same account in a process of its own; what the portal reads
it writes into a database too. Our readings lie before and after those of the peers: a machine that others use as well
is not equally fast all the time.
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import services
from tests.benchmarks import databases, house, large_account, many_accounts
from tests.benchmarks.report import FOLDER, Measurement, load, write
from tests.benchmarks.slow_aws import CALLS

LATENCY_MS = 20.0
# How many users, and whether the peers read them too: 5,000 would take them ten minutes to half an hour.
SIZES = ((200, True), (1_000, True), (5_000, False))
COMPARED = 1_000
# Calls that do not grow with the users, by the design.
FIXED_CALLS = 15
LIMIT_MIB = 200.0
AT_LEAST_TIMES = 15.0
ENVIRONMENT = FOLDER / "cartography"
PINNED = Path(__file__).with_name("cartography.txt")
PEERS = Path(__file__).with_name("peers.py")
DATABASES = ("sqlite", "postgresql")
VERSION = re.search(r"^cartography==(.+)$", PINNED.read_text(), re.MULTILINE)
NOTES = {"Cartography": f"; release {VERSION[1] if VERSION else ''}, without its service last accessed details"}


@dataclass(frozen=True)
class Reading:
    """What one reading of an account took; `load` is the machine's at its end."""

    calls: int
    seconds: float
    peak_mib: float
    load: str


@dataclass
class Readings:
    """All readings of one account."""

    users: int
    of: dict[str, list[Reading]] = field(default_factory=dict)

    def measurements(self) -> Iterator[Measurement]:
        """What they say, as rows."""
        for who, readings in self.of.items():
            name = f"{self.users:,} users, {who}"
            is_ours = "import" in who
            calls = [float(reading.calls) for reading in readings]
            yield Measurement(f"{name}: calls", "", calls, self._limit(who))
            note = f"load {', '.join(reading.load for reading in readings)}"
            if not is_ours:
                note += f"; {calls[0] * LATENCY_MS / 1_000:.0f} s of it is the distance{NOTES.get(who, '')}"
            yield Measurement(f"{name}: time", "s", [reading.seconds for reading in readings], note=note)
            peaks = [reading.peak_mib for reading in readings]
            yield Measurement(f"{name}: memory", "MiB", peaks, LIMIT_MIB if is_ours else None)

    def ratios(self) -> Iterator[Measurement]:
        """How many times faster the first import is than each peer."""
        ours = [reading.seconds for reading in self.of["first import, sqlite"]]
        for who in ("plain boto3 loop", "Cartography"):
            for theirs in self.of.get(who, ()):
                name = f"{self.users:,} users, {who} / first import, sqlite"
                limit = AT_LEAST_TIMES if self.users == COMPARED else None
                yield Measurement(name, "x", [theirs.seconds / seconds for seconds in ours], limit, at_least=True)

    def _limit(self, who: str) -> float | None:
        if "import" not in who:
            return None
        keys_changed = large_account.with_keys(self.users) if "first" in who else 0
        return self.users / 1_000 + keys_changed + FIXED_CALLS


class Bench:
    """One account in an AWS of its own, and an empty portal on each database."""

    def __init__(self, users: int, portals: dict[str, dict[str, str]]) -> None:
        self._portals = portals
        self._env = portals["sqlite"]
        self.readings = Readings(users)

    def read(self, *, with_peers: bool, cartography: Path | None) -> None:
        """Everybody reads it."""
        for database in DATABASES:
            self._import(database)
        if with_peers:
            self._peer("plain boto3 loop", Path(sys.executable), "loop")
            self._import("sqlite")
        if with_peers and cartography is not None:
            self._peer("Cartography", cartography, "cartography")
            self._import("sqlite")

    def _import(self, database: str) -> None:
        """Into an empty portal, and once more."""
        env = databases.copied(self._portals[database])
        command = [sys.executable, "-m", "tests.benchmarks.reading", large_account.NUMBER]
        for which in ("first", "second"):
            self._note(f"{which} import, {database}", command, env)

    def _peer(self, who: str, python: Path, how: str) -> None:
        self._note(who, peer(python, how), self._env)

    def _note(self, who: str, command: list[str], env: dict[str, str]) -> None:
        self._calls()
        ran = subprocess.run(command, env=env, cwd=services.ROOT, check=True, stdout=subprocess.PIPE, text=True)
        told = json.loads(ran.stdout.splitlines()[-1])
        assert told["users"] == self.readings.users, told
        reading = Reading(sum(self._calls().values()), told["seconds"], told["peak_mib"], load())
        self.readings.of.setdefault(who, []).append(reading)

    def _calls(self) -> dict[str, int]:
        with urllib.request.urlopen(self._env["AWS_ENDPOINT_URL"] + CALLS) as answer:
            calls: dict[str, int] = json.load(answer)
        return calls


@contextmanager
def bench(users: int) -> Iterator[Bench]:
    """Have an AWS with one account of so many users, and the two portals."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        # PostgreSQL runs as another user where this is root.
        folder.chmod(0o711)
        env = stack.enter_context(house.servers(folder, latency_ms=LATENCY_MS, users=users))
        server = services.start_postgres(folder / "postgres")
        stack.callback(server.stop)
        on_postgresql = databases.migrated(env | {"DATABASE_URL": databases.postgresql(server)})
        yield Bench(users, {"sqlite": env, "postgresql": on_postgresql})


def peer(python: Path, how: str) -> list[str]:
    """The command by which this Python reads the large account as `peers.py` says."""
    account = large_account.ACCOUNT
    return [str(python), "-W", "ignore", str(PEERS), how, account.role_arn, account.external_id]


def cartography() -> Path | None:
    """The Python of Cartography's environment, made where it is not there yet; None where it could not be made."""
    python = ENVIRONMENT / "bin" / "python"
    # Without dependencies: all that its IAM functions import is pinned.
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for command in ([sys.executable, "-m", "venv", str(ENVIRONMENT)], [*install, "-r", str(PINNED)]):
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        if ran.returncode:
            sys.stdout.write(f"Cartography is left out, it could not be installed:\n{ran.stderr}\n")
            return None
    return python


def main() -> None:
    """Print the table and write the file."""
    python = cartography()
    found: list[Measurement] = []
    for users, with_peers in SIZES:
        with bench(users) as one:
            one.read(with_peers=with_peers, cartography=python)
        found += [*one.readings.measurements(), *one.readings.ratios()]
    if python is None:
        found.append(Measurement("Cartography: left out", "", [1.0], note="it could not be installed"))
    write("import", [*found, *many_accounts.measure(many_accounts.ACCOUNTS)], database=" and ".join(DATABASES))


if __name__ == "__main__":
    main()
