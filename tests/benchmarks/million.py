"""`python -m tests.benchmarks.million [COUNT]`: a million IAM users in 200 accounts, on PostgreSQL.

The list, a search by part of a name and one IAM user's page, asked over HTTP by one client and by eight, as a lead of
a team of five thousand and as the owner of all; and Django's own list of the same rows, as its admin makes it.
"""

import http.client
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests import services
from tests.benchmarks import databases, house, million_rows
from tests.benchmarks.report import Measurement, load, write

COUNT = 1_000_000
# Requests of each client for each address.
ASKED, ASKED_OF_DJANGO = 100, 6
CLIENTS = 8
LIMIT_ALONE, LIMIT_TOGETHER = 100.0, 300.0
# What the portal's settings are here: its own, and an address more for Django's own list.
SETTINGS = "tests.benchmarks.million_settings"

Ask = Callable[[], str]


def measure(count: int) -> list[Measurement]:
    """Fill, ask, tell."""
    with portal(count) as (env, told):
        port = services.free_port()
        log = Path(env["VAR_DIR"]).parent / "web.log"
        with services.running(services.start_web(env, port, log)) as web:
            services.wait_until(partial(services.listens, port), process=web, log=log)
            found = [one for each in _cases(told) for one in _measure(port, *each)]
    filled = (
        f"{count:,} IAM users in {million_rows.ACCOUNTS} accounts, filled in {told['seconds']:.0f} s, load {load()}"
    )
    return [*found, Measurement("rows", "", [count], note=filled)]


@contextmanager
def portal(count: int) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """A portal's settings on a PostgreSQL that is full; and who may sign in, by their session's key."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        # PostgreSQL runs as another user where this is root.
        folder.chmod(0o711)
        server = services.start_postgres(folder / "postgres")
        stack.callback(server.stop)
        valkey = services.start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        address = {"DATABASE_URL": databases.postgresql(server), "DJANGO_SETTINGS_MODULE": SETTINGS}
        env = databases.migrated(house.environment(folder, valkey.url, "http://127.0.0.1:1") | address)
        house.collected(env)
        yield env, million_rows.fill(env, count)


def _cases(told: dict[str, Any]) -> Iterator[tuple[str, str, Ask, int, bool]]:
    """Name, session, the next address to ask, how often, and whether a limit is asked of it."""
    draw = random.Random(7)
    for who in ("lead", "owner"):
        session, ids = told["sessions"][who], told["ids"][who]
        yield f"list, {who}", session, partial(_page, draw), ASKED, True
        yield f"search by part of a name, {who}", session, partial(_search, draw), ASKED, True
        yield f"one IAM user, {who}", session, partial(_user, draw, ids), ASKED, True
    owner = told["sessions"]["owner"]
    for words, address in (("list", "/default/accounts/iamuser/"), ("search", "/default/accounts/iamuser/?q=reader")):
        yield f"Django's {words}, owner", owner, partial(str, address), ASKED_OF_DJANGO, False


def _page(draw: random.Random) -> str:
    return draw.choice(("/team/", "/team/", "/team/?page=2", "/team/?page=40", "/team/?sort=-user_name"))


def _search(draw: random.Random) -> str:
    return f"/team/?q={draw.choice(million_rows.PARTS)}"


def _user(draw: random.Random, ids: list[int]) -> str:
    return f"/team/iam-users/{draw.choice(ids)}/"


def _measure(port: int, name: str, session: str, ask: Ask, asked: int, is_limited: bool) -> Iterator[Measurement]:
    _timed(port, session, ask, 3)
    told = _timed(port, session, ask, asked)
    queries = max(told, key=lambda one: one[1])[1]
    slowest = max(told)
    note = f"at most {queries} queries; slowest {slowest[0]:.0f} ms for {slowest[2]}"
    yield Measurement(
        f"{name}, 1 client", "ms", [one[0] for one in told], LIMIT_ALONE if is_limited else None, note=note
    )
    with ThreadPoolExecutor(CLIENTS) as pool:
        parts = [pool.submit(_timed, port, session, ask, asked // 2) for _ in range(CLIENTS)]
        together = [one[0] for part in parts for one in part.result()]
    yield Measurement(f"{name}, {CLIENTS} clients", "ms", together, LIMIT_TOGETHER if is_limited else None)


def _timed(port: int, session: str, ask: Ask, times: int) -> list[tuple[float, int, str]]:
    """Milliseconds, queries and address of each request, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    told = []
    for _ in range(times):
        address = ask()
        start = time.perf_counter()
        connection.request("GET", address, headers={"Cookie": f"session={session}", "Host": "127.0.0.1"})
        answer = connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - start) * 1000
        assert answer.status == 200, (address, answer.status, body[:300])
        told.append((took, int(answer.headers["X-Queries"]), address))
    connection.close()
    return told


if __name__ == "__main__":
    write("million", measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT), database="postgresql")
