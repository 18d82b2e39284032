"""The portal's settings with every logger at its loudest, those too that are told to keep quiet."""

from typing import Any

from celery.signals import setup_logging

from portal.settings import *  # noqa: F403
from portal.settings import LOGGING

LOGGING: dict[str, Any] = {  # type: ignore[no-redef]
    **LOGGING,
    "root": {"handlers": ["console"], "level": "DEBUG"},
    "loggers": {name: {"level": "DEBUG"} for name in (*LOGGING["loggers"], "django", "celery", "kombu", "urllib3")},
}


@setup_logging.connect(weak=False)
def leave_the_levels(**_told: object) -> None:
    """Somebody listens here, so a worker leaves logging as it is: it would set the root's level to its own."""
