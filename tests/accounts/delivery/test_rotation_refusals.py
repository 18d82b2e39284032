"""What stops a step of a rotation at the last look, or before it: the old key still works, and somebody can go on."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.kinds import Kind
from accounts.models import AccessKey, Account, IAMUser, Membership, Organization, Person, Rotation
from accounts.usecases import iam_users
from accounts.usecases import rotation as steps
from accounts.usecases.offboarding import follow_offboardings, offboard_person
from accounts.usecases.rotation_following import follow_rotations
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests.accounts.carrying import deliver_until_quiet
from tests.accounts.delivery.rotating import (
    HOUR,
    NAME,
    delivered,
    new_key_of,
    old_key,
    outdated,
    proven,
    read_again,
    rotation,
    statuses,
    use,
    write_down,
)
from tests.aws.server import AWS
from tests.aws.strict import Fault

__all__ = ["delivered", "old_key", "proven", "rotation"]


def state_of(rotation: Rotation) -> str:
    rotation.refresh_from_db()
    return rotation.state


# The start


def test_a_lost_answer_leaves_one_new_key_and_its_secret(aws: AWS, iam: Any, old_key: AccessKey, mia: Person) -> None:
    aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)
    started = steps.start_rotation(by=mia, access_key=old_key, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(started) == "made"
    assert set(statuses(iam)) == {old_key.access_key_id, new_key_of(started).access_key_id}
    assert SealedSecret.objects.ready().count() == 1


def test_an_account_that_lets_the_portal_in_no_more_leaves_the_old_key_and_its_owner_can_go_on(
    aws: AWS, iam: Any, old_key: AccessKey, mia: Person
) -> None:
    started = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    aws.faults.inject("AssumeRole", Fault.DENY, times=3)

    delivery = deliver_until_quiet()
    assert delivery.state_in_words(database_now()) == "Stuck: AWS denied it"
    assert statuses(iam) == {old_key.access_key_id: "Active"}

    steps.give_up_rotation(by=mia, rotation=started, at=database_now())
    assert state_of(started) == "given_up"
    aws.faults.clear()
    again = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(again) == "made"


def test_a_second_key_that_the_portal_did_not_know_of_is_told(iam: Any, old_key: AccessKey, mia: Person) -> None:
    iam.create_access_key(UserName=NAME)
    started = steps.start_rotation(by=mia, access_key=old_key, at=database_now())

    delivery = deliver_until_quiet()

    assert delivery.state_in_words(database_now()) == "Stuck: AWS refused it"
    assert "Refresh it, make the one that is not used inactive and delete it, then begin again." in delivery.error
    assert (state_of(started), len(statuses(iam))) == ("started", 2)


@pytest.mark.parametrize("change", ["another owner", "left", "disabled"])
def test_nothing_is_made_for_who_is_not_the_owner_any_more(
    aws: AWS, iam: Any, old_key: AccessKey, mia: Person, lena: Person, olive: Person, change: str
) -> None:
    started = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    if change == "another owner":
        IAMUser.objects.update(owner=lena)
    elif change == "left":
        Membership.objects.filter(person=mia).update(ended_at=database_now())
    else:
        Person.objects.filter(pk=mia.pk).update(is_active=False)

    assert outdated(deliver_until_quiet()).endswith("Nothing was sent.")
    assert aws.calls("CreateAccessKey") == []
    steps.give_up_rotation(by=olive, rotation=started, at=database_now())
    assert state_of(started) == "given_up"


def test_with_another_owner_the_new_key_that_nobody_opened_goes(
    iam: Any, old_key: AccessKey, rotation: Rotation, lena: Person
) -> None:
    IAMUser.objects.update(owner=lena)

    follow_rotations(at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(rotation) == "given_up"
    assert statuses(iam) == {old_key.access_key_id: "Active"}


# A step


def test_a_use_that_the_portal_did_not_know_of_is_known_from_then_on(
    aws: AWS, iam: Any, old_key: AccessKey, proven: Rotation, mia: Person
) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now(), reason="OPS-12")
    use(aws, old_key, hours_ago=-1)
    assert "It was left as it is." in outdated(deliver_until_quiet())

    old_key.refresh_from_db()
    assert (old_key.last_used_service, old_key.last_used_source) == ("s3", "get_access_key_last_used")
    with pytest.raises(ValidationError, match="The old key was used on"):
        steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now(), reason="A clock that is wrong")

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(proven) == "deactivated"
    assert statuses(iam)[old_key.access_key_id] == "Inactive"


def test_on_somebodys_word_it_goes_on_and_back_to_where_it_was(
    iam: Any, old_key: AccessKey, delivered: Rotation, mia: Person
) -> None:
    steps.make_old_key_inactive(by=mia, rotation=delivered, at=database_now(), reason="It leaked")
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (state_of(delivered), delivered.proven_by) == ("deactivated", "word")
    assert not delivered.is_inactive_elsewhere

    steps.make_old_key_active(by=mia, rotation=delivered, at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE
    assert (state_of(delivered), delivered.proven_by, delivered.proven_at) == ("delivered", "", None)
    assert set(statuses(iam).values()) == {"Active"}


def test_a_new_key_that_aws_does_not_list_yet_is_waited_for(
    aws: AWS, iam: Any, old_key: AccessKey, delivered: Rotation, mia: Person
) -> None:
    new_key = new_key_of(delivered)
    keys = aws.backend(delivered.account.account_id).users[NAME].access_keys
    [hidden] = [key for key in keys if key.access_key_id == new_key.access_key_id]
    keys.remove(hidden)
    steps.make_old_key_inactive(by=mia, rotation=delivered, at=database_now(), reason="It leaked")

    deliver_due()
    delivery = Delivery.objects.latest("pk")
    assert (delivery.state, "it does not list the new key yet" in delivery.error) == ("waiting", True)
    keys.append(hidden)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(delivered) == "deactivated"


def test_a_new_key_that_is_gone_saves_the_old_one(iam: Any, old_key: AccessKey, proven: Rotation, mia: Person) -> None:
    AccessKey.objects.update(create_date=database_now() - HOUR)
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    iam.delete_access_key(UserName=NAME, AccessKeyId=new_key_of(proven).access_key_id)

    assert "The new key does not work in AWS at the moment" in outdated(deliver_until_quiet())
    assert statuses(iam) == {old_key.access_key_id: "Active"}


@pytest.mark.parametrize("how", ["active again", "new key inactive"])
def test_nothing_is_deleted_that_works_or_that_is_all_there_is(
    iam: Any, old_key: AccessKey, proven: Rotation, mia: Person, how: str
) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    deliver_until_quiet()
    steps.delete_old_key(by=mia, rotation=proven, at=database_now(), reason="It leaked")
    turned = (old_key, "Active") if how == "active again" else (new_key_of(proven), "Inactive")
    iam.update_access_key(UserName=NAME, AccessKeyId=turned[0].access_key_id, Status=turned[1])

    words = "is active in AWS, so it was not deleted" if how == "active again" else "The new key does not work"
    assert words in outdated(deliver_until_quiet())
    assert (state_of(proven), len(statuses(iam))) == ("deactivated", 2)


def test_a_new_key_that_is_used_after_all_is_not_deleted(
    aws: AWS, iam: Any, old_key: AccessKey, delivered: Rotation, mia: Person
) -> None:
    steps.give_up_rotation(by=mia, rotation=delivered, at=database_now())
    use(aws, new_key_of(delivered), hours_ago=0)

    assert "The new key was used meanwhile" in outdated(deliver_until_quiet())
    assert set(statuses(iam).values()) == {"Active"}
    follow_rotations(at=database_now())
    assert state_of(delivered) == "proven"


def test_a_new_key_is_not_deleted_where_it_is_the_only_one_that_works(
    iam: Any, old_key: AccessKey, delivered: Rotation, mia: Person
) -> None:
    steps.give_up_rotation(by=mia, rotation=delivered, at=database_now())
    iam.update_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id, Status="Inactive")

    assert "The old key does not work in AWS at the moment" in outdated(deliver_until_quiet())
    assert statuses(iam)[new_key_of(delivered).access_key_id] == "Active"


def test_an_old_key_that_somebody_deleted_meanwhile_is_what_was_wanted(
    iam: Any, old_key: AccessKey, proven: Rotation, mia: Person
) -> None:
    AccessKey.objects.update(create_date=database_now() - HOUR)
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    iam.delete_access_key(UserName=NAME, AccessKeyId=old_key.access_key_id)

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert state_of(proven) == "done"


# Readings beside it


def test_a_reading_from_before_a_step_does_not_take_it_back(
    iam: Any, old_key: AccessKey, proven: Rotation, mia: Person
) -> None:
    before = read_again(proven)
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    deliver_until_quiet()

    write_down(proven, before)
    follow_rotations(at=database_now() + HOUR)

    old_key.refresh_from_db()
    assert (old_key.status, state_of(proven)) == ("Inactive", "deactivated")


def test_a_step_does_not_take_back_what_was_read_after_it(
    iam: Any, old_key: AccessKey, proven: Rotation, mia: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    later = database_now() + HOUR
    AccessKey.objects.filter(pk=old_key.pk).update(read_at=later)

    deliver_until_quiet()

    old_key.refresh_from_db()
    assert (old_key.status, old_key.read_at) == ("Active", later)


# Its IAM user


def test_an_iam_user_that_is_deleted_takes_the_rotation_along(iam: Any, rotation: Rotation, lena: Person) -> None:
    iam_users.delete_iam_user(by=lena, iam_user=rotation.iam_user, reason="Left", at=database_now())
    assert deliver_until_quiet().state == Delivery.State.DONE

    follow_rotations(at=database_now())

    assert state_of(rotation) == "lapsed"
    assert not SealedSecret.objects.ready().exists()


def test_an_owner_who_leaves_with_a_start_on_its_way_is_disabled_all_the_same(
    iam: Any, prod: Account, acme: Organization, old_key: AccessKey, mia: Person, olive: Person
) -> None:
    IAMUser.objects.update(kind="person")
    started = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    offboard_person(by=olive, organization=acme, person=mia, reason="Leaves", at=database_now())
    deliver_until_quiet()
    assert Delivery.objects.stuck().get().entry.kind == Kind.ROTATION_STARTED
    assert statuses(iam) == {old_key.access_key_id: "Active"}

    follow_offboardings(at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert statuses(iam) == {old_key.access_key_id: "Inactive"}
    assert state_of(started) == "given_up"
