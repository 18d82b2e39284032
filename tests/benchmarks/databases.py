"""Databases of the portal for single measurements: each is a copy of one that is migrated and empty."""

import shutil
import subprocess
import sys
from contextlib import closing
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from tests import services

_numbers = count(1)


def migrated(env: dict[str, str]) -> dict[str, str]:
    """Make the portal's tables in the database that the environment names; hands the environment back."""
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=env, cwd=services.ROOT, check=True)
    return env


def postgresql(server: services.Server) -> str:
    """The address of a new, empty database on the server."""
    with closing(psycopg2.connect(_address(server.url, "postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE gatehouse")
    return server.url


def copied(env: dict[str, str]) -> dict[str, str]:
    """The environment with a copy of its database, which nobody may use meanwhile."""
    url = env["DATABASE_URL"]
    name = f"copy{next(_numbers)}"
    if url.startswith("sqlite"):
        file = Path(urlsplit(url).path)
        copy = Path(shutil.copy(file, file.with_name(f"{name}.sqlite3")))
        return env | {"DATABASE_URL": f"sqlite:///{copy}"}
    with closing(psycopg2.connect(_address(url, "postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(url).path[1:]}")
    return env | {"DATABASE_URL": _address(url, name)}


def _address(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"
