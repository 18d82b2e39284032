"""`python -m tests.faults.chaos [--seconds N] [--seed N]`: the portal's real processes, ended again and again.

gunicorn, two Celery workers and beat on a PostgreSQL and a Redis of their own, with an AWS that breaks at random.
People go on deciding (`tests.faults.people`) while workers are killed, Redis is emptied twice and PostgreSQL crashes
once. When all is quiet, the ledger, the portal's rows and AWS must agree, and AWS must have made nothing twice.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import redis

from tests import postgres_binaries, services
from tests.benchmarks import house
from tests.faults import rough_aws
from tests.faults.rough_aws import RoughAWS, Told, wrong_secrets

SECONDS = 600
WORKERS = 2
SHORTEST_LIFE, LONGEST_LIFE = 1.0, 4.0
SMALL = {"DELIVERY_LEASE_SECONDS": "3", "SWEEP_SECONDS": "1", "AWS_CALLS_PER_SECOND": "40", "AWS_CALLS_BURST": "40"}


@dataclass
class House:
    """What runs, and what was done to it."""

    folder: Path
    env: dict[str, str]
    postgres: services.Server
    redis: services.Server
    aws: RoughAWS
    dice: random.Random
    running: dict[str, subprocess.Popen] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def start_all(self) -> None:
        """Start the portal's own processes."""
        port = services.free_port()
        self.env["CHAOS_WEB_PORT"] = str(port)
        self.running["web"] = services.start_web(self.env, port, self.folder / "web.log")
        self.start("beat")
        for number in range(WORKERS):
            self.start(f"worker-{number}")

    def start(self, name: str) -> None:
        """Start beat or a worker."""
        log = self.folder / f"{name}.log"
        self.running[name] = _start_beat(self.env, log) if name == "beat" else services.start_worker(self.env, log)

    def kill(self, name: str) -> None:
        """End beat or a worker as a crash would, and start another one."""
        services.stop(self.running[name], signal.SIGKILL)
        self.start(name)
        self.done[f"{name.partition('-')[0]} killed"] += 1

    def kill_a_worker(self) -> None:
        """End one of the workers."""
        self.kill(f"worker-{self.dice.randrange(WORKERS)}")

    def empty_redis(self) -> None:
        """Forget every message, every token and every sign of life."""
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
        self.done["Redis emptied"] += 1

    def crash_postgres(self) -> None:
        """End PostgreSQL without a word to anybody, and start it again on the same files."""
        services.stop(self.postgres.process, signal.SIGQUIT)
        self.postgres = services.Server(start_postgres_again(self.postgres, self.folder), self.postgres.url)
        self.done["PostgreSQL crashed"] += 1

    def end(self) -> None:
        """End whatever runs."""
        for process in self.running.values():
            services.stop(process, signal.SIGKILL)
        self.redis.stop()
        self.postgres.stop()


def main() -> int:
    """0 where all agree."""
    told = _arguments()
    sys.stdout.write(f"Chaos for {told.seconds} seconds with the seed {told.seed}.\n")
    with tempfile.TemporaryDirectory(prefix="gatehouse-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # PostgreSQL runs as another user where this is root; it must pass through here.
        folder.chmod(0o711)
        with rough_aws.running(told.seed) as aws, _house(folder, aws, told.seed) as built:
            differences = list(_run(built, told.seconds, told.seed))
            if differences and told.keep:
                shutil.copytree(folder, told.keep, ignore=shutil.ignore_patterns("postgres", "*.sock"))
    sys.stdout.writelines(f"DIFFERS: {line}\n" for line in differences)
    return 1 if differences else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.faults.chaos", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="how long people decide")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="rolls the same dice again")
    parser.add_argument("--keep", type=Path, help="a folder that is made for the logs where something differs")
    return parser.parse_args()


@contextmanager
def _house(folder: Path, aws: RoughAWS, seed: int) -> Iterator[House]:
    with ExitStack() as stack:
        postgres = services.start_postgres(folder / "postgres")
        cache = services.start_valkey(folder / "redis", shutil.which("redis-server"))
        env = {**house.environment(folder, cache.url, aws.url), **SMALL, "DATABASE_URL": postgres.url}
        built = House(folder, env, postgres, cache, aws, random.Random(seed))
        stack.callback(built.end)
        _make_database(postgres)
        for command in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]):
            subprocess.run([sys.executable, "manage.py", *command], env=env, cwd=services.ROOT, check=True)
        built.start_all()
        yield built


