"""The pieces of the import's benchmark, at a size that takes no time: so that they measure what they say."""

import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto.core.utils import utcnow

from accounts.models import AccessKey, IAMUser, MFADevice
from portal.aws import connect
from portal.aws.simulator import demo, serving
from portal.aws.simulator.app import create_app
from portal.aws.simulator.demo_accounts import ACCOUNTS
from tests.aws.server import AWS
from tests.benchmarks import databases, house, imports, keyed_users, large_account, reading, rotations
from tests.benchmarks.replay_aws import Replay
from tests.benchmarks.slow_aws import FarAway

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

USERS = 20


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, db: None) -> Callable[[str], dict[str, float]]:
    """Import an account; AWS makes its credential reports at once here."""
    monkeypatch.setattr("accounts.importers.snapshot.REPORT_PAUSE_SECONDS", 0)
    return reading.read


@contextmanager
def served(app: "WSGIApplication", settings: Any) -> Iterator[None]:
    """Have the portal use this AWS."""
    server = serving.make(app, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.AWS_ENDPOINT_URL = f"http://{serving.LOOPBACK}:{server.port}"
    settings.AWS_CALLS_PER_SECOND, settings.AWS_CALLS_BURST = 1_000.0, 1_000
    connect.forget_all()
    yield
    server.shutdown()


@pytest.fixture
def far_away(aws: AWS, settings: Any) -> Iterator[FarAway]:
    """The large account in an AWS that is no millisecond away."""
    large_account.fill(USERS, at=utcnow())
    app = FarAway(create_app(None), 0)
    with served(app, settings):
        yield app


def test_a_large_account_is_read_in_as_many_calls_as_promised(
    far_away: FarAway, read: Callable[[str], dict[str, float]]
) -> None:
    first = read(large_account.NUMBER)
    calls = far_away.take_calls()
    read(large_account.NUMBER)
    again = far_away.take_calls()

    assert first["users"] == USERS
    assert calls["ListAccessKeys"] == large_account.with_keys(USERS) == 12
    assert calls.total() <= USERS / 1_000 + large_account.with_keys(USERS) + imports.FIXED_CALLS
    assert again.total() <= USERS / 1_000 + imports.FIXED_CALLS


def test_a_large_account_holds_what_it_says(far_away: FarAway, read: Callable[[str], dict[str, float]]) -> None:
    told = read(large_account.NUMBER)

    people = sum(map(large_account.is_person, range(USERS)))
    keys = sum(map(large_account.keys, range(USERS)))
    assert told["rows"] == USERS * (1 + large_account.GROUPS_EACH) + keys + 2 * people
    assert IAMUser.objects.filter(kind="application").count() == USERS - people
    assert MFADevice.objects.count() == people
    assert AccessKey.objects.filter(status="Inactive").exists()
    assert 0 < AccessKey.objects.filter(last_used_date=None).count() < keys
    assert told["statements"] > 0
    assert told["peak_mib"] >= told["memory_mib"] - 1 > 0


PEERS = {"loop": Path(sys.executable), "cartography": imports.ENVIRONMENT / "bin" / "python"}


@pytest.mark.processes
# Cartography is there where the benchmark has installed it.
@pytest.mark.parametrize("how", [name for name, python in PEERS.items() if python.exists()])
def test_the_peers_read_the_same_account(far_away: FarAway, settings: Any, how: str) -> None:
    python = PEERS[how]
    env = house.environment(Path(), "unix:///nowhere", settings.AWS_ENDPOINT_URL)

    ran = subprocess.run(imports.peer(python, how), env=env, check=True, stdout=subprocess.PIPE, text=True)

    calls = far_away.take_calls()
    assert json.loads(ran.stdout)["users"] == USERS
    assert calls["ListAccessKeys"] == calls["ListMFADevices"] == USERS
    assert calls["GetAccessKeyLastUsed"] == sum(map(large_account.keys, range(USERS)))
    assert calls.total() > 4 * USERS


def test_what_was_recorded_of_one_account_is_another_account_too(
    aws: AWS, settings: Any, read: Callable[[str], dict[str, float]]
) -> None:
    large_account.fill(USERS, at=utcnow())
    asked = FarAway(create_app(None), 0)
    first, second = reading.account_ids(2)

    with served(Replay(asked), settings):
        one = read(first)
        asked.take_calls()
        other = read(second)

    assert one["rows"] == other["rows"] > USERS
    assert asked.take_calls() == {"AssumeRole": 1, "GenerateCredentialReport": 1}
    assert {key.access_key_id[4:16] for key in AccessKey.objects.all()} == {first, second}
    assert MFADevice.objects.filter(serial_number__startswith=f"arn:aws:iam::{second}:").count() == 8


def test_the_table_says_what_the_design_asks() -> None:
    readings = imports.Readings(1_000)
    readings.of = {
        "first import, sqlite": [imports.Reading(613, 5.0, 130.0, "1.0"), imports.Reading(613, 10.0, 130.0, "1.0")],
        "second import, sqlite": [imports.Reading(17, 2.0, 201.0, "1.0")],
        "plain boto3 loop": [imports.Reading(7_918, 149.0, 90.0, "1.0")],
    }

    rows = {row.name: row for row in (*readings.measurements(), *readings.ratios())}

    assert rows["1,000 users, first import, sqlite: calls"].verdict == "within"
    assert rows["1,000 users, second import, sqlite: calls"].verdict == "OVER"
    assert rows["1,000 users, second import, sqlite: memory"].verdict == "OVER"
    assert rows["1,000 users, plain boto3 loop: memory"].verdict == ""
    assert rows["1,000 users, plain boto3 loop / first import, sqlite"].verdict == "OVER"


def test_a_copy_of_a_database_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "gatehouse.sqlite3").write_bytes(b"rows")

    copied = databases.copied({"DATABASE_URL": f"sqlite:///{tmp_path}/gatehouse.sqlite3", "DEBUG": "off"})

    copy = Path(copied["DATABASE_URL"].removeprefix("sqlite:///"))
    assert copied["DEBUG"] == "off"
    assert copy.read_bytes() == b"rows"
    assert copy != tmp_path / "gatehouse.sqlite3"


