"""Carrying a rotation: one new key, and the old one inactive and gone only while the new one works (F18, F22)."""

from datetime import timedelta
from typing import Any

from accounts.models import AccessKey, Person, Rotation
from accounts.usecases import rotation as steps
from accounts.usecases.deliveries import give_up
from accounts.usecases.sealed_secrets import expire_sealed_secrets
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests.accounts.carrying import deliver_until_quiet
from tests.accounts.delivery.rotating import NAME, delivered, new_key_of, old_key, proven, rotation, statuses, use
from tests.aws.server import AWS
from tests.aws.strict import Fault

__all__ = ["delivered", "old_key", "proven", "rotation"]


def test_from_start_to_end(iam: Any, old_key: AccessKey, proven: Rotation, mia: Person) -> None:
    assert (proven.state, proven.proven_by) == ("proven", "use")

    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    deliver_until_quiet()
    proven.refresh_from_db()
    assert proven.state == "deactivated"
    assert statuses(iam) == {old_key.access_key_id: "Inactive", new_key_of(proven).access_key_id: "Active"}

    steps.delete_old_key(by=mia, rotation=proven, at=database_now() + timedelta(days=8))
    assert deliver_until_quiet().state == Delivery.State.DONE
    proven.refresh_from_db()
    assert (proven.state, proven.ended_at is not None) == ("done", True)
    assert statuses(iam) == {new_key_of(proven).access_key_id: "Active"}


def test_the_old_key_works_again_when_it_is_missed(iam: Any, proven: Rotation, mia: Person) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    deliver_until_quiet()
    steps.make_old_key_active(by=mia, rotation=proven, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    proven.refresh_from_db()
    assert (proven.state, proven.deactivated_at) == ("proven", None)
    assert set(statuses(iam).values()) == {"Active"}


def test_a_use_of_the_old_key_meanwhile_leaves_it_as_it_is(
    aws: AWS, iam: Any, old_key: AccessKey, proven: Rotation, mia: Person
) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now())
    use(aws, old_key, hours_ago=-1)

    delivery = deliver_until_quiet()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert set(statuses(iam).values()) == {"Active"}


def test_a_new_key_that_is_inactive_meanwhile_saves_the_old_one(iam: Any, proven: Rotation, mia: Person) -> None:
    steps.make_old_key_inactive(by=mia, rotation=proven, at=database_now(), reason="Nothing uses it")
    iam.update_access_key(UserName=NAME, AccessKeyId=new_key_of(proven).access_key_id, Status="Inactive")

    delivery = deliver_until_quiet()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert statuses(iam)[proven.old_key.access_key_id] == "Active"


def test_giving_up_deletes_the_new_key_and_wipes_its_secret(
    iam: Any, old_key: AccessKey, rotation: Rotation, mia: Person
) -> None:
    steps.give_up_rotation(by=mia, rotation=rotation, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    rotation.refresh_from_db()
    assert rotation.state == "given_up"
    assert statuses(iam) == {old_key.access_key_id: "Active"}
    assert SealedSecret.objects.get().state == "expired"


def test_a_secret_that_nobody_opens_ends_it_and_the_old_key_stays(
    iam: Any, old_key: AccessKey, rotation: Rotation
) -> None:
    expire_sealed_secrets(by=None, at=database_now() + timedelta(hours=25))

    assert deliver_until_quiet().state == Delivery.State.DONE
    rotation.refresh_from_db()
    assert rotation.state == "lapsed"
    assert statuses(iam) == {old_key.access_key_id: "Active"}


def test_a_start_that_is_given_up_in_doubt_has_its_lost_key_looked_for(
    aws: AWS, iam: Any, old_key: AccessKey, mia: Person, olive: Person
) -> None:
    steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    aws.faults.inject("CreateAccessKey", Fault.DROP_AFTER)
    deliver_due()
    assert len(statuses(iam)) == 2

    give_up(by=olive, delivery=Delivery.objects.get(), reason="Not needed", at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert statuses(iam) == {old_key.access_key_id: "Active"}