def _make_database(postgres: services.Server) -> None:
    connection = psycopg2.connect(f"{postgres.url.removesuffix('gatehouse')}postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("CREATE DATABASE gatehouse")
    # What was acknowledged must outlive a crash of PostgreSQL, as in a real installation.
    cursor.execute("ALTER ROLE gatehouse SET synchronous_commit = on")
    connection.close()


def _run(built: House, seconds: int, seed: int) -> Iterator[str]:
    people = _start_people(built, seconds, seed)
    with services.running(people):
        services.wait_until((built.folder / "staged").exists, process=people, log=built.folder / "people.log")
        built.aws.weather.is_rough = True
        _disturb(built, seconds)
        built.aws.weather.is_rough = False
        code = people.wait()
    sys.stdout.write(f"Done: {dict(built.done)}. AWS broke: {dict(built.aws.weather.broken)}.\n")
    said = (built.folder / "people.log").read_text()
    sys.stdout.write(said)
    if code:
        yield f"the people ended with {code}"
    if (built.folder / "created").exists():
        yield from _made_otherwise(built)


def _disturb(built: House, seconds: int) -> None:
    begin = time.monotonic()
    plan: list[tuple[float, Callable[[], None]]] = [
        (0.25, built.empty_redis),
        (0.45, built.crash_postgres),
        (0.6, partial(built.kill, "beat")),
        (0.75, built.empty_redis),
    ]
    while (spent := time.monotonic() - begin) < seconds:
        while plan and spent >= plan[0][0] * seconds:
            plan.pop(0)[1]()
        time.sleep(built.dice.uniform(SHORTEST_LIFE, LONGEST_LIFE))
        built.kill_a_worker()


def _made_otherwise(built: House) -> Iterator[str]:
    """What AWS made more than once, or never, of what the ledger says it made."""
    created = set((built.folder / "created").read_text().split())
    made = built.aws.witness.made
    yield from (f"entry {entry} made {count} users" for entry, count in made.items() if count > 1)
    yield from (f"entry {entry} made no user" for entry in created - made.keys())
    yield from (f"a user was made for {entry or 'no entry'}" for entry in made.keys() - created)
    told = [Told(**one) for one in json.loads((built.folder / "secrets.json").read_text())]
    yield from wrong_secrets(told)


def _start_people(built: House, seconds: int, seed: int) -> subprocess.Popen:
    arguments = [str(seconds), str(seed), str(built.folder)]
    command = [sys.executable, "-m", "tests.faults.people", *arguments]
    return services.start(command, log=built.folder / "people.log", env=built.env)


def _start_beat(env: dict[str, str], log: Path) -> subprocess.Popen:
    arguments = ["--schedule", f"{log.with_suffix('')}-schedule", "--pidfile", "", "--loglevel", "INFO"]
    return services.start([sys.executable, "-m", "celery", "-A", "portal", "beat", *arguments], log=log, env=env)


def start_postgres_again(server: services.Server, folder: Path) -> subprocess.Popen:
    """The same PostgreSQL on the same files; its old processes may need a moment to go."""
    user = postgres_binaries.unprivileged_user() if os.geteuid() == 0 else None
    log, command = folder / "postgres-again.log", [str(part) for part in _command(server.process)]
    for _ in range(10):
        process = services.start(command, log=log, user=user)
        time.sleep(0.5)
        if process.poll() is None:
            break
    services.wait_until(partial(_answers, server.url), process=process, log=log)
    return process


def _command(process: subprocess.Popen) -> list[Any]:
    return list(process.args)  # type: ignore[arg-type]


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
