"""Celery's tasks: each carries an id at most, and makes one call."""

from celery import shared_task

from portal.ledger import deliver as worker


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def deliver(delivery_id: int, **kwargs: object) -> None:
    """Carry one delivery, if it may be carried now."""
    worker.deliver(delivery_id)


@shared_task(ignore_result=True, acks_late=True, reject_on_worker_lost=True)
def sweep(**kwargs: object) -> None:
    """Take back what was stranded and ring for what is due; beat calls it every few seconds."""
    worker.sweep()
