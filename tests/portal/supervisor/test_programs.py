"""Which programs a portal needs, and what hinders their start."""

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.supervisor import house, programs
from portal.supervisor.programs import CannotStart
from tests import services


@pytest.fixture
def embedded(settings: Settings, tmp_path: Path) -> Settings:
    """The addresses of a portal without any setting."""
    settings.VAR_DIR = tmp_path
    settings.VALKEY_SOCKET = tmp_path / "valkey.sock"
    settings.CELERY_BROKER_URL = f"redis+socket://{tmp_path}/valkey.sock?virtual_host=0"
    settings.CACHES = {"default": {"LOCATION": f"unix://{tmp_path}/valkey.sock?db=1"}}
    return settings


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_valkey_is_embedded_where_nobody_configured_another(embedded: Settings) -> None:
    assert programs.needs_valkey()


def test_valkey_is_embedded_for_the_cache_alone_too(embedded: Settings) -> None:
    embedded.CELERY_BROKER_URL = "amqp://127.0.0.1/"

    assert programs.needs_valkey()


def test_valkey_is_not_embedded_where_a_redis_is_configured(embedded: Settings) -> None:
    embedded.CELERY_BROKER_URL = "redis://127.0.0.1:6379/0"
    embedded.CACHES = {"default": {"LOCATION": "redis://127.0.0.1:6379/1"}}

    assert not programs.needs_valkey()


@pytest.mark.parametrize("spec", [None, importlib.util.find_spec("json")], ids=["no package", "a package without it"])
def test_it_says_what_to_set_where_valkey_has_no_wheel(
    embedded: Settings, monkeypatch: pytest.MonkeyPatch, spec: object
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)

    with pytest.raises(CannotStart, match="set CELERY_BROKER_URL and CACHE_URL to a Redis or Valkey"):
        programs.valkey()


def test_it_says_what_to_set_where_the_sockets_path_is_too_long(embedded: Settings, tmp_path: Path) -> None:
    embedded.VALKEY_SOCKET = tmp_path / ("x" * 100) / "valkey.sock"

    with pytest.raises(CannotStart, match="set VAR_DIR to a folder with a shorter path"):
        programs.valkey()


def test_valkey_never_forgets_what_it_was_told(embedded: Settings) -> None:
    command = " ".join(programs.valkey().command)

    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command
    assert "--port 0" in command


def test_a_taken_port_is_said_with_the_setting_that_moves_it(taken_port: int) -> None:
    with pytest.raises(CannotStart, match=f"Port {taken_port} of 127.0.0.1 cannot be used .*set PORT to a free one"):
        house.refuse_taken_port(taken_port, "PORT")


def test_a_free_port_is_taken_without_a_word() -> None:
    house.refuse_taken_port(services.free_port(), "PORT")


def test_two_portals_do_not_share_a_folder(embedded: Settings) -> None:
    with (
        house.only_one_here(),
        pytest.raises(CannotStart, match="stop it first, or set VAR_DIR to another folder"),
        house.only_one_here(),
    ):
        pass


def test_a_folder_is_free_again_after_its_portal(embedded: Settings) -> None:
    with house.only_one_here():
        pass
    with house.only_one_here():
        pass