@pytest.fixture
def demo_far_away(aws: AWS, settings: Any) -> Iterator[tuple[FarAway, Any]]:
    """The demo in an AWS that takes one call each second, and a client of an administrator there."""
    demo.load_demo(at=utcnow())
    app = FarAway(create_app(None), 0, calls_per_second=1)
    with served(app, settings):
        yield app, dataclasses.replace(aws, url=settings.AWS_ENDPOINT_URL).boto3(ACCOUNTS[0].account_id)


def test_an_aws_with_a_limit_takes_no_more_and_counts_the_others(demo_far_away: tuple[FarAway, Any]) -> None:
    app, iam = demo_far_away
    start, answered = time.monotonic(), 0
    while answered < 23:
        # boto3 repeats by itself what was throttled, but not for ever.
        with suppress(ClientError):
            iam.get_user(UserName="mia")
            answered += 1

    calls = app.take_calls()
    assert calls["GetUser"] == 23
    assert calls["Throttled"] > 0
    assert time.monotonic() - start > 1


def test_the_pool_rotates_each_key(demo_far_away: tuple[FarAway, Any]) -> None:
    app, iam = demo_far_away
    made = list(keyed_users.make(3))

    for told in made:
        rotations._rotate(iam, told["user_name"])

    calls = app.take_calls()
    names = ("ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")
    assert [calls[name] for name in names] == [3, 3, 3, 3]
    for told in made:
        (key,) = iam.list_access_keys(UserName=told["user_name"])["AccessKeyMetadata"]
        assert key["AccessKeyId"] != told["access_key_id"]
