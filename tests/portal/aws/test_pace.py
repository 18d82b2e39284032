"""The pace of an account: shared by all, urgent first, slower where AWS says so, and never a reason to lose a call."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import LazySettings

from portal.aws import connect, errors, pace
from portal.aws.pace import Pace
from tests.aws.server import AWS
from tests.aws.strict import Fault

LANE, ANOTHER = "111122223333", "222233334444"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    pace._store_at.cache_clear()


def seconds(do: Callable[[], object]) -> float:
    """How long it takes."""
    begin = time.monotonic()
    do()
    return time.monotonic() - begin


def take(of: Pace, count: int = 1) -> None:
    """Take tokens one after another, as calls do."""
    for _ in range(count):
        of.take(operation_name="GetUser")


def test_a_burst_goes_at_once_and_then_it_is_so_many_a_second() -> None:
    lane = Pace(LANE, 5, 10)

    assert seconds(lambda: take(lane, 10)) < 1
    assert 0.5 < seconds(lambda: take(lane, 5)) < 3


def test_all_workers_together_keep_it() -> None:
    with ThreadPoolExecutor(8) as pool:
        spent = seconds(lambda: list(pool.map(lambda _: take(Pace(LANE, 50, 10), 5), range(8))))

    assert 0.55 < spent < 3


def test_accounts_have_a_bucket_each() -> None:
    take(Pace(LANE, 1, 5), 5)

    assert seconds(lambda: take(Pace(ANOTHER, 1, 5), 5)) < 1


def test_what_nobody_waits_for_leaves_a_reserve_while_somebody_does() -> None:
    lane = Pace(LANE, 1, 20)
    with pace.turn(is_urgent=True, seconds=0):
        take(lane)

    with pace.turn(is_urgent=False, seconds=0):
        take(lane, 14)
        with pytest.raises(pace.NotYet):
            take(lane)
    with pace.turn(is_urgent=True, seconds=0):
        take(lane, 5)


def test_what_nobody_waits_for_has_the_whole_bucket_where_nobody_waits() -> None:
    with pace.turn(is_urgent=False, seconds=0):
        take(Pace(LANE, 1, 20), 20)


def test_the_urgent_go_before_those_that_wait_already() -> None:
    lane = Pace(LANE, 10, 4)
    order: list[str] = []

    def go(name: str, *, is_urgent: bool) -> None:
        with pace.turn(is_urgent=is_urgent, seconds=20):
            take(lane)
        order.append(name)

    with pace.turn(is_urgent=True, seconds=0):
        take(lane, 4)
    with ThreadPoolExecutor(6) as pool:
        pool.submit(go, "bulk", is_urgent=False)
        time.sleep(0.05)
        for _ in range(5):
            pool.submit(go, "urgent", is_urgent=True)

    assert order == ["urgent"] * 5 + ["bulk"]


def test_a_call_whose_turn_would_come_too_late_is_not_sent() -> None:
    lane = Pace(LANE, 1, 1)
    take(lane)

    with pace.turn(is_urgent=True, seconds=0.2), pytest.raises(pace.NotYet) as refusal:
        take(lane)

    assert isinstance(refusal.value, errors.TryLater)
    assert not refusal.value.is_doubtful
    assert str(refusal.value).startswith("The account's pace is used up by other calls; GetUser waits for its turn")


def test_one_that_waits_in_vain_books_nothing() -> None:
    lane = Pace(LANE, 4, 1)
    take(lane)
    for _ in range(20):
        with pace.turn(is_urgent=True, seconds=0.01), pytest.raises(pace.NotYet):
            take(lane)

    assert seconds(lambda: take(lane)) < 2


def test_a_delivery_does_not_begin_where_calls_are_booked_ahead() -> None:
    assert pace.may_begin(LANE, is_urgent=True)
    with ThreadPoolExecutor(4) as pool:
        pool.map(lambda _: take(Pace(LANE, 4, 1), 1), range(5))
        time.sleep(0.1)
        assert not pace.may_begin(LANE, is_urgent=True)
        assert pace.may_begin(ANOTHER, is_urgent=True)

    assert pace.may_begin(LANE, is_urgent=True)
    assert pace.has_held_back(LANE)
    assert not pace.has_held_back(LANE)
    assert not pace.has_held_back(ANOTHER)


def test_a_throttled_account_is_called_half_as_often_and_no_other(aws: AWS, settings: LazySettings) -> None:
    settings.AWS_CALLS_PER_SECOND, settings.AWS_CALLS_BURST = 20.0, 5
    slow, quick = connect.iam(aws.account(LANE)), connect.iam(aws.account(ANOTHER))
    quick.list_groups()
    aws.faults.inject("CreateUser", Fault.THROTTLE)
    with pytest.raises(errors.TryLater):
        slow.create_user(user_name="mia", tags={}, permissions_boundary=None)

    took = seconds(lambda: [slow.list_groups() for _ in range(10)])
    assert 0.85 < took < 4
    assert seconds(lambda: [quick.list_groups() for _ in range(10)]) < 0.8 * took
    assert pace.throttled() == {LANE: 1}
    assert pace.calls() == {LANE: 11, ANOTHER: 11}


def test_each_repetition_takes_a_token(aws: AWS) -> None:
    iam = connect.iam(aws.account(LANE))
    aws.faults.inject("ListGroups", Fault.ERROR_BEFORE)

    iam.list_groups()

    assert pace.calls() == {LANE: len(aws.calls("ListGroups"))} == {LANE: 2}


def test_an_account_has_its_own_pace_where_it_is_set(aws: AWS) -> None:
    door = aws.account(LANE)
    iam = connect.iam(connect.Door(door.account_id, door.role_arn, door.external_id, 20, 1))
    iam.list_groups()

    assert 0.4 < seconds(lambda: [iam.list_groups() for _ in range(10)]) < 4


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "unix:///nowhere/at-all.sock?db=0"])
def test_a_cache_that_is_away_lets_calls_through(
    settings: LazySettings, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": address}}
    lane = Pace(LANE, 1, 1)

    assert seconds(lambda: take(lane, 50)) < 5
    assert pace.may_begin(LANE, is_urgent=False)
    assert not pace.has_held_back(LANE)
    assert pace.calls() == {}
    assert len([line for line in caplog.messages if "AWS is called without a pace" in line]) == 1


def test_a_cache_that_forgot_everything_begins_with_a_full_bucket() -> None:
    lane = Pace(LANE, 1, 3)
    take(lane, 3)
    pace.store()._redis.flushdb()

    assert seconds(lambda: take(lane, 3)) < 1


def test_the_bucket_goes_when_nobody_asks_for_it_and_not_before_it_is_full() -> None:
    lane = Pace(LANE, 2, 400)
    with pace.turn(is_urgent=False, seconds=0):
        take(lane, 400)

    assert 400 / 2 < pace.store()._redis.ttl(f"gatehouse:aws:pace:{LANE}") < 10 * 60
