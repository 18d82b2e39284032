"""Making what has no idempotent form: one more in the end, its secret known, and nothing of anybody else's deleted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from moto.iam.models import AccessKeyLastUsed

from accounts.delivery import baseline, held
from accounts.models import Account, Person, Team
from portal.aws.iam import IAM
from portal.ledger import deliver as worker
from portal.ledger import handlers
from portal.ledger.clock import database_now
from portal.ledger.handlers import Handler
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Subject, Target, record
from tests import factories
from tests.accounts.carrying import Death, deliver_until_quiet
from tests.aws.lag import Lag
from tests.aws.server import AWS
from tests.aws.strict import LAGGING_READS, Fault

NAME = "ledger-writer"
THINGS = ["access key", "login profile", "virtual MFA device"]
OPERATIONS = dict(zip(THINGS, ["CreateAccessKey", "CreateLoginProfile", "CreateVirtualMFADevice"], strict=True))
DOUBTS = [Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE]
CERTAIN = [Fault.THROTTLE, Fault.BUSY, Fault.DENY]


class Maker:
    """A kind of delivery that makes one thing; `told` are the secrets that reached the portal's rows."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def carry(self, entry: Entry, delivery: Delivery) -> object:
        iam_user = held.subject_of(entry)
        return baseline.make_once(thing(held.iam_of(iam_user.account), entry.kind), delivery=delivery)

    def settle(self, entry: Entry, answer: object, at: datetime) -> None:
        self.told.append(answer)


def thing(iam: IAM, kind: str) -> baseline.Unrepeatable[Any]:
    if kind == "access key":
        return baseline.access_key(iam, user_name=NAME)
    if kind == "login profile":
        return baseline.login_profile(iam, user_name=NAME, password="correct horse battery", is_to_be_changed=True)
    return baseline.virtual_mfa_device(iam, name=NAME, tags={"gatehouse:entry": "1"})


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Maker:
    maker = Maker()
    monkeypatch.setattr(handlers, "_handlers", {name: Handler(maker.carry, maker.settle) for name in THINGS})
    return maker


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the user in it."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    return outside


@pytest.fixture
def decide(maker: Maker, iam: Any, prod: Account, payments: Team, lena: Person) -> Callable[[str], None]:
    """Lena decides that the thing shall be made."""
    row = factories.iam_user(prod, NAME, team=payments)

    def decide(kind: str) -> None:
        subject, target = Subject("iam_user", str(row.pk), row.arn), Target(prod.account_id, row.arn)
        with transaction.atomic():
            record(
                organization=prod.organization,
                kind=kind,
                by=lena,
                subject=subject,
                at=database_now(),
                deliver=(target,),
            )

    return decide


def keys(iam: Any) -> list[str]:
    return sorted(key["AccessKeyId"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"])


def kept() -> dict[str, Any]:
    """What is committed about the call."""
    return Delivery.objects.get().baseline or {}


def let_the_quiet_time_pass() -> None:
    long_ago = (database_now() - held.QUIET_TIME - timedelta(seconds=1)).isoformat()
    Delivery.objects.update(baseline=kept() | {"called_at": long_ago})


def assert_one_was_made_and_is_known(iam: Any, maker: Maker, *before: str) -> None:
    [made] = maker.told
    assert keys(iam) == sorted([*before, made.access_key_id])
    assert Delivery.objects.get().state == Delivery.State.DONE


def assert_a_human_is_asked(words: str) -> Delivery:
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert words in delivery.error
    return delivery


@pytest.mark.parametrize("kind", THINGS)
def test_it_is_made_with_one_call(aws: AWS, decide: Callable[[str], None], maker: Maker, kind: str) -> None:
    decide(kind)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert len(maker.told) == len(aws.calls(OPERATIONS[kind])) == 1


@pytest.mark.parametrize("kind", THINGS)
def test_what_was_there_is_committed_before_the_call(
    aws: AWS, decide: Callable[[str], None], iam: Any, kind: str
) -> None:
    there = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    decide(kind)
    aws.faults.inject(OPERATIONS[kind], Fault.DROP_BEFORE)

    worker.deliver_due()

    assert kept()["there"] == ([there] if kind == "access key" else [])
    assert kept()["called_at"] <= database_now().isoformat()


@pytest.mark.parametrize("fault", DOUBTS)
def test_the_key_of_a_lost_answer_is_deleted_and_another_is_made(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any, fault: Fault
) -> None:
    before = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    decide("access key")
    aws.faults.inject("CreateAccessKey", fault)

    worker.deliver_due()
    [orphan] = set(keys(iam)) - {before}
    deliver_until_quiet()

    assert_one_was_made_and_is_known(iam, maker, before)
    assert [call.parameters["AccessKeyId"] for call in aws.calls("DeleteAccessKey")] == [orphan]
    assert len(aws.calls("CreateAccessKey")) == 2


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_the_key_of_a_worker_that_died_is_deleted_and_another_is_made(
    decide: Callable[[str], None], maker: Maker, iam: Any, calls: int, dying: Callable[[int], None]
) -> None:
    decide("access key")

    dying(calls)
    with pytest.raises(Death):
        worker.deliver_due()
    Delivery.objects.update(lease_until=database_now() - timedelta(seconds=1))
    deliver_until_quiet()

    assert_one_was_made_and_is_known(iam, maker)


@pytest.mark.parametrize("fault", CERTAIN)
def test_a_call_that_certainly_did_nothing_is_made_again_without_waiting(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any, fault: Fault
) -> None:
    decide("access key")
    aws.faults.inject("CreateAccessKey", fault)
    worker.deliver_due()
    assert kept()["called_at"] is None
    theirs = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]

    delivery = deliver_until_quiet()
    if delivery.state == Delivery.State.STUCK:
        worker.retry(delivery=delivery)
        deliver_until_quiet()

    assert_one_was_made_and_is_known(iam, maker, theirs)


def test_where_nothing_shows_a_while_passes_before_another_call(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any
) -> None:
    """The list may be behind: a second key would leave the first one, which nobody knows, for ever."""
    decide("access key")
    aws.faults.inject("CreateAccessKey", Fault.DROP_BEFORE)
    worker.deliver_due()

    assert deliver_until_quiet().state == Delivery.State.WAITING
    assert len(aws.calls("CreateAccessKey")) == 1
    assert "may not be shown yet" in Delivery.objects.get().error

    let_the_quiet_time_pass()
    deliver_until_quiet()
    assert_one_was_made_and_is_known(iam, maker)


def test_a_key_that_a_lagging_list_hides_is_found_later(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any
) -> None:
    decide("access key")
    aws.faults.lag = Lag.now("111122223333", reads=LAGGING_READS)
    aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)
    worker.deliver_due()

    deliver_until_quiet()
    assert len(aws.calls("ListAccessKeys")) > LAGGING_READS

    assert_one_was_made_and_is_known(iam, maker)


