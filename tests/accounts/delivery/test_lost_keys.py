"""Giving up the creation of an access key whose answer was lost: no key is left that nobody knows of."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.delivery import baseline, held
from accounts.kinds import Kind
from accounts.models import AccessKey, Account, IAMUser, Person
from accounts.usecases import first_keys
from accounts.usecases.deliveries import give_up, try_again
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery, Entry
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import Death, deliver_until_quiet
from tests.aws.lag import Lag
from tests.aws.server import AWS
from tests.aws.strict import LAGGING_READS, Fault

NAME = "ledger-writer"
DOUBTS = [Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE]


def key_ids(iam: Any) -> list[str]:
    return sorted(key["AccessKeyId"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"])


def made_there(iam: Any) -> str:
    """A key of somebody else's."""
    made: str = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
    return made


def in_doubt(aws: AWS, lena: Person, mias: IAMUser, *, fault: Fault) -> Delivery:
    """The call was made once, and nobody knows whether it did anything."""
    first_keys.create_access_key(by=lena, iam_user=mias, at=database_now())
    aws.faults.inject("CreateAccessKey", fault)
    deliver_due()
    return Delivery.objects.get(entry__kind=Kind.ACCESS_KEY_CREATED)


def given_up(delivery: Delivery, olive: Person) -> Delivery:
    """Olive gives it up; the search that follows."""
    give_up(by=olive, delivery=delivery, reason="Not needed", at=database_now())
    return Delivery.objects.get(entry__kind=Kind.ACCESS_KEY_CLEARED_UP)


def let_the_quiet_time_pass() -> None:
    """Since the call, where it is in doubt still."""
    long_ago = (database_now() - held.QUIET_TIME - timedelta(seconds=1)).isoformat()
    for delivery in Delivery.objects.filter(state=Delivery.State.WAITING):
        Delivery.objects.filter(pk=delivery.pk).update(baseline={**(delivery.baseline or {}), "called_at": long_ago})


@pytest.mark.parametrize("fault", DOUBTS)
def test_the_key_of_a_lost_answer_goes_when_its_creation_is_given_up(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser, fault: Fault
) -> None:
    theirs = made_there(iam)
    delivery = in_doubt(aws, lena, mias, fault=fault)
    assert len(key_ids(iam)) == 2

    search = given_up(delivery, olive)
    assert deliver_until_quiet() == search

    assert (Delivery.objects.get(pk=search.pk).state, key_ids(iam)) == (Delivery.State.DONE, [theirs])
    assert Entry.objects.get(kind=Kind.ACCESS_KEY_CLEARED_UP).details["there"] == [theirs]
    assert not SealedSecret.objects.exists()


def test_a_key_that_was_read_meanwhile_is_told_to_be_gone(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser
) -> None:
    delivery = in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER)
    [lost] = key_ids(iam)
    factories.access_key(mias, access_key_id=lost)

    given_up(delivery, olive)
    deliver_until_quiet()

    assert AccessKey.objects.get(access_key_id=lost).gone_at is not None


def test_what_certainly_made_nothing_is_given_up_without_a_search(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser
) -> None:
    delivery = in_doubt(aws, lena, mias, fault=Fault.DENY)

    give_up(by=olive, delivery=delivery, reason="Not needed", at=database_now())

    assert not Entry.objects.filter(kind=Kind.ACCESS_KEY_CLEARED_UP).exists()
    assert key_ids(iam) == []


def test_where_nothing_shows_it_looks_until_that_is_believed(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser
) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_BEFORE), olive)
    assert deliver_until_quiet().state == Delivery.State.WAITING

    let_the_quiet_time_pass()

    assert deliver_until_quiet() == search
    assert Delivery.objects.get(pk=search.pk).state == Delivery.State.DONE
    assert aws.calls("DeleteAccessKey") == []


def test_a_key_that_a_lagging_list_hides_is_found_later(
    aws: AWS, iam: Any, prod: Account, olive: Person, lena: Person, mias: IAMUser
) -> None:
    aws.faults.lag = Lag.now(prod.account_id, reads=LAGGING_READS)
    given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)

    deliver_until_quiet()

    assert key_ids(iam) == []


