"""The portal's settings with every logger at its loudest, those too that are told to keep quiet."""

from celery.signals import setup_logging

from portal.settings import *  # noqa: F403
from portal.settings import LOGGING

LOUD = (
    "django", "django.server", "celery", "celery.worker.strategy", "celery.app.trace", "kombu", "boto3", "botocore",
    "urllib3",
)  # fmt: skip
LOGGING = {
    **LOGGING,
    "root": {"handlers": ["console"], "level": "DEBUG"},
    "loggers": {name: {"level": "DEBUG"} for name in LOUD},
}


@setup_logging.connect(weak=False)
def leave_the_levels(**_told: object) -> None:
    """Somebody listens here, so a worker leaves logging as it is: it would set the root's level to its own."""
