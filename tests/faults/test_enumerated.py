"""Each AWS call of each kind of delivery, each fault, from a recorded trace: it arrives, once, or a human is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.client import BaseClient
from django.db import connection

from accounts.delivery import HANDLERS
from accounts.models import AccessKey, Account, GroupMembership, IAMCredential, IAMGroup, Offboarding, Person, Team
from accounts.usecases.deliveries import try_again
from accounts.usecases.offboarding import follow_offboardings
from portal.aws import calls, connect
from portal.aws.calls import Answer
from portal.ledger import doorbell, handlers
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.handlers import Handler
from portal.ledger.models import Delivery, Entry
from tests.accounts.carrying import Death
from tests.aws import direct
from tests.aws.server import AWS, Server
from tests.aws.strict import Call, Fault
from tests.faults import credentials, drifting, leaving, rotating, second_factors
from tests.faults.enumerated import (
    READING,
    SCENARIOS,
    House,
    Picture,
    assert_nothing_was_done_behind_the_ledger,
    assert_portal_and_aws_agree,
    quiesce,
)

FAULTS = (
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.ERROR_BEFORE,
    Fault.ERROR_AFTER,
    Fault.THROTTLE,
    Fault.DENY,
    Fault.READ_LAG,
    Fault.BUSY,
    Fault.EXPIRED,
)
EVERY = {
    **SCENARIOS,
    **drifting.SCENARIOS,
    **leaving.SCENARIOS,
    **credentials.SCENARIOS,
    **rotating.SCENARIOS,
    **second_factors.SCENARIOS,
}
# About no IAM user: each of their calls is broken in tests/accounts/delivery/test_boundaries.py.
OF_POLICIES = {kind for kind in map(str, HANDLERS) if kind.startswith("accounts.boundary.")}
each_scenario = pytest.mark.parametrize("name", EVERY)


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker: what is to be delivered is delivered by the test."""
    monkeypatch.setattr(doorbell.doorbell, "ring", lambda deliveries: None)


@pytest.fixture
def house(
    aws: AWS,
    aws_server: Server,
    prod: Account,
    payments: Team,
    ledger_writers: IAMGroup,
    olive: Person,
    lena: Person,
    tmp_path: Path,
) -> Iterator[House]:
    """Acme's first account, watched."""
    house = House(aws, aws_server.layer, prod, payments, olive, lena, tmp_path)
    aws_server.layer.watch = house.watch
    yield house
    aws_server.layer.watch = None


@pytest.fixture
def without_a_socket(monkeypatch: pytest.MonkeyPatch, aws_server: Server, house: House) -> None:
    """Hundreds of runs: each call goes straight into the AWS of the tests."""
    direct.connect(monkeypatch, aws_server.layer)


def recorded(house: House, name: str) -> tuple[list[Call], Picture]:
    """The calls of one delivery that nothing disturbs, and what AWS holds afterwards."""
    with house.fresh() as meant:
        EVERY[name].decide(house)
        quiesce()
        assert_it_arrived(house, name)
        assert_nothing_was_done_behind_the_ledger(house, meant)
        return list(house.aws.trace), _without_ids(house.picture())


def assert_it_arrived(house: House, name: str, picture: Picture | None = None) -> None:
    """Delivered; the portal says what AWS holds; and AWS holds what it would hold had nothing gone wrong."""
    scenario, delivery = EVERY[name], Delivery.objects.latest("pk")
    if scenario.help is not None and delivery.stuck_kind == Delivery.StuckKind.CONFLICT:
        scenario.help(house)
        try_again(by=house.olive, delivery=delivery, reason="I have looked at it.", at=database_now())
        quiesce()
        delivery.refresh_from_db()
    assert (delivery.state, delivery.error) == (Delivery.State.DONE, "")
    assert_portal_and_aws_agree(house)
    assert picture is None or _without_ids(house.picture()) == picture
    if scenario.check is not None:
        scenario.check(house)


