"""Carrying "Make key inactive", "Make key active" and "Delete access key" outside a rotation."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AccessKey, Account, Person
from accounts.usecases import access_keys
from accounts.usecases.deliveries import try_again
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from tests.accounts.carrying import Death, deliver_until_quiet, rename
from tests.accounts.delivery.rotating import HOUR, NAME, old_key, outdated, statuses
from tests.aws.server import AWS
from tests.aws.strict import Fault

__all__ = ["old_key"]

Decide = Callable[..., AccessKey]
# Each with the operation that it needs, the status before and the one after.
CHANGES: dict[str, tuple[Decide, str, str, str | None]] = {
    "make inactive": (access_keys.make_key_inactive, "UpdateAccessKey", "Active", "Inactive"),
    "make active": (access_keys.make_key_active, "UpdateAccessKey", "Inactive", "Active"),
    "delete": (access_keys.delete_access_key, "DeleteAccessKey", "Inactive", None),
}
each_change = pytest.mark.parametrize("name", CHANGES)


def decide(name: str, iam: Any, access_key: AccessKey, by: Person, *, is_old: bool = True) -> None:
    """Let AWS and the portal hold the key as it must be before, and decide."""
    change, _, before, _ = CHANGES[name]
    iam.update_access_key(UserName=NAME, AccessKeyId=access_key.access_key_id, Status=before)
    made_at = database_now() - HOUR if is_old else database_now()
    AccessKey.objects.filter(pk=access_key.pk).update(status=before, create_date=made_at)
    change(by=by, access_key=AccessKey.objects.get(pk=access_key.pk), at=database_now())


def assert_it_arrived(name: str, iam: Any, access_key: AccessKey) -> None:
    after = CHANGES[name][3]
    access_key.refresh_from_db()
    assert Delivery.objects.get().state == Delivery.State.DONE
    assert statuses(iam) == ({} if after is None else {access_key.access_key_id: after})
    assert (access_key.gone_at is not None, access_key.source) == (after is None, "list_access_keys")
    assert after is None or access_key.status == after
    assert access_key.read_at is not None
    assert access_key.read_at <= database_now()


@each_change
def test_it_is_carried(iam: Any, old_key: AccessKey, lena: Person, name: str) -> None:
    decide(name, iam, old_key, lena)

    deliver_until_quiet()

    assert_it_arrived(name, iam, old_key)


@each_change
@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER])
def test_it_waits_and_is_repeated(
    aws: AWS, iam: Any, old_key: AccessKey, lena: Person, name: str, fault: Fault
) -> None:
    decide(name, iam, old_key, lena)
    aws.faults.inject(CHANGES[name][1], fault)
    deliver_due()
    assert Delivery.objects.get().state == Delivery.State.WAITING

    deliver_until_quiet()

    assert_it_arrived(name, iam, old_key)


@each_change
def test_what_aws_denies_asks_a_human_and_goes_on(
    aws: AWS, iam: Any, old_key: AccessKey, lena: Person, olive: Person, name: str
) -> None:
    decide(name, iam, old_key, lena)
    aws.faults.inject(CHANGES[name][1], Fault.DENY)
    delivery = deliver_until_quiet()
    assert delivery.state_in_words(database_now()) == "Stuck: AWS denied it"
    assert statuses(iam) == {old_key.access_key_id: CHANGES[name][2]}

    try_again(by=olive, delivery=delivery, reason="The permission is back", at=database_now())
    deliver_until_quiet()

    assert_it_arrived(name, iam, old_key)


@each_change
def test_a_worker_that_dies_is_followed_by_one_that_finishes(
    iam: Any, old_key: AccessKey, lena: Person, name: str, dying: Callable[[int], None]
) -> None:
    decide(name, iam, old_key, lena)
    # AssumeRole, GetUser, for a deletion ListAccessKeys, and the change.
    dying(4 if name == "delete" else 3)
    with pytest.raises(Death):
        deliver_due()
    assert statuses(iam) == ({} if name == "delete" else {old_key.access_key_id: CHANGES[name][3]})

    deliver_due(at=database_now() + HOUR)

    assert_it_arrived(name, iam, old_key)


@pytest.mark.parametrize("name", ["make inactive", "delete"])
def test_a_key_that_is_gone_already_is_gone(iam: Any, old_key: AccessKey, lena: Person, name: str) -> None:
    decide(name, iam, old_key, lena)
    iam.delete_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id)

    assert deliver_until_quiet().state == Delivery.State.DONE
    old_key.refresh_from_db()
    assert old_key.gone_at is not None


def test_a_key_that_is_gone_does_not_become_active(iam: Any, old_key: AccessKey, lena: Person) -> None:
    decide("make active", iam, old_key, lena)
    iam.delete_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id)

    assert "so it cannot be made active again" in outdated(deliver_until_quiet())


def test_a_key_that_somebody_made_active_again_is_not_deleted(iam: Any, old_key: AccessKey, lena: Person) -> None:
    decide("delete", iam, old_key, lena)
    iam.update_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id, Status="Active")

    assert "is active in AWS, so it was not deleted. Make it inactive first" in outdated(deliver_until_quiet())
    assert statuses(iam) == {old_key.access_key_id: "Active"}


@each_change
def test_a_key_that_was_made_a_moment_ago_and_is_not_found_may_not_be_seen_yet(
    aws: AWS, iam: Any, old_key: AccessKey, lena: Person, name: str
) -> None:
    decide(name, iam, old_key, lena, is_old=False)
    aws.faults.inject(CHANGES[name][1], Fault.ABSENT)
    deliver_due()
    old_key.refresh_from_db()
    assert (Delivery.objects.get().state, old_key.gone_at) == (Delivery.State.WAITING, None)

    deliver_until_quiet()

    assert_it_arrived(name, iam, old_key)


@each_change
def test_another_iam_user_of_the_name_is_left_alone(
    aws: AWS, iam: Any, prod: Account, old_key: AccessKey, lena: Person, name: str
) -> None:
    decide(name, iam, old_key, lena)
    iam.create_user(UserName="another")
    rename(aws, prod, (NAME, "moved"), ("another", NAME))

    delivery = deliver_until_quiet()

    assert delivery.state_in_words(database_now()) == "Stuck: AWS holds something else"
    assert "was deleted and made again outside the portal" in delivery.error
    assert aws.calls(CHANGES[name][1]) == []
