"""The whole portal, from the first server to the printed address."""

import asyncio
import fcntl
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import connections

from accounts.models import Organization
from portal.supervisor import programs
from portal.supervisor.programs import CannotStart
from portal.supervisor.supervisor import Supervisor, supervise, until


async def keep_up(write: Callable[[str], object], announcement: Callable[[], str]) -> None:
    """Start everything, announce it, and keep it running until Ctrl-C, SIGTERM or the death of one of the programs.

    :raises CannotStart: before anything was started.
    :raises ExceptionGroup: of Died or NotReady, when a program was the reason for the end.
    """
    _end_on_signals()
    with only_one_here():
        refuse_taken_ports()
        with suppress(asyncio.CancelledError):
            async with supervise(write) as supervisor:
                await _start(supervisor)
                write(announcement())
                await asyncio.Event().wait()


async def _start(supervisor: Supervisor) -> None:
    await asyncio.gather(*_servers(supervisor), supervisor.finish(programs.django("migrate", "--verbosity", "0")))
    if settings.AWS_IS_EMBEDDED and await asyncio.to_thread(_has_no_organization):
        await supervisor.finish(programs.django("demo"))
    for program in (programs.web(), programs.worker(), programs.beat()):
        await supervisor.keep(program)
    await until(programs.web_answers, "web")


def _servers(supervisor: Supervisor) -> Iterator:
    if programs.needs_valkey():
        yield supervisor.serve(programs.valkey(), programs.valkey_answers)
    if settings.AWS_IS_EMBEDDED:
        yield supervisor.serve(programs.aws(), programs.aws_answers)


def _has_no_organization() -> bool:
    try:
        return not Organization.objects.exists()
    finally:
        # This thread is not used again, and its connection would stay open with it.
        connections.close_all()


def _end_on_signals() -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is in a task; this tells mypy.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end_once, task)


def _end_once(task: asyncio.Task) -> None:
    # A second Ctrl-C must not cut short the ending that the first one began.
    if not task.cancelling():
        task.cancel()


@contextmanager
def only_one_here() -> Iterator[None]:
    """Hold the folder: two portals with the same files would take each other's servers for their own.

    :raises CannotStart: when another one holds it.
    """
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Gatehouse already runs with the files in {settings.VAR_DIR}: "
                "stop it first, or set VAR_DIR to another folder."
            ) from None
        yield


def refuse_taken_ports() -> None:
    """Look at the ports before anything is started.

    :raises CannotStart: when another program listens on one of them.
    """
    refuse_taken_port(settings.PORT, "PORT")
    if settings.AWS_IS_EMBEDDED:
        refuse_taken_port(settings.AWS_PORT, "AWS_PORT")


def refuse_taken_port(port: int, setting: str) -> None:
    """Try to listen there for a moment.

    :raises CannotStart: when another program does.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}): set {setting} to a free one."
            ) from None