def _without_ids(picture: Picture) -> Picture:
    """A user, key or device that is made in each run anew has another id in each."""
    users = {name: user | {"user_id": "", "keys": len(user["keys"])} for name, user in picture["users"].items()}
    return picture | {"users": users, "devices": len(picture["devices"])}


def _name(number: int, call: Call) -> str:
    return f"call {number + 1}, {call.operation}"


def test_every_kind_of_delivery_has_a_scenario() -> None:
    """A new kind is named here, until a scenario says how it is decided."""
    assert {str(kind) for kind in HANDLERS} - OF_POLICIES == {str(scenario.kind) for scenario in EVERY.values()}


@each_scenario
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("without_a_socket")
def test_whatever_goes_wrong_at_whichever_call_it_arrives_once(
    house: House, name: str, fault: Fault, subtests: pytest.Subtests
) -> None:
    EVERY[name].prepare(house)
    trace, picture = recorded(house, name)

    for number, call in enumerate(trace):
        with subtests.test(_name(number, call)), house.fresh() as meant:
            nth = sum(earlier.operation == call.operation for earlier in trace[: number + 1])
            EVERY[name].decide(house)
            house.aws.faults.inject(call.operation, fault, nth=nth, times=_times(call, fault))
            quiesce()
            if fault is Fault.DENY:
                assert_a_human_is_asked_and_can_help(house)
            assert_it_arrived(house, name, picture)
            assert_nothing_was_done_behind_the_ledger(house, meant)


def _times(call: Call, fault: Fault) -> int:
    """A read that botocore may repeat by itself is broken as often as it does, so that the portal notices."""
    is_repeated = call.operation.startswith(READING) and fault is not Fault.READ_LAG
    return connect.READ_ATTEMPTS if is_repeated and fault is not Fault.DENY else 1


def assert_a_human_is_asked_and_can_help(house: House) -> None:
    """It is stuck in words, and goes on where it was left once the permission is back."""
    delivery = Delivery.objects.latest("pk")
    assert delivery.state_in_words(database_now()) == "Stuck: AWS denied it"
    assert delivery.error.startswith("AWS denied ")
    try_again(by=house.olive, delivery=delivery, reason="The permission is back.", at=database_now())
    quiesce()


# A worker that dies


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, number: int, *, when: str) -> Iterator[None]:
    """The worker dies before its call of this number is sent, or once that is answered."""
    call, count = calls.call, 0

    def counted(client: BaseClient, operation: str, **parameters: object) -> Answer:
        nonlocal count
        if when == "before":
            count += 1
            _die_at(count, number)
        try:
            return call(client, operation, **parameters)
        finally:
            # Also where the answer is that nothing is there, as some reads expect.
            if when == "after":
                count += 1
                _die_at(count, number)

    with monkeypatch.context() as patch:
        patch.setattr(calls, "call", counted)
        yield


def _die_at(count: int, number: int) -> None:
    if count == number:
        raise Death


