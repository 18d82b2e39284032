"""What every test stands on: no network but loopback, a clean cache, and a ledger that can be emptied between tests."""

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase

from portal.ledger import guards

pytest_plugins = ["tests.aws.server", "tests.cast"]


@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Some tests are run on one database; the suite runs on both, so nothing is left out."""
    elsewhere = [item for item in items if connection.vendor not in databases(item)]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in elsewhere]


# What these show is not the database's to change, and they take long: policies without one, the pages as browsers show
# them, each AWS call of each delivery broken in each way. Of deliveries and pages enough others run on both. `manage.py
# up` starts with SQLite whatever the tests run on, and calls to AWS, processes and the code's own rules touch none.
ON_SQLITE_ALONE = (
    "tests/accounts/policy/",
    "tests/browser/",
    "tests/faults/test_enumerated.py",
    "tests/portal/aws/",
    "tests/portal/supervisor/",
    "tests/portal/test_up.py",
    "tests/test_architecture.py",
)


def databases(item: pytest.Item) -> set[str]:
    """The kinds of database that a test is for."""
    if item.nodeid.startswith(ON_SQLITE_ALONE):
        return {"sqlite"}
    marker = item.get_closest_marker("only_on")
    return set(marker.args) if marker else {"sqlite", "postgresql"}


@pytest.fixture(scope="session", autouse=True)
def no_network_but_loopback() -> Iterator[None]:
    """Fail a test that would speak to another machine, and name the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", _resolving_loopback_alone(socket.getaddrinfo))
        yield


def _guarded(connect: Callable) -> Callable:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse_unless_loopback(address[0])
        return connect(self, address)

    return guarded


def _resolving_loopback_alone(getaddrinfo: Callable) -> Callable:
    def resolving(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None:
            refuse_unless_loopback(host)
        return getaddrinfo(host, *args, **kwargs)

    return resolving


def refuse_unless_loopback(host: str | bytes) -> None:
    """Fail the test when the host is another machine; a name is one, whatever it would resolve to."""
    name = host.decode() if isinstance(host, bytes) else host
    if name == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        pytest.fail(f"A test tried to reach {name}; tests reach loopback alone.")


@pytest.fixture(scope="session", autouse=True)
def ledger_can_be_emptied() -> Iterator[None]:
    """Tests with real transactions are cleared by a flush, which the ledger's guards would refuse.

    Django has no public name for the moment before that flush, and a fixture of our own would be undone too early.
    """
    teardown = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def without_guards(self: TransactionTestCase) -> None:
        guards.remove(connection)
        # The flush sends post_migrate, which installs them again.
        teardown(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", without_guards)
        yield


@pytest.fixture(autouse=True)
def clean_cache() -> Iterator[None]:
    """Rate limits and used one-time codes of one test are not another's."""
    yield
    cache.clear()
