"""Celery's tasks: each carries an id at most, and makes one call."""

import logging
import uuid
from typing import TypeGuard

from celery import shared_task

from portal.ledger import deliver as worker

logger = logging.getLogger(__name__)


def is_an_id(told: object, *, of: str) -> TypeGuard[int]:
    """Whether a task carried what an id of ours looks like; what did not is logged."""
    # True is an int to Python, and would be the first row's id.
    if isinstance(told, int) and not isinstance(told, bool):
        return True
    # Not the value: whatever somebody put into the broker does not belong in the log.
    logger.warning("A task carried a %s where the id of %s belongs", type(told).__name__, of)
    return False


def entrys_id(told: object) -> uuid.UUID | None:
    """The id of an entry that a task carried; None for what is none, which is logged."""
    try:
        return uuid.UUID(str(told))
    except ValueError:
        logger.warning("A task carried a %s where the id of an entry belongs", type(told).__name__)
        return None


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def deliver(delivery_id: object, **kwargs: object) -> None:
    """Carry one delivery, if it may be carried now; the broker is no store to trust, so its id is looked at first."""
    if is_an_id(delivery_id, of="a delivery"):
        worker.deliver(delivery_id)


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def sweep(**kwargs: object) -> None:
    """Take back what was stranded and ring for what is due; beat calls it every few seconds."""
    worker.sweep()