# What is not certainly the lost one stays, and is told in words


def assert_told_and_left(iam: Any, search: Delivery, *left: str) -> None:
    search.refresh_from_db()
    assert (search.state, search.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert all(key in search.error for key in left)
    assert search.error.endswith("Delete it in AWS if it is nobody's, then try again.")
    assert set(left) <= set(key_ids(iam))


def test_of_two_new_keys_both_are_left(aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)
    made_there(iam)

    deliver_until_quiet()

    assert_told_and_left(iam, search, *key_ids(iam))
    assert aws.calls("DeleteAccessKey") == []


@pytest.mark.parametrize("by", [timedelta(minutes=-2), 2 * held.QUIET_TIME + timedelta(minutes=1)])
def test_a_key_that_was_made_at_another_time_is_left(
    aws: AWS, iam: Any, prod: Account, olive: Person, lena: Person, mias: IAMUser, by: timedelta
) -> None:
    """Days may lie between the call and the decision to give it up."""
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_BEFORE), olive)
    theirs = made_there(iam)
    aws.backend(prod.account_id).users[NAME].access_keys[0].create_date += by

    deliver_until_quiet()

    assert_told_and_left(iam, search, theirs)
    try_again(by=olive, delivery=search, reason="It is Mia's", at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert key_ids(iam) == [theirs]


def test_the_search_is_given_up_only_once_it_has_said_what_it_found(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser
) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)

    with pytest.raises(ValidationError, match="has not looked yet"):
        give_up(by=olive, delivery=search, reason="Never mind", at=database_now())
    made_there(iam)
    deliver_until_quiet()
    search.refresh_from_db()
    give_up(by=olive, delivery=search, reason="I know both", at=database_now())

    assert search.state == Delivery.State.GIVEN_UP
    assert Entry.objects.filter(kind=Kind.ACCESS_KEY_CLEARED_UP).count() == 1


# What else may happen to the search


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.THROTTLE, Fault.DENY])
@pytest.mark.parametrize("operation", ["GetUser", "ListAccessKeys", "GetAccessKeyLastUsed", "DeleteAccessKey"])
def test_whatever_breaks_the_lost_key_goes_in_the_end(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser, operation: str, fault: Fault
) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)
    aws.faults.inject(operation, fault, times=3 if fault is not Fault.DENY else 1)

    deliver_until_quiet()
    search.refresh_from_db()
    if search.state == Delivery.State.STUCK:
        assert search.stuck_kind == "denied"
        try_again(by=olive, delivery=search, reason="The permission is back", at=database_now())
    deliver_until_quiet()
    let_the_quiet_time_pass()
    deliver_until_quiet()

    search.refresh_from_db()
    assert (search.state, key_ids(iam)) == (Delivery.State.DONE, [])


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5])
def test_a_worker_that_dies_is_followed_by_one_that_finishes(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser, calls: int, dying: Callable[[int], None]
) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)

    dying(calls)
    with pytest.raises(Death):
        deliver_due()
    Delivery.objects.filter(pk=search.pk).update(lease_until=database_now() - timedelta(seconds=1))
    deliver_until_quiet()
    let_the_quiet_time_pass()
    deliver_until_quiet()

    search.refresh_from_db()
    assert (search.state, key_ids(iam)) == (Delivery.State.DONE, [])


def test_where_the_iam_user_is_gone_there_is_nothing_to_look_for(
    aws: AWS, iam: Any, olive: Person, lena: Person, mias: IAMUser
) -> None:
    search = given_up(in_doubt(aws, lena, mias, fault=Fault.DROP_AFTER), olive)
    iam.delete_access_key(UserName=NAME, AccessKeyId=key_ids(iam)[0])
    iam.delete_user(UserName=NAME)

    assert deliver_until_quiet() == search
    assert Delivery.objects.get(pk=search.pk).state == Delivery.State.DONE


def test_the_longest_call_is_within_what_is_taken_for_its_own() -> None:
    """A lease ends before that, and with it the worker's right to call."""
    assert held.QUIET_TIME + timedelta(minutes=1) < baseline.LONGEST
