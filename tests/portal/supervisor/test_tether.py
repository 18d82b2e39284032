"""Processes do not outlive the one that started them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from portal.supervisor import tether
from tests import services

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent death signal: run on Linux")

SLOW_APP = """
import time

def application(environ, start_response):
    time.sleep(600)
"""
PARENT = """
import asyncio, sys
from portal.supervisor.child import Program
from portal.supervisor.supervisor import supervise

async def main():
    async with supervise(print) as supervisor:
        await supervisor.keep(Program("test", tuple(sys.argv[1:])))
        await asyncio.Event().wait()

asyncio.run(main())
"""


def wait_for_the_end_of(pids: Iterable[int]) -> set[int]:
    """Those that still run after a second."""
    end = time.monotonic() + 1
    left = set(pids)
    while left and time.monotonic() < end:
        left = {pid for pid in left if services.is_running(pid)}
        time.sleep(0.02)
    return left


def start_parent(*command: str, log: Path) -> subprocess.Popen:
    """A process that supervises the command."""
    return services.start([sys.executable, "-c", PARENT, *command], log=log)


def started_below(parent: subprocess.Popen, count: int) -> set[int]:
    """The processes below the parent, once there are that many."""
    end = time.monotonic() + 20
    while len(services.descendants(parent.pid)) < count and time.monotonic() < end:
        time.sleep(0.05)
    return services.descendants(parent.pid)


def listening_sockets(port: int | None = None) -> set[str]:
    """The inodes of the IPv4 sockets that somebody listens on, at this port or at any (proc(5), /proc/net/tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row for row in rows if row[3] == "0A"]
    return {row[9] for row in listening if port is None or int(row[1].rpartition(":")[2], 16) == port}


def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = start_parent("sleep", "600", log=tmp_path / "log")
    children = started_below(parent, 1)

    parent.kill()
    parent.wait()

    assert len(children) == 1
    assert wait_for_the_end_of(children) == set()


def test_the_web_servers_workers_die_too(tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(SLOW_APP)
    port = services.free_port()
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:portal.supervisor.web",
        "--pythonpath",
        str(tmp_path),
    ]
    parent = start_parent(*gunicorn, "--bind", f"127.0.0.1:{port}", "hello", log=tmp_path / "log")
    services.wait_until(lambda: services.listens(port), process=parent, log=tmp_path / "log")
    processes = started_below(parent, 3)
    busy = socket.create_connection(("127.0.0.1", port))
    busy.sendall(b"GET / HTTP/1.0\r\n\r\n")

    listening = listening_sockets(port)

    parent.kill()
    parent.wait()

    assert len(processes) == 3, "gunicorn and its two workers"
    assert listening, "the port was theirs"
    assert wait_for_the_end_of(processes) == set()
    # By the socket's inode: the port's number may be another program's by now.
    assert not listening & listening_sockets()
    busy.close()


def test_a_child_whose_parent_is_gone_already_ends_itself() -> None:
    child = os.fork()
    if child == 0:
        tether.die_with_parent(parent=1)
        os._exit(0)

    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_a_service_of_the_tests_ends_with_them_as_another_user_too(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a process of another user: run as root")
    script = "from pathlib import Path; import sys, time; from tests import services; "
    start = "services.start(['sleep', '600'], log=Path(sys.argv[1]), user='nobody'); time.sleep(600)"
    parent = services.start([sys.executable, "-c", script + start, str(tmp_path / "child")], log=tmp_path / "log")
    children = started_below(parent, 1)

    parent.kill()
    parent.wait()

    assert len(children) == 1, (tmp_path / "log").read_text()
    assert wait_for_the_end_of(children) == set()
