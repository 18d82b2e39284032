"""One API operation carried by botocore: the reads may be repeated, a write is sent once, a list is read to its end."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.client import BaseClient

from portal.aws.errors import Unknown, translated

# What botocore decodes from one answer; its values have the types of the API model.
Answer: TypeAlias = Mapping[str, Any]

# IAM's default is 100, its most 1,000, and it may return fewer.
PAGE_SIZE = 1_000

_counter: ContextVar[Counter[str] | None] = ContextVar("counter", default=None)
# Threads of one import count together.
_counting = Lock()


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls made inside, by operation; what botocore repeats by itself counts once."""
    counter: Counter[str] = Counter()
    token = _counter.set(counter)
    try:
        yield counter
    finally:
        _counter.reset(token)


def call(client: BaseClient, operation: str, **parameters: object) -> Answer:
    """Carry `operation` ("CreateUser") with the API's own parameter names.

    :raises AWSError: as :mod:`portal.aws.errors` sorts it.
    """
    counter = _counter.get()
    if counter is not None:
        with _counting:
            counter[operation] += 1
    with translated(operation):
        answer: Answer = getattr(client, xform_name(operation))(**parameters)
    return answer


def given(**parameters: object) -> dict[str, object]:
    """The parameters that were given: botocore refuses None."""
    return {name: value for name, value in parameters.items() if value is not None}


@dataclass(frozen=True, eq=False)
class Calls:
    """Two clients of one service in one account: `reads` retries, `writes` sends a request once and never again."""

    reads: BaseClient
    writes: BaseClient

    def _read(self, operation: str, **parameters: object) -> Answer:
        return call(self.reads, operation, **parameters)

    def _write(self, operation: str, **parameters: object) -> Answer:
        return call(self.writes, operation, **parameters)

    def _pages(self, operation: str, **parameters: object) -> Iterator[Answer]:
        """Every page of a list in IAM's manner (IsTruncated, Marker).

        :raises Unknown: when AWS says there is more and does not say where, or names the same place again.
        """
        page = self._read(operation, MaxItems=PAGE_SIZE, **parameters)
        marker = None
        yield page
        while page.get("IsTruncated"):
            marker = _next_marker(operation, page.get("Marker"), marker)
            page = self._read(operation, MaxItems=PAGE_SIZE, Marker=marker, **parameters)
            yield page

    def _all(self, operation: str, key: str, **parameters: object) -> Iterator[Any]:
        for page in self._pages(operation, **parameters):
            yield from page[key]


def _next_marker(operation: str, marker: str | None, last: str | None) -> str:
    if not marker or marker == last:
        raise Unknown(operation=operation, code="Marker", message="the list is cut off without a way to go on.")
    return marker
