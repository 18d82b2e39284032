"""Secrets with a mark, and the looking for it in all that the portal, its database and its broker keep (A08)."""

import base64
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from moto.iam.models import AccessKey

from tests import postgres_binaries, services

MARK = "CANARY7f3a9d51e2"
Found = Iterator[tuple[str, bytes]]


def mark_new_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on AWS makes long-term keys whose secrets begin with the mark."""
    make = AccessKey.__init__

    def marked(self: AccessKey, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        if self.user_name and self.access_key_id.startswith("AKIA"):
            self.secret_access_key = MARK + secrets.token_hex(12)

    monkeypatch.setattr(AccessKey, "__init__", marked)


def forms(of: str) -> list[bytes]:
    """How a text may stand in bytes: as it is, reversed bytes of hex, and in base64 at each of its three places."""
    plain = of.encode()
    spelt = [plain, plain.hex().encode(), plain.hex().upper().encode(), of.encode("utf-16-le")]
    for shift in range(3):
        letters = base64.b64encode(b"\0" * shift + plain)
        # The first and the last letters depend on what stands beside it.
        spelt.append(letters[4 if shift else 0 : -4])
    return spelt


def places_with(texts: list[str], found: Found) -> list[str]:
    """Where one of the texts stands, in whatever form."""
    wanted = [form for text in texts for form in forms(text)]
    return [place for place, content in found if any(form in content for form in wanted)]


def in_rows() -> Found:
    """Every column of every table, by what the database gives."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    yield f"table {table}", _bytes(value)


def in_the_database(folder: Path) -> Found:
    """Its files where it is SQLite, else a dump."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(facts["NAME"])) as dumped:
            yield "dump", "\n".join(dumped.iterdump()).encode(errors="replace")
        database = Path(facts["NAME"])
        yield from in_files("database", *database.parent.glob(f"{database.name}*"))
        return
    binaries, _ = postgres_binaries.find(folder / "binaries")
    where = ["--host", facts["HOST"], "--port", str(facts["PORT"]), "--username", facts["USER"], facts["NAME"]]
    yield "pg_dump", subprocess.run([str(binaries / "pg_dump"), *where], check=True, capture_output=True).stdout


def in_redis(server: services.Server, folder: Path) -> Found:
    """Every key of every database, and its files: the append-only one and a snapshot."""
    for number in range(16):
        with redis.Redis.from_url(f"{server.url}?db={number}") as client:
            for key in client.scan_iter():
                yield f"redis {key!r}", bytes(key) + (client.dump(key) or b"") + _whole(client, key)
            client.save()
    yield from in_files("redis", *folder.rglob("*"))


def in_processes(*processes: subprocess.Popen) -> Found:
    """How they and what they started were called, and their environment."""
    for process in processes:
        for pid in {process.pid} | services.descendants(process.pid):
            for name in ("cmdline", "environ"):
                yield f"{name} of {pid}", Path(f"/proc/{pid}/{name}").read_bytes()


def in_files(what: str, *paths: Path) -> Found:
    """Files as they are."""
    for path in paths:
        if path.is_file():
            yield f"{what} {path.name}", path.read_bytes()


def _whole(client: redis.Redis, key: bytes) -> bytes:
    """DUMP may compress what it gives."""
    read: dict[Any, Any] = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"hash": lambda: client.hgetall(key),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1, withscores=True),
    }
    return _bytes(read.get(client.type(key), lambda: b"")())


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode()
