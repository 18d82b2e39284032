"""The embedded AWS as a process of its own, with its state in a file."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.simulator import hub
from portal.aws.simulator.demo_accounts import ACCOUNTS

ROOT = Path(__file__).resolve().parents[3]
PROD = ACCOUNTS[0]
DOOR = Door(PROD.account_id, PROD.role_arn, PROD.external_id)
STARTS_WITHIN_SECONDS = 10

pytestmark = pytest.mark.processes


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def port(settings: Any) -> Iterator[int]:
    chosen = free_port()
    settings.AWS_ENDPOINT_URL = f"http://127.0.0.1:{chosen}"
    settings.HUB_ACCESS_KEY_ID, settings.HUB_SECRET_ACCESS_KEY = hub.HUB_ACCESS_KEY_ID, hub.HUB_SECRET_ACCESS_KEY
    connect.forget_all()
    yield chosen
    connect.forget_all()


@contextmanager
def running(port: int, state: Path, end: signal.Signals = signal.SIGTERM) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "portal.aws.simulator", "--port", str(port), "--state", str(state), "--demo"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stderr=subprocess.PIPE)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.send_signal(end)
        process.communicate(timeout=10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            requests.get(f"http://127.0.0.1:{port}/gatehouse/health", timeout=1)
        except requests.ConnectionError:
            assert process.poll() is None, "it ended before it answered"
            time.sleep(0.05)
        else:
            return
    pytest.fail("It did not answer.")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_done_is_there_after_a_restart(port: int, tmp_path: Path, end: signal.Signals) -> None:
    state = tmp_path / "aws.pickle"
    with running(port, state, end):
        iam = connect.iam(DOOR)
        made = iam.create_user(user_name="ledger-writer", tags={"team": "Payments"}, permissions_boundary=None)
        iam.add_user_to_group(group_name="ledger-writers", user_name="ledger-writer")
        iam.delete_access_key(user_name="mia", access_key_id=iam.list_access_keys(user_name="mia")[0].access_key_id)

    with running(port, state):
        # The same credentials still open: the session was kept too.
        assert iam.get_user(user_name="ledger-writer") == made
        assert [group.group_name for group in iam.list_groups_for_user(user_name="ledger-writer")] == ["ledger-writers"]
        assert iam.list_access_keys(user_name="mia") == ()

    assert list(tmp_path.iterdir()) == [state], "nothing is left beside the file"


def test_sigterm_ends_it_at_once(port: int, tmp_path: Path) -> None:
    with running(port, tmp_path / "aws.pickle") as process:
        began = time.monotonic()
        process.terminate()
        process.wait(timeout=5)

    assert time.monotonic() - began < 2
    assert process.returncode == 0


def test_it_listens_on_loopback_alone(port: int, tmp_path: Path) -> None:
    with running(port, tmp_path / "aws.pickle") as process:
        listening = Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()

    addresses = [line.split()[1] for line in listening[1:] if line.split()[1].endswith(f":{port:04X}")]
    assert {address.partition(":")[0] for address in addresses} == {"0100007F"}
