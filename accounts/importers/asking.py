"""Asking AWS many things at once: threads that share the import's pace and its count of calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from accounts.importers.progress import Tell

# As many as botocore keeps connections open for.
THREADS = 10

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


class Asking:
    """What can be asked meanwhile. Threads of it never touch the database."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def meanwhile(self, ask: Callable[[], Answer]) -> Future[Answer]:
        """Begin to ask; the answer, or what went wrong, is the future's result."""
        return self._pool.submit(copy_context().run, ask)

    def each(
        self, ask: Callable[[Thing], Answer], things: Collection[Thing], *, doing: str, tell: Tell
    ) -> Iterator[tuple[Thing, Answer]]:
        """Ask about every thing; pairs come in the order of the answers.

        :raises portal.aws.errors.AWSError: the first that went wrong; what was not yet asked is not asked any more.
        """
        asked = {self._pool.submit(copy_context().run, ask, thing): thing for thing in things}
        for number, future in enumerate(as_completed(asked), start=1):
            yield asked[future], future.result()
            tell(doing, number, len(asked))


@contextmanager
def asking() -> Iterator[Asking]:
    """Have threads for the block; where it fails, what they have not begun is left."""
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="import")
    try:
        yield Asking(pool)
    finally:
        pool.shutdown(cancel_futures=True)