@each_scenario
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("without_a_socket")
def test_a_worker_that_dies_at_whichever_call_is_followed_by_one_that_finishes(
    house: House, name: str, when: str, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    EVERY[name].prepare(house)
    trace, picture = recorded(house, name)

    for number, call in enumerate(trace):
        with subtests.test(_name(number, call)), house.fresh() as meant:
            EVERY[name].decide(house)
            with dying(monkeypatch, number + 1, when=when), pytest.raises(Death):
                deliver_due()
            assert Delivery.objects.latest("pk").state == Delivery.State.CALLING
            quiesce()
            assert_it_arrived(house, name, picture)
            assert_nothing_was_done_behind_the_ledger(house, meant)


@each_scenario
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("without_a_socket")
def test_a_worker_that_dies_while_it_writes_the_outcome_down_leaves_nothing_of_it(
    house: House, name: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    EVERY[name].prepare(house)
    _, picture = recorded(house, name)

    with house.fresh() as meant:
        EVERY[name].decide(house)
        with monkeypatch.context() as patch:
            kind = EVERY[name].kind
            patch.setitem(handlers._handlers, str(kind), _dying_at_the_settlement(HANDLERS[kind], when))
            with pytest.raises(Death):
                deliver_due()
        assert Delivery.objects.latest("pk").state == Delivery.State.CALLING
        quiesce()
        assert_it_arrived(house, name, picture)
        assert_nothing_was_done_behind_the_ledger(house, meant)


def _dying_at_the_settlement(handler: Handler, when: str) -> Handler:
    def settle(entry: Entry, answer: object, at: object) -> None:
        if when == "after":
            handler.settle(entry, answer, database_now())
        raise Death

    return Handler(handler.carry, settle, handler.abandon)


# The entry comes first


@pytest.mark.django_db(transaction=True)
@each_scenario
def test_every_write_finds_its_entry_committed(house: House, name: str) -> None:
    """Seen from AWS: another thread with a connection of its own sees what is committed and nothing else."""
    EVERY[name].prepare(house)
    seen: list[tuple[str, int]] = []

    def look(call: Call) -> None:
        if not call.operation.startswith(READING):
            seen.append((call.operation, Entry.objects.filter(kind=EVERY[name].kind).count()))
        connection.close()

    house.layer.watch = look
    EVERY[name].decide(house)
    deliver_due()

    assert Delivery.objects.latest("pk").state == Delivery.State.DONE
    assert seen
    assert {count for _, count in seen} == {1}


@pytest.mark.usefixtures("without_a_socket")
def test_the_watch_notices_a_write_without_an_entry(house: House) -> None:
    """So that the checks above can fail."""
    with house.fresh():
        connect.iam(
            connect.Door(house.account.account_id, house.account.role_arn, house.account.external_id)
        ).create_user(user_name="nobodys", tags={}, permissions_boundary=None)

        assert house.breaches == ["CreateUser without an entry"]
        with pytest.raises(AssertionError):
            assert_portal_and_aws_agree(house)


# The whole of an offboarding, which takes two deliveries


def end_of_offboarding(house: House) -> None:
    """Carried to its end, with a human's "Try again" wherever one is asked for; then nothing of it is left."""
    quiesce()
    for delivery in Delivery.objects.stuck().order_by("pk"):
        try_again(by=house.olive, delivery=delivery, reason="The permission is back.", at=database_now())
        quiesce()
    follow_offboardings(at=database_now())
    assert Offboarding.objects.get().state == Offboarding.State.CONCLUDED
    assert house.picture() == {"users": {}, "devices": []}
    assert_portal_and_aws_agree(house)
    for model in (AccessKey.objects.present(), IAMCredential.objects.all(), GroupMembership.objects.all()):
        assert not model.exists()


WHATEVER = [*FAULTS, "death before", "death after"]
# Each call of each of the two deliveries is broken in each way above. Here what lies between them is looked at: each
# call is broken in every fourth way, and each way breaks every fourth call.
EVERY_FOURTH = 4


@pytest.mark.parametrize("fault", WHATEVER)
@pytest.mark.usefixtures("without_a_socket")
def test_an_offboarding_ends_with_nothing_wherever_it_is_broken(
    house: House, fault: Fault | str, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving.somebody_with_everything(house)
    with house.fresh() as meant:
        leaving.offboard(house, delay=timedelta())
        end_of_offboarding(house)
        assert_nothing_was_done_behind_the_ledger(house, meant)
        trace = list(house.aws.trace)

    for number, call in list(enumerate(trace))[WHATEVER.index(fault) % EVERY_FOURTH :: EVERY_FOURTH]:
        with subtests.test(_name(number, call)), house.fresh() as meant:
            leaving.offboard(house, delay=timedelta())
            if isinstance(fault, Fault):
                nth = sum(earlier.operation == call.operation for earlier in trace[: number + 1])
                house.aws.faults.inject(call.operation, fault, nth=nth, times=_times(call, fault))
            else:
                with dying(monkeypatch, number + 1, when=fault.removeprefix("death ")), pytest.raises(Death):
                    deliver_due()
            end_of_offboarding(house)
            assert_nothing_was_done_behind_the_ledger(house, meant)
