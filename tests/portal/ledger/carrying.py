"""What the ledger's tests are made of: a handler that does as it is told, and threads that start at one moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

from django.db import connection

from portal.ledger.models import Delivery, Entry

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KIND = "tests.thing.made"
LANE = "111122223333"


class Carrier:
    """A handler that notes what it is asked, and answers or raises what the test has put into `answers`."""

    def __init__(self) -> None:
        self.carried: list[Delivery] = []
        self.settled: list[object] = []
        self.abandoned: list[Delivery] = []
        self.answers: list[object] = []

    def carry(self, entry: Entry, delivery: Delivery) -> object:
        assert not connection.in_atomic_block or connection.savepoint_ids == []
        self.carried.append(delivery)
        answer = self.answers.pop(0) if self.answers else "done"
        if isinstance(answer, BaseException):
            raise answer
        return answer() if callable(answer) else answer

    def settle(self, entry: Entry, answer: object, at: datetime) -> None:
        assert connection.in_atomic_block
        self.settled.append(answer)

    def abandon(self, entry: Entry, delivery: Delivery, at: datetime) -> None:
        assert connection.in_atomic_block
        self.abandoned.append(delivery)


class Bell(list[int]):
    """The ids of the deliveries that workers were told of."""


def together(count: int, do: Callable[[int], object]) -> list[Any]:
    """Call `do(0)` … `do(count - 1)` in as many threads at the same moment; results, or what was raised, in order."""
    barrier = Barrier(count)

    def run(number: int) -> object:
        try:
            barrier.wait(timeout=20)
            return do(number)
        except Exception as error:  # noqa: BLE001 the tests look at what was raised
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
