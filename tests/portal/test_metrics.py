"""The figures: who may read them, and that they are right."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils.crypto import constant_time_compare
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import Duty, Offboarding, Organization, Person
from accounts.usecases.offboarding import offboard_person
from portal import heartbeat, metrics
from portal.aws import connect
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, Target, record
from tests import factories
from tests.aws.server import AWS
from tests.aws.strict import Fault

LANE = "111122223333"
ELSEWHERE = "203.0.113.7"
TOKEN = "a-token-of-the-tests"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.ledger.doorbell.doorbell.ring", lambda deliveries: None)


def status(client: Client, **asked: str) -> int:
    """How it answers."""
    return client.get("/metrics", **asked).status_code  # type: ignore[arg-type]


def figures(client: Client) -> dict[tuple[str, ...], float]:
    """Every figure, by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_may_read_them(client: Client, address: str) -> None:
    assert status(client, REMOTE_ADDR=address) == 200


@pytest.mark.parametrize("address", [ELSEWHERE, "10.0.0.4", "2001:db8::1", "", "unix:"])
def test_another_machine_may_not(client: Client, settings: Any, address: str) -> None:
    assert status(client, REMOTE_ADDR=address) == 403
    settings.METRICS_TOKEN = TOKEN
    assert status(client, REMOTE_ADDR=address) == 403


def test_the_refusal_tells_nothing(client: Client) -> None:
    answer = client.get("/metrics", REMOTE_ADDR=ELSEWHERE)

    assert answer.content.decode() == metrics.REFUSAL


def test_whoever_shows_the_token_may_read_them(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    assert status(client, REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"])
@pytest.mark.parametrize("token", ["", TOKEN])
def test_another_token_or_none_is_refused(client: Client, settings: Any, token: str, shown: str) -> None:
    settings.METRICS_TOKEN = token

    assert status(client, REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION=shown) == 403


def test_the_token_is_compared_in_constant_time(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(shown: str, right: str) -> bool:
        compared.append(shown)
        return constant_time_compare(shown, right)

    monkeypatch.setattr(metrics, "constant_time_compare", compare)
    settings.METRICS_TOKEN = TOKEN

    assert status(client, REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == 200
    assert compared == [TOKEN]


def test_behind_a_proxy_loopback_is_everybody(client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXIES, settings.METRICS_TOKEN = 1, TOKEN

    assert status(client, REMOTE_ADDR="127.0.0.1") == 403
    assert status(client, REMOTE_ADDR="127.0.0.1", HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize("header", metrics.FORWARDED)
def test_a_proxy_that_nobody_declared_does_not_open_them(client: Client, header: str) -> None:
    assert status(client, **{"REMOTE_ADDR": "127.0.0.1", header: "127.0.0.1"}) == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_they_are_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/metrics").status_code == 405


def test_deliveries_are_counted_by_state_and_by_how_long_they_took(
    client: Client, acme: Organization, olive: Person
) -> None:
    now = database_now()
    names = tuple(f"arn:{name}" for name in "abcd")
    with transaction.atomic():
        record(
            organization=acme,
            kind="tests.thing.made",
            by=olive,
            subject=Subject("thing", "1", "arn:thing"),
            at=now - timedelta(seconds=90),
            deliver=tuple(Target(LANE, name) for name in names),
        )
    for name, seconds in (("arn:a", 0.2), ("arn:b", 4)):
        made = now - timedelta(seconds=90)
        done = Delivery.objects.filter(subject=name)
        done.update(state="done", created_at=made, done_at=made + timedelta(seconds=seconds))
    Delivery.objects.filter(subject="arn:c").update(state="stuck", stuck_kind="denied")

    told = figures(client)

    assert [told["gatehouse_deliveries", state] for state in Delivery.State.values] == [1, 0, 2, 0, 1, 0]
    assert 90 <= told["gatehouse_oldest_due_seconds",] < 120
    buckets = [told["gatehouse_delivery_seconds_bucket", limit] for limit in ("0.1", "0.25", "2.5", "5.0", "+Inf")]
    assert buckets == [0, 1, 1, 2, 2]
    assert told["gatehouse_delivery_seconds_count",] == 2
    assert told["gatehouse_delivery_seconds_sum",] == pytest.approx(4.2)
    assert told["gatehouse_entries_total",] == 1


def test_calls_to_aws_are_counted_by_account(client: Client, aws: AWS) -> None:
    aws.faults.inject("ListGroups", Fault.THROTTLE)

    connect.iam(aws.account(LANE)).list_groups()

    assert figures(client)["gatehouse_aws_calls_total", LANE] == 2
    assert figures(client)["gatehouse_aws_throttled_total", LANE] == 1


def test_they_say_who_lives(client: Client) -> None:
    heartbeat.beat_lives()

    told = figures(client)

    assert (told["gatehouse_worker_up",], told["gatehouse_beat_up",]) == (0, 1)


def test_an_offboarding_that_has_not_arrived_in_time_is_counted(
    client: Client, acme: Organization, olive: Person
) -> None:
    prod = factories.account(acme, LANE)
    mia = factories.member("mia@acme.test", Duty.MEMBER, of=acme)
    factories.iam_user(prod, "mia", owner=mia)
    begun = database_now() - timedelta(minutes=14)
    offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=begun)
    assert figures(client)["gatehouse_offboardings_late",] == 0

    Offboarding.objects.update(begun_at=begun - timedelta(minutes=2))

    assert figures(client)["gatehouse_offboardings_late",] == 1
