"""The guard that keeps the suite off every network."""

import socket

import pytest

from tests.conftest import refuse_unless_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"localhost"])
def test_it_lets_tests_reach_loopback(host: str | bytes) -> None:
    refuse_unless_loopback(host)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "0.0.0.0", "iam.amazonaws.com", "localhost.example"])
def test_it_fails_a_test_that_reaches_further(host: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="tests reach loopback alone"):
        refuse_unless_loopback(host)


def test_it_stands_before_every_connection() -> None:
    with socket.socket() as client, pytest.raises(pytest.fail.Exception):
        client.connect(("192.0.2.1", 80))


def test_it_stands_before_every_look_up_of_a_name() -> None:
    with pytest.raises(pytest.fail.Exception):
        socket.getaddrinfo("gatehouse.example", 443)
