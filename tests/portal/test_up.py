"""`manage.py up`, with real processes: it starts everything, tells where it is, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import services

pytestmark = pytest.mark.processes

READY = "Gatehouse is ready: http://127.0.0.1:"
NEW = "from accounts.models import Organization; Organization.objects.create(name='Initech', slug='initech')"


@dataclass
class House:
    """One running `manage.py up`."""

    process: subprocess.Popen
    port: int
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        """Come back when it has told where it is."""
        services.wait_until(lambda: READY in self.said, process=self.process, log=self.log)

    def processes(self) -> set[int]:
        """All processes below it."""
        return services.descendants(self.process.pid)

    def program(self, word: str) -> int:
        """The program that has this word in its command; of several, the one that was started first."""
        return min(pid for pid in self.processes() if word in Path(f"/proc/{pid}/cmdline").read_text().split("\0"))

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Send the signal; answers the exit code and the seconds it took."""
        begin = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - begin


def environment(folder: Path, port: int) -> dict[str, str]:
    """A portal with everything embedded and its files in `folder`, whatever this run of the tests has configured."""
    configured = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "AWS_ENDPOINT_URL", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if name not in configured}
    return {**env, "VAR_DIR": str(folder), "PORT": str(port), "AWS_PORT": str(services.free_port())}


def manage(*command: str, env: dict[str, str]) -> str:
    """What one of Django's commands prints."""
    run = subprocess.run(
        [sys.executable, "manage.py", *command],
        env=env,
        cwd=services.ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return run.stdout


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a portal that has been started before and has an organization."""
    folder = tmp_path_factory.mktemp("lived-in")
    for command in (["migrate", "-v", "0"], ["shell", "-v", "0", "-c", NEW]):
        subprocess.run(
            [sys.executable, "manage.py", *command], env=environment(folder, 1), cwd=services.ROOT, check=True
        )
    return folder


@pytest.fixture
def folder(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of them for one test."""
    return Path(shutil.copytree(lived_in, tmp_path / "var"))


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    """A running portal."""
    with services.running((one := start(folder)).process):
        one.wait_until_ready()
        yield one


@pytest.fixture(scope="module")
def shared_house(lived_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for the tests that leave it as it is: to start takes seconds. Its files are below `log`'s folder."""
    folder = Path(shutil.copytree(lived_in, tmp_path_factory.mktemp("shared") / "var"))
    with services.running((one := start(folder)).process):
        one.wait_until_ready()
        yield one


def start(folder: Path, port: int | None = None) -> House:
    """Begin `manage.py up`."""
    port = port or services.free_port()
    log = folder.with_name(f"up-{port}.log")
    log.unlink(missing_ok=True)
    command = [sys.executable, "manage.py", "up"]
    return House(services.start(command, log=log, env=environment(folder, port)), port, log)


def left_of(processes: set[int]) -> set[int]:
    """Those that still run after a second."""
    end = time.monotonic() + 1
    while any(map(services.is_running, processes)) and time.monotonic() < end:
        time.sleep(0.02)
    return set(filter(services.is_running, processes))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_and_ends_within_five_seconds(folder: Path, number: signal.Signals) -> None:
    house = start(folder)
    with services.running(house.process):
        house.wait_until_ready()
        processes = house.processes()
        with urllib.request.urlopen(f"http://127.0.0.1:{house.port}/health/ready") as answer:
            assert answer.status == 200

        code, ending = house.end(number)

    assert len(processes) == 7, "Valkey, AWS, gunicorn and its two workers, Celery's worker, beat"
    assert (code, left_of(processes)) == (0, set())
    assert ending < 5


def test_it_tells_where_it_is_and_where_aws_is(shared_house: House) -> None:
    assert f"{READY}{shared_house.port}\n" in shared_house.said
    assert "AWS is embedded. Its endpoint: http://127.0.0.1:" in shared_house.said
    assert "olive@acme.test" in shared_house.said


def test_one_dies_and_all_end_with_its_last_words(house: House) -> None:
    processes = house.processes()
    os.kill(house.program("worker"), signal.SIGKILL)

    assert house.process.wait(10) == 1
    assert left_of(processes) == set()
    assert "CommandError: worker was ended by signal 9. Its last words:\n" in house.said


def test_nothing_outlives_it_when_it_is_killed_and_it_starts_again(house: House, folder: Path) -> None:
    processes = house.processes()

    house.end(signal.SIGKILL)

    assert len(processes) == 7
    assert left_of(processes) == set()
    again = start(folder, house.port)
    with services.running(again.process):
        again.wait_until_ready()
        assert again.end(signal.SIGTERM)[0] == 0


def test_a_second_one_in_the_same_folder_is_refused(shared_house: House) -> None:
    second = start(shared_house.log.with_name("var"))

    assert second.process.wait(20) == 1
    assert "CommandError: Gatehouse already runs with the files in" in second.said
    assert shared_house.process.poll() is None


def test_a_taken_port_is_refused(shared_house: House, tmp_path: Path) -> None:
    second = start(tmp_path / "other", shared_house.port)

    assert second.process.wait(20) == 1
    assert f"CommandError: Port {shared_house.port} of 127.0.0.1 cannot be used" in second.said


def test_its_first_start_loads_the_demo(tmp_path: Path) -> None:
    house = start(tmp_path / "var")
    with services.running(house.process):
        house.wait_until_ready()
        count = "from accounts.models import Organization; print(Organization.objects.filter(slug='acme').count())"
        answer = manage("shell", "-v", "0", "-c", count, env=environment(tmp_path / "var", house.port))

    assert answer == "1\n"
