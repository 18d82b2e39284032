"""Carrying a rotation: one new key, and the old one inactive and gone only while the new one works (F18, F22)."""

from datetime import timedelta
from typing import Any

import pytest
from moto.iam.models import AccessKeyLastUsed

from accounts.models import AccessKey, Account, Person, Rotation, Team
from accounts.usecases import rotation as steps
from accounts.usecases.rotation_following import follow_rotations
from accounts.usecases.sealed_secrets import expire_sealed_secrets, open_sealed_secret
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet
from tests.aws.server import AWS

NAME = "ledger-writer"
HOUR = timedelta(hours=1)


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    age(aws, prod, NAME)
    return outside


@pytest.fixture
def old_key(iam: Any, prod: Account, payments: Team, mia: Person) -> AccessKey:
    """The one key of Mia's IAM user, as the portal last read it."""
    user = iam.get_user(UserName=NAME)["User"]
    key = iam.create_access_key(UserName=NAME)["AccessKey"]
    row = factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"]
    )
    return factories.access_key(row, access_key_id=key["AccessKeyId"])


@pytest.fixture
def rotation(old_key: AccessKey, mia: Person) -> Rotation:
    """Begun by Mia, and its new key made."""
    rotation = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    deliver_until_quiet()
    rotation.refresh_from_db()
    return rotation


@pytest.fixture
def delivered(rotation: Rotation, mia: Person) -> Rotation:
    """And the new key's secret opened."""
    open_sealed_secret(by=mia, secret_id=SealedSecret.objects.get().pk, at=database_now())
    rotation.refresh_from_db()
    return rotation


@pytest.fixture
def proven(aws: AWS, delivered: Rotation) -> Rotation:
    """And the new key seen in use by a reading."""
    use(aws, new_key_of(delivered), hours_ago=0)
    AccessKey.objects.filter(pk=new_key_of(delivered).pk).update(
        last_used_date=database_now(), last_used_source="get_access_key_last_used", last_used_read_at=database_now()
    )
    follow_rotations(at=database_now())
    delivered.refresh_from_db()
    return delivered


def new_key_of(rotation: Rotation) -> AccessKey:
    assert rotation.new_key is not None
    return rotation.new_key


def use(aws: AWS, access_key: AccessKey, *, hours_ago: float) -> None:
    """Let AWS have seen the key used."""
    keys = aws.backend(access_key.account.account_id).users[NAME].access_keys
    [held] = [key for key in keys if key.access_key_id == access_key.access_key_id]
    held.last_used = AccessKeyLastUsed(database_now() - HOUR * hours_ago, "s3", "us-east-1")


def statuses(iam: Any) -> dict[str, str]:
    return {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]}


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
