"""The calls by which a rotation's new key is made: two of them, and never for another IAM user of the same name."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import AccessKey, Account, Person, Rotation
from accounts.usecases import rotation as steps
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests.accounts.carrying import age, deliver_until_quiet
from tests.accounts.delivery.test_baseline import let_the_quiet_time_pass
from tests.accounts.delivery.test_rotation import NAME, old_key, statuses
from tests.aws.server import AWS
from tests.aws.strict import Fault

__all__ = ["old_key"]


@pytest.fixture
def started(old_key: AccessKey, mia: Person) -> Rotation:
    """Decided, and not carried yet."""
    return steps.start_rotation(by=mia, access_key=old_key, at=database_now())


def test_it_takes_two_calls(aws: AWS, iam: Any, started: Rotation) -> None:
    aws.trace.clear()

    assert deliver_until_quiet().state == Delivery.State.DONE

    called = [call.operation for call in aws.trace if call.operation != "AssumeRole"]
    assert called == ["ListAccessKeys", "CreateAccessKey"]


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE, Fault.DROP_BEFORE])
def test_a_lost_answer_ends_in_one_new_key_whose_secret_waits(
    aws: AWS, iam: Any, old_key: AccessKey, started: Rotation, fault: Fault
) -> None:
    aws.faults.inject("CreateAccessKey", fault)
    deliver_until_quiet()
    let_the_quiet_time_pass()

    assert deliver_until_quiet().state == Delivery.State.DONE

    started.refresh_from_db()
    assert started.new_key is not None
    assert statuses(iam) == {old_key.access_key_id: "Active", started.new_key.access_key_id: "Active"}
    assert SealedSecret.objects.filter(state="ready").count() == 1


def test_another_user_of_the_same_name_gets_no_key(
    aws: AWS, iam: Any, prod: Account, old_key: AccessKey, started: Rotation
) -> None:
    iam.delete_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id)
    iam.delete_user(UserName=NAME)
    iam.create_user(UserName=NAME)
    age(aws, prod, NAME)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "outdated")
    assert "No key was made" in delivery.error
    assert statuses(iam) == {}


def test_an_old_key_that_is_so_new_that_aws_may_not_show_it_is_waited_for(
    iam: Any, old_key: AccessKey, started: Rotation
) -> None:
    AccessKey.objects.filter(pk=old_key.pk).update(create_date=database_now() - timedelta(minutes=1))
    iam.delete_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id)

    delivery = deliver_until_quiet()

    assert delivery.state == "waiting"
    assert statuses(iam) == {}
