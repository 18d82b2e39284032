"""Whether the portal is alive, and whether it can do its work."""

import logging
from collections.abc import Callable
from functools import partial

from celery import current_app
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from portal import heartbeat
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery

logger = logging.getLogger(__name__)

# It is asked twice. Whoever asks whether the web is well waits for a few seconds, and a broker that hangs must not take
# it out of service.
BROKER_ANSWERS_WITHIN_SECONDS = 0.5
TIMEOUTS = {"socket_connect_timeout", "socket_timeout"}


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"live": True})


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database is there and migrated and the cache answers, else 503; says what else is missing.

    Broker, worker and beat are told and do not count: without them a decision is still taken and kept, and it is
    carried when they are back. A web server that is taken out of service for their sake would help nobody.
    """
    needed = {"database": holds(_database_is_migrated), "cache": holds(_cache_answers)}
    told = {
        "broker": holds(_broker_answers),
        "worker": needed["cache"] and holds(partial(heartbeat.is_left, heartbeat.WORKER)),
        "beat": needed["cache"] and holds(partial(heartbeat.is_left, heartbeat.BEAT)),
        "oldest_due_seconds": _oldest_due_seconds() if needed["database"] else None,
    }
    return JsonResponse({**needed, **told}, status=200 if all(needed.values()) else 503)


def oldest_due_seconds() -> float:
    """For how long the oldest delivery that may be carried has been due; 0 where none is."""
    now = database_now()
    since = Delivery.objects.due_since(now)
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _oldest_due_seconds() -> float | None:
    try:
        return round(oldest_due_seconds(), 3)
    except DatabaseError as error:
        logger.warning("Not ready: %s", error)
        return None


def holds(check: Callable[[], bool]) -> bool:
    """Whether it is so; what does not answer is a no."""
    try:
        return check()
    except (DatabaseError, RedisError, OperationalError) as error:
        logger.warning("Not ready: %s", error)
        return False


def _database_is_migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _cache_answers() -> bool:
    cache.set("health", "1", timeout=10)
    return cache.get("health") == "1"


def _broker_answers() -> bool:
    with current_app.connection_for_write() as broker:
        options = broker.transport_options or {}
        broker.transport_options = options | dict.fromkeys(TIMEOUTS & options.keys(), BROKER_ANSWERS_WITHIN_SECONDS)
        broker.ensure_connection(max_retries=1, interval_start=0)
    return True
