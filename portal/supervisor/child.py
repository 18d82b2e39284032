"""One program that the supervisor runs: started, read, waited for and ended."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from portal.supervisor import tether

LAST_WORDS = 20
# A line longer than this is a dump rather than a sentence; it is cut.
LONGEST_LINE = 64 * 1024
# How long the rest of an ended program's output is waited for: something that it started may hold the pipe open.
LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True)
class Program:
    """What to start: a short name for its lines of output, and the command."""

    name: str
    command: tuple[str, ...]


class Child:
    """A running program, in a process group of its own, whose output is passed on line by line under its name."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, write: Callable[[str], object]) -> None:
        self.name = program.name
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._process = process
        self._write = write
        self.reading = asyncio.create_task(self._pass_on())

    @classmethod
    async def start(cls, program: Program, write: Callable[[str], object]) -> "Child":
        """Start the program; it dies with this process."""
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(tether.die_with_parent, os.getpid()),
            limit=LONGEST_LINE,
        )
        return cls(program, process, write)

    async def wait(self) -> int:
        """Wait for the end and for the last of the output; answers the exit code, or the signal's number negated."""
        code = await self._process.wait()
        await asyncio.wait({self.reading}, timeout=LAST_WORDS_SECONDS)
        return code

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program and to all that it started in its group, whoever of them is left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    async def _pass_on(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe; this tells mypy.
        while line := await _next_line(self._process.stdout):
            text = line.decode(errors="replace").rstrip()
            self.last_words.append(text)
            self._write(f"{self.name:<7}| {text}")


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.readexactly(overrun.consumed or LONGEST_LINE)


async def end(children: list[Child], seconds: float) -> None:
    """End all of them together: first politely, and after `seconds` by force."""
    for child in children:
        child.send(signal.SIGTERM)
    waiting = [asyncio.ensure_future(child.wait()) for child in children]
    if waiting:
        await asyncio.wait(waiting, timeout=seconds)
    for child in children:
        child.send(signal.SIGKILL)
    await asyncio.gather(*waiting)
