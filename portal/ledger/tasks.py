"""Celery's tasks: each carries an id at most, and makes one call."""

import logging

from celery import shared_task

from portal.ledger import deliver as worker

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def deliver(delivery_id: object, **kwargs: object) -> None:
    """Carry one delivery, if it may be carried now; the broker is no store to trust, so its id is looked at first."""
    if not isinstance(delivery_id, int):
        # Not the value: whatever somebody put into the broker does not belong in the log.
        logger.warning("A task carried a %s where a delivery's id belongs", type(delivery_id).__name__)
        return
    worker.deliver(delivery_id)


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def sweep(**kwargs: object) -> None:
    """Take back what was stranded and ring for what is due; beat calls it every few seconds."""
    worker.sweep()
