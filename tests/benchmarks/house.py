"""A portal for the benchmarks with a real installation's settings: SQLite, Valkey, the embedded AWS, a worker."""

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from portal.aws.simulator import hub
from tests import services
from tests.benchmarks import databases


@contextmanager
def running(folder: Path, *, latency_ms: float) -> Iterator[dict[str, str]]:
    """All of it, with one worker and an AWS that is so far away."""
    with (
        servers(folder, latency_ms=latency_ms) as env,
        services.running(services.start_worker(env, folder / "worker.log")),
    ):
        yield env


@contextmanager
def servers(
    folder: Path, *, latency_ms: float, users: int = 0, calls_per_second: float = 0
) -> Iterator[dict[str, str]]:
    """Start all but the worker below `folder`; the environment in which its processes see each other.

    AWS is the embedded one, so far away; it keeps nothing on disk, and with `users` it holds one account with so many
    IAM users instead of the demo. Of each account it takes `calls_per_second`, where that is not 0.
    """
    with ExitStack() as stack:
        valkey = services.start_valkey(folder / "valkey")
        stack.callback(valkey.stop)
        port = services.free_port()
        env = environment(folder, valkey.url, f"http://127.0.0.1:{port}")
        log = folder / "aws.log"
        far = [sys.executable, "-m", "tests.benchmarks.slow_aws", "--port", str(port), "--latency-ms", str(latency_ms)]
        far += ["--users", str(users), "--calls-per-second", str(calls_per_second)]
        aws = services.start(far, log=log, env=env)
        stack.enter_context(services.running(aws))
        services.wait_until(partial(services.listens, port), process=aws, log=log)
        databases.migrated(env)
        collected(env)
        yield env


def collected(env: dict[str, str]) -> None:
    """Put the static files where the portal of this environment serves them from."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, env=env, cwd=services.ROOT, check=True)


def environment(folder: Path, valkey: str, aws: str) -> dict[str, str]:
    """A real installation's settings, as the environment has them; a database may be given from outside."""
    own: Mapping[str, str] = {
        "DEBUG": "off",
        "VAR_DIR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SEALING_KEYS": f"v1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "PORTAL_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": os.environ.get("DATABASE_URL", f"sqlite:///{folder / 'gatehouse.sqlite3'}"),
        "CELERY_BROKER_URL": f"{valkey.replace('unix', 'redis+socket', 1)}?virtual_host=0",
        "CACHE_URL": f"{valkey}?db=1",
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
        "AWS_ENDPOINT_URL": aws,
        "AWS_SIGNIN_URL": f"{aws}/federation",
        "AWS_ACCESS_KEY_ID": hub.HUB_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": hub.HUB_SECRET_ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        # The pace protects AWS from the portal; here the portal itself is looked at.
        "AWS_CALLS_PER_SECOND": "1000",
        "AWS_CALLS_BURST": "1000",
    }
    return {**os.environ, **own}
