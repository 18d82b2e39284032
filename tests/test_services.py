"""What the suite starts for itself, and what it does where the system has less."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT

import psycopg2
import pytest

from tests import postgres_binaries, services


@pytest.fixture
def no_postgres_on_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without PostgreSQL."""
    monkeypatch.setattr(postgres_binaries, "system_binaries", lambda: None)


@pytest.mark.usefixtures("no_postgres_on_the_system")
def test_postgresql_comes_from_a_package_where_the_system_has_none(tmp_path: Path) -> None:
    # pytest's own folder is closed to the user that PostgreSQL runs as; the one of this run is not.
    folder = Path(os.environ["VAR_DIR"]).parent / tmp_path.name

    server = services.start_postgres(folder)
    try:
        connection = psycopg2.connect(f"{server.url.rpartition('/')[0]}/postgres")
        version = connection.server_version
        connection.close()
    finally:
        server.stop()

    assert version >= 18_00_00
    assert not services.is_running(server.process.pid)


@pytest.mark.usefixtures("no_postgres_on_the_system")
def test_the_virtual_environment_stays_as_closed_as_it_was(tmp_path: Path) -> None:
    package = postgres_binaries.package_installation()
    before = [path.stat().st_mode for path in package.parents]

    binaries, user = postgres_binaries.find(tmp_path / "postgres")

    assert [path.stat().st_mode for path in package.parents] == before
    assert (user is None) == (binaries == package / "bin"), "root copies the programs, others take them where they are"


def test_redis_takes_the_place_of_a_missing_valkey(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    redis = tmp_path / "redis-server"
    redis.touch(mode=0o755)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setenv("PATH", str(tmp_path))

    assert services.valkey_binary() == str(redis)


def test_beside_postgresql_a_missing_redis_is_said_and_valkey_takes_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GATEHOUSE_TEST_DATABASE", "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))
    run = services.Run(tmp_path)

    assert services._peer(run) is None
    assert run.left_out == [
        "Redis: the embedded Valkey took its place. To have it: apt-get install redis-server",
    ]


def run_pytest(folder: Path, test: str) -> list[str]:
    """The lines of a run of its own, with the services and without Django.

    On SQLite, which leaves nothing out: beside PostgreSQL it would miss Redis where this system has none.
    """
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ["-p", "tests.services", "-p", "no:django", "--rootdir", str(folder), "-c", str(folder / "pytest.ini")]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    env = {**os.environ, "GATEHOUSE_TEST_DATABASE": "sqlite"}
    return subprocess.run(
        command, cwd=services.ROOT, env=env, stdout=PIPE, stderr=STDOUT, text=True
    ).stdout.splitlines()


def test_the_end_of_a_run_says_what_was_left_out_and_then_how_it_went(tmp_path: Path) -> None:
    skipping = "    pytest.skip('Chromium: apt-get install chromium')\n"

    lines = run_pytest(tmp_path, f"import pytest\ndef test_a():\n{skipping}\ndef test_b():\n{skipping}")

    assert "2 tests: Chromium: apt-get install chromium" in lines
    assert "= 2 skipped in " in lines[-1]


def test_the_end_of_a_run_says_that_nothing_was_left_out(tmp_path: Path) -> None:
    lines = run_pytest(tmp_path, "def test_it(): pass")

    assert "Nothing was left out." in lines
    assert "= 1 passed in " in lines[-1]


@pytest.mark.parametrize("place", ["test", "conftest"])
def test_a_run_leaves_no_folder_behind(tmp_path: Path, place: str) -> None:
    failing = "import os\n{}raise AssertionError('in ' + os.environ['VAR_DIR'])"
    if place == "conftest":
        (tmp_path / "conftest.py").write_text(failing.format(""))
    lines = run_pytest(tmp_path, failing.format("def test_it(): "))

    folder = next(line.partition("AssertionError: in ")[2] for line in lines if "AssertionError: in " in line)
    assert "gatehouse-tests-" in folder
    assert not Path(folder).parent.exists()
