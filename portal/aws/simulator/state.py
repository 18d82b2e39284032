"""What the embedded AWS holds, kept in a file over restarts."""

import logging
import os
import pickle
from pathlib import Path
from typing import Any

from moto.core.base_backend import BackendDict, backend_lock
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sts.models import sts_backends

from portal.aws.simulator.hub import PARTITION

logger = logging.getLogger(__name__)

KEPT: dict[str, BackendDict[Any]] = {
    "iam": iam_backends,
    "sts": sts_backends,
    "organizations": organizations_backends,
}
# Regional ones: of each account, by Region.
REGIONAL: dict[str, BackendDict[Any]] = {"secretsmanager": secretsmanager_backends}


def save(path: Path) -> None:
    """Write all accounts; a reader or a kill -9 sees the old file or the new one, never half of one."""
    held = {
        service: {account_id: accounts[PARTITION] for account_id, accounts in list(backends.items())}
        for service, backends in KEPT.items()
    }
    held |= {
        service: {account_id: dict(regions) for account_id, regions in list(backends.items())}
        for service, backends in REGIONAL.items()
    }
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(pickle.dumps(held, protocol=pickle.HIGHEST_PROTOCOL))
    beside.replace(path)


def load(path: Path) -> None:
    """Put back what was saved, in place of what is there.

    :raises pickle.UnpicklingError: when the file is not one that :func:`save` wrote.
    """
    held = pickle.loads(path.read_bytes())  # noqa: S301 -- our own file, in the portal's own folder
    with backend_lock:
        for service, accounts in held.items():
            for account_id, backend in accounts.items():
                regions = backend if service in REGIONAL else {PARTITION: backend}
                for name, kept in regions.items():
                    dict.__setitem__((KEPT | REGIONAL)[service][account_id], name, kept)
    logger.info("Loaded the embedded AWS from %s", path)


def clear() -> None:
    """Forget every account."""
    with backend_lock:
        for backends in (KEPT | REGIONAL).values():
            backends.clear()
