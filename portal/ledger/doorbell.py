"""The doorbell: telling workers that a delivery may be carried now. It may fail; the sweep finds what nobody heard."""

import logging
import time
from collections.abc import Iterable

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from portal.ledger.models import Delivery

logger = logging.getLogger(__name__)

DELIVER = "portal.ledger.tasks.deliver"

# A broker that is away is not asked again for each of a hundred deliveries: every try may cost its connect timeout.
REST_SECONDS = 5.0


class Doorbell:
    """Rings once per delivery, and rests for a while after the broker did not answer."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    def ring(self, deliveries: Iterable[Delivery]) -> None:
        """Tell a worker of each delivery's queue; a broker that does not answer is logged and never raised."""
        if time.monotonic() < self._rests_until:
            return
        try:
            for delivery in deliveries:
                current_app.send_task(
                    DELIVER, args=[delivery.pk], queue=delivery.queue, retry=False, ignore_result=True
                )
        except OperationalError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            logger.warning("The broker did not answer (%s); the next sweep finds the deliveries", type(error).__name__)


doorbell = Doorbell()


def ring_on_commit(deliveries: Iterable[Delivery]) -> None:
    """Ring once the surrounding transaction is committed; whatever happens then, the commit stands."""
    rung = tuple(deliveries)

    # Not a partial: Django's robust hooks name the function that failed, and a partial has no name.
    def ring_for_these() -> None:
        ring(rung)

    if rung:
        transaction.on_commit(ring_for_these, robust=True)


def ring(deliveries: Iterable[Delivery]) -> None:
    """Ring now."""
    doorbell.ring(deliveries)