# What is not ours, or may not be


def in_doubt(aws: AWS, decide: Callable[[str], None], *, fault: Fault = Fault.DROP_BEFORE) -> None:
    """The call was made, and nobody knows whether it did anything."""
    decide("access key")
    aws.faults.inject("CreateAccessKey", fault)
    worker.deliver_due()


def test_a_key_that_was_used_is_left_for_a_human(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any, prod: Account
) -> None:
    in_doubt(aws, decide)
    theirs = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    key = aws.backend(prod.account_id).users[NAME].access_keys[0]
    key.last_used = AccessKeyLastUsed(timestamp=datetime.now(), service="s3", region="eu-central-1")  # noqa: DTZ005 -- moto's

    deliver_until_quiet()

    delivery = assert_a_human_is_asked(theirs)
    assert keys(iam) == [theirs]
    worker.retry(delivery=delivery)
    deliver_until_quiet()
    assert_one_was_made_and_is_known(iam, maker, theirs)


def test_a_key_that_is_older_than_the_call_is_left_for_a_human(
    aws: AWS, decide: Callable[[str], None], iam: Any, prod: Account
) -> None:
    """The list before the call was behind, and did not show it."""
    in_doubt(aws, decide)
    theirs = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    aws.backend(prod.account_id).users[NAME].access_keys[0].create_date -= timedelta(minutes=2)

    deliver_until_quiet()

    assert_a_human_is_asked(theirs)
    assert keys(iam) == [theirs]


def test_of_two_new_keys_one_is_somebody_elses_and_both_are_left(
    aws: AWS, decide: Callable[[str], None], iam: Any
) -> None:
    in_doubt(aws, decide, fault=Fault.DROP_AFTER)
    theirs = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]

    deliver_until_quiet()

    assert_a_human_is_asked(theirs)
    assert len(keys(iam)) == 2
    assert aws.calls("DeleteAccessKey") == []


@pytest.mark.parametrize("status", ["Active", "Inactive"])
def test_of_two_keys_that_were_there_none_is_deleted_for_a_third(
    aws: AWS, decide: Callable[[str], None], iam: Any, status: str
) -> None:
    there = [iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.update_access_key(UserName=NAME, AccessKeyId=there[0], Status=status)
    decide("access key")

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "AccessKeysPerUser" in delivery.error
    assert keys(iam) == sorted(there)


@pytest.mark.parametrize("fault", DOUBTS)
def test_a_doubtful_password_is_put_to_a_human(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any, fault: Fault
) -> None:
    decide("login profile")
    aws.faults.inject("CreateLoginProfile", fault)

    deliver_until_quiet()

    delivery = assert_a_human_is_asked(NAME)
    assert len(aws.calls("CreateLoginProfile")) == 1
    iam.delete_login_profile(UserName=NAME)
    worker.retry(delivery=delivery)
    let_the_quiet_time_pass()
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert len(maker.told) == 1


@pytest.mark.parametrize("fault", DOUBTS)
def test_a_doubtful_device_has_a_name_of_the_portals_own_and_is_made_again(
    aws: AWS, decide: Callable[[str], None], maker: Maker, iam: Any, fault: Fault
) -> None:
    decide("virtual MFA device")
    aws.faults.inject("CreateVirtualMFADevice", fault)

    assert deliver_until_quiet().state == Delivery.State.DONE

    [made], [there] = maker.told, iam.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert (made.serial_number, made.base32_string_seed) == (there["SerialNumber"], there["Base32StringSeed"].decode())
    assert len(aws.calls("DeleteVirtualMFADevice")) == 1


def test_a_password_that_somebody_set_before_is_a_conflict_and_stays(
    decide: Callable[[str], None], maker: Maker, iam: Any
) -> None:
    iam.create_login_profile(UserName=NAME, Password="theirs, and it stays")
    decide("login profile")

    deliver_until_quiet()

    assert_a_human_is_asked("already has password")
    assert iam.get_login_profile(UserName=NAME)["LoginProfile"]["UserName"] == NAME
    assert maker.told == []


def test_no_secret_is_in_the_delivery_or_the_log(
    aws: AWS, decide: Callable[[str], None], maker: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="portal")
    decide("access key")
    aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)

    deliver_until_quiet()

    [made] = maker.told
    assert made.secret_access_key not in str(Delivery.objects.values().get()) + caplog.text + repr(made)
