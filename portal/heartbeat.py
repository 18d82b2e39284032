"""Signs of life that a worker and beat leave in the cache, for `/health/ready` and `/metrics`."""

import logging
from typing import Any

from celery import signals
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from portal.conf.celery import SWEEP

logger = logging.getLogger(__name__)

WORKER = "heartbeat:worker"
BEAT = "heartbeat:beat"
# Celery's workers beat every two seconds, as long as they have their broker.
WORKER_IS_SILENT_AFTER_SECONDS = 15
SWEEPS_MISSED = 3


def connect() -> None:
    """Have Celery leave them: a worker with each heartbeat of its own, beat whenever it has sent a sweep."""
    signals.heartbeat_sent.connect(worker_lives, dispatch_uid=WORKER)
    # Only beat sends sweeps; where workers are dead it still does, and so the two are told apart.
    signals.after_task_publish.connect(beat_lives, sender=SWEEP, dispatch_uid=BEAT)


def worker_lives(**_signal: Any) -> None:  # Any: what a signal carries is Celery's
    """A worker lives and has its broker."""
    _leave(WORKER, WORKER_IS_SILENT_AFTER_SECONDS)


def beat_lives(**_signal: Any) -> None:  # Any: what a signal carries is Celery's
    """Beat lives and has its broker."""
    _leave(BEAT, int(SWEEPS_MISSED * settings.SWEEP_SECONDS) + 1)


def is_left(name: str) -> bool:
    """Whether the sign was left lately.

    :raises redis.exceptions.RedisError: when the cache does not answer.
    """
    return cache.get(name) is not None


def _leave(name: str, seconds: int) -> None:
    try:
        cache.set(name, 1, timeout=seconds)
    except RedisError as error:
        logger.warning("The cache did not take a sign of life (%s)", type(error).__name__)
