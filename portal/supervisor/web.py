"""gunicorn's configuration, for `manage.py up` and for the container alike."""

from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from portal.supervisor import tether

worker_class = "gthread"
workers = 2
threads = 8
# A connection that is kept stays with its worker: of eight browsers all may be one worker's, and the other core idle.
keepalive = 0
timeout = 60
graceful_timeout = 2
# Heartbeats go to memory: on a slow disk a worker that is well would be taken for one that hangs.
MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its own file there, unlinked at once.
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None
control_socket_disable = True


def post_fork(_arbiter: Arbiter, worker: Worker) -> None:
    """Let a worker die with gunicorn's main process: a worker that is left alone would keep the port."""
    tether.die_with_parent(worker.ppid)
