"""Figures for Prometheus, read from the database and the cache, so that every process tells the same."""

import ipaddress
from collections.abc import Iterator, Mapping
from functools import partial

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from accounts.models import Offboarding
from portal import health, heartbeat
from portal.aws import pace
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Head

# A tenth of a second is an idle lane, fifteen minutes the longest wait between two attempts.
SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
REFUSAL = "Ask from this machine, or with the token of METRICS_TOKEN."
# What only a proxy adds: whoever comes through one does not come from this machine, whatever the address says.
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_VIA",
)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures as text, for whoever shows the token or comes from loopback; others get 403."""
    if not (_shows_token(request) or _comes_from_loopback(request)):
        return HttpResponseForbidden(REFUSAL, content_type="text/plain; charset=utf-8")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_right = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return bool(settings.METRICS_TOKEN) and scheme.lower() == "bearer" and is_right


def _comes_from_loopback(request: HttpRequest) -> bool:
    # Behind a proxy on this machine everybody's address is loopback.
    if settings.TRUSTED_PROXIES or any(name in request.META for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META["REMOTE_ADDR"]).is_loopback
    except ValueError:
        return False


class Figures(Collector):
    """Everything that is told, read at the moment of asking."""

    def collect(self) -> Iterator[Metric]:
        """Deliveries, calls to AWS, entries, and who lives."""
        yield from _deliveries()
        yield _by_account("gatehouse_aws_calls", "Requests sent to AWS, repetitions included.", pace.calls())
        yield _by_account("gatehouse_aws_throttled", 'Answers "Throttling" of AWS.', pace.throttled())
        written = Head.objects.aggregate(Sum("sequence"))["sequence__sum"] or 0
        yield CounterMetricFamily("gatehouse_entries", "Entries in the ledger.", value=written)
        yield GaugeMetricFamily(
            "gatehouse_offboardings_late",
            "Offboardings of which AWS has not done everything after 15 minutes.",
            value=Offboarding.objects.late(database_now()).count(),
        )
        for name in (heartbeat.WORKER, heartbeat.BEAT):
            who = name.rpartition(":")[2]
            yield GaugeMetricFamily(
                f"gatehouse_{who}_up",
                f"1 where {who} lives.",
                value=int(health.holds(partial(heartbeat.is_left, name))),
            )


def _deliveries() -> Iterator[Metric]:
    by_state = GaugeMetricFamily("gatehouse_deliveries", "Deliveries by state.", labels=["state"])
    for state, count in Delivery.objects.count_by_state().items():
        by_state.add_metric([state], count)
    yield by_state
    yield GaugeMetricFamily(
        "gatehouse_oldest_due_seconds",
        "For how long the oldest delivery that may be carried has been due.",
        value=health.oldest_due_seconds(),
    )
    yield _delivery_seconds()


def _delivery_seconds() -> Metric:
    counts, seconds = Delivery.objects.count_by_seconds(SECONDS)
    limits = [*map(str, SECONDS), "+Inf"]
    buckets = [(limit, float(count)) for limit, count in zip(limits, counts, strict=True)]
    told = "From the entry to its arrival in AWS."
    return HistogramMetricFamily("gatehouse_delivery_seconds", told, buckets=buckets, sum_value=seconds)


def _by_account(name: str, told: str, counts: Mapping[str, int]) -> Metric:
    figure = CounterMetricFamily(name, told, labels=["account"])
    for account, count in sorted(counts.items()):
        figure.add_metric([account], count)
    return figure
