"""Programs that run together: one dies, all end, and its last words are kept."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable

import pytest

from portal.supervisor import supervisor as supervising
from portal.supervisor.child import Child, Program, end
from portal.supervisor.supervisor import Died, NotReady, Supervisor, supervise
from tests import services

SLEEPER = Program("sleeper", ("sleep", "600"))
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(600)
"""
POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("end"), sys.exit()))
print("begin", flush=True)
time.sleep(600)
"""


def python(name: str, code: str) -> Program:
    """A program of a few lines."""
    return Program(name, (sys.executable, "-c", code))


async def yes() -> bool:
    """A server that is ready at once."""
    return True


async def no() -> bool:
    """A server that is never ready."""
    return False


def supervised(start: Callable[[Supervisor], Awaitable[None]], lines: list[str] | None = None) -> None:
    """Run until what `start` began ends by itself."""

    async def run() -> None:
        async with supervise((lines if lines is not None else []).append) as supervisor:
            await start(supervisor)
            await asyncio.Event().wait()

    asyncio.run(run())


def test_one_dies_and_all_end() -> None:
    pids: set[int] = set()
    before = services.descendants(os.getpid())

    async def start(supervisor: Supervisor) -> None:
        await supervisor.keep(SLEEPER)
        await supervisor.serve(SLEEPER, yes)
        pids.update(services.descendants(os.getpid()) - before)
        await supervisor.keep(python("mortal", "print('farewell'); raise SystemExit(3)"))

    with pytest.raises(ExceptionGroup) as raised:
        supervised(start)

    assert len(pids) == 2
    assert not any(map(services.is_running, pids))
    assert [type(error) for error in raised.value.exceptions] == [Died]
    assert str(raised.value.exceptions[0]) == "mortal ended with exit code 3. Its last words:\n    farewell"


def test_the_end_that_a_signal_brings_is_told_as_such() -> None:
    async def start(supervisor: Supervisor) -> None:
        await supervisor.keep(python("mortal", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))

    with pytest.raises(ExceptionGroup) as raised:
        supervised(start)

    assert str(raised.value.exceptions[0]) == "mortal was ended by signal 9. Its last words:\n    (nothing)"


def test_a_program_that_is_to_finish_may_end_with_zero_alone() -> None:
    async def start(supervisor: Supervisor) -> None:
        await supervisor.finish(python("good", ""))
        await supervisor.finish(python("bad", "raise SystemExit('no such table')"))

    with pytest.raises(ExceptionGroup) as raised:
        supervised(start)

    assert str(raised.value.exceptions[0]) == "bad ended with exit code 1. Its last words:\n    no such table"


def test_a_server_that_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "READY_SECONDS", 0.2)

    async def start(supervisor: Supervisor) -> None:
        await supervisor.serve(SLEEPER, no)

    with pytest.raises(ExceptionGroup) as raised:
        supervised(start)

    assert [type(error) for error in raised.value.exceptions] == [NotReady]


def test_lines_bear_the_name_of_the_program() -> None:
    lines: list[str] = []

    async def start(supervisor: Supervisor) -> None:
        await supervisor.finish(python("web", "print('one\\ntwo')"))
        await supervisor.finish(python("end", "raise SystemExit(1)"))

    with pytest.raises(ExceptionGroup):
        supervised(start, lines)

    assert lines == ["web    | one", "web    | two"]


def test_a_line_of_any_length_and_any_bytes_passes() -> None:
    lines: list[str] = []

    async def start(supervisor: Supervisor) -> None:
        await supervisor.finish(python("web", r"import os; os.write(1, b'x' * 200_000 + b'\n\xff\n')"))
        await supervisor.finish(python("end", "raise SystemExit(1)"))

    with pytest.raises(ExceptionGroup):
        supervised(start, lines)

    assert sum(line.count("x") for line in lines) == 200_000
    assert lines[-1] == "web    | \N{REPLACEMENT CHARACTER}"


def test_it_ends_when_nobody_reads_its_lines() -> None:
    def closed(line: str) -> None:
        raise BrokenPipeError

    async def run() -> None:
        async with supervise(closed) as supervisor:
            await supervisor.keep(python("loud", "import time; print('hello', flush=True); time.sleep(600)"))
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(run())

    assert [type(error) for error in raised.value.exceptions] == [BrokenPipeError]


def test_those_who_do_not_listen_are_ended_by_force() -> None:
    async def run() -> int:
        lines: list[str] = []
        child = await Child.start(python("deaf", DEAF), lines.append)
        while not lines:
            await asyncio.sleep(0.01)
        await end([child], seconds=0.2)
        return await child.wait()

    begin = time.monotonic()

    assert asyncio.run(run()) == -9
    assert time.monotonic() - begin < 3


def test_servers_end_after_those_who_need_them() -> None:
    lines: list[str] = []

    async def run() -> None:
        async with supervise(lines.append) as supervisor:
            await supervisor.serve(python("server", POLITE), yes)
            await supervisor.keep(python("client", POLITE))
            while len(lines) < 2:
                await asyncio.sleep(0.01)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())

    assert lines[2:] == ["client | end", "server | end"]
