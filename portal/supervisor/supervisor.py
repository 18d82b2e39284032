"""Keeps programs running together: one dies, all end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from portal.supervisor.child import Child, Program, end

# Together under five seconds, which is how long a person waits after Ctrl-C before pressing it again.
PROGRAMS_END_SECONDS = 3.0
SERVERS_END_SECONDS = 1.0
READY_SECONDS = 90.0
POLL_SECONDS = 0.1


class Died(Exception):
    """A program ended although it was to run on, or failed at what it was to finish."""

    def __init__(self, child: Child, code: int) -> None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last_words = "\n".join(f"    {line}" for line in child.last_words) or "    (nothing)"
        super().__init__(f"{child.name} {how}. Its last words:\n{last_words}")


class NotReady(Exception):
    """A program runs, but does not answer."""


class Supervisor:
    """The programs that run now, in the order of their start. Made by `supervise`."""

    def __init__(self, group: asyncio.TaskGroup, write: Callable[[str], object]) -> None:
        self._group = group
        self._write = write
        self._servers: list[Child] = []
        self._programs: list[Child] = []

    async def serve(self, program: Program, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Start a server that others need, and come back when it answers. It ends after all other programs.

        :raises NotReady: when it does not answer within 90 seconds.
        """
        self._watch(await self._start(program, self._servers))
        await until(is_ready, program.name)

    async def keep(self, program: Program) -> None:
        """Start a program that is to run on until all end."""
        self._watch(await self._start(program, self._programs))

    async def finish(self, program: Program) -> None:
        """Run a program to its end.

        :raises Died: when its exit code is not 0.
        """
        child = await self._start(program, self._programs)
        code = await child.wait()
        self._programs.remove(child)
        if code != 0:
            raise Died(child, code)

    async def end(self) -> None:
        """End what runs: first those that need the servers, then the servers."""
        await end(self._programs, PROGRAMS_END_SECONDS)
        await end(self._servers, SERVERS_END_SECONDS)

    async def _start(self, program: Program, among: list[Child]) -> Child:
        child = await Child.start(program, self._write)
        among.append(child)
        return child

    def _watch(self, child: Child) -> None:
        self._group.create_task(_until_it_dies(child))


async def _until_it_dies(child: Child) -> None:
    ended = asyncio.ensure_future(child.wait())
    done, _ = await asyncio.wait({ended, child.reading}, return_when=asyncio.FIRST_COMPLETED)
    if child.reading in done:
        # Its lines can no longer be passed on, most likely because nobody reads ours: that ends all of it too.
        child.reading.result()
    raise Died(child, await ended)


async def until(is_ready: Callable[[], Awaitable[bool]], name: str) -> None:
    """Come back when `is_ready` says so.

    :raises NotReady: when it has not said so within 90 seconds.
    """
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await is_ready():
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise NotReady(f"{name} did not answer within {READY_SECONDS:.0f} seconds.") from None


@asynccontextmanager
async def supervise(write: Callable[[str], object]) -> AsyncIterator[Supervisor]:
    """Watch over what is started inside; at the end of the block, however it comes, all of it is ended.

    :raises ExceptionGroup: of Died or NotReady, when that was the reason for the end.
    """
    supervisor = None
    try:
        async with asyncio.TaskGroup() as group:
            supervisor = Supervisor(group, write)
            yield supervisor
    finally:
        if supervisor is not None:
            await supervisor.end()
