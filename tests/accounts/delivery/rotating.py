"""What the tests of carried rotations share: Mia's IAM user with one key in AWS, and a rotation in each state."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from moto.iam.models import AccessKeyLastUsed

from accounts.delivery import held
from accounts.importers import one_user
from accounts.models import AccessKey, Account, Person, Rotation, Team
from accounts.usecases import rotation as steps
from accounts.usecases.rotation_following import follow_rotations
from accounts.usecases.sealed_secrets import open_sealed_secret
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws.server import AWS

NAME = "ledger-writer"
HOUR = timedelta(hours=1)


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
    [there] = [key for key in keys if key.access_key_id == access_key.access_key_id]
    there.last_used = AccessKeyLastUsed(database_now() - HOUR * hours_ago, "s3", "us-east-1")


def statuses(iam: Any) -> dict[str, str]:
    return {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]}


def outdated(delivery: Delivery) -> str:
    """What a delivery says that the last look at AWS has stopped."""
    assert delivery.state_in_words(database_now()) == "Stuck: it does not hold any more"
    return delivery.error


def read_again(rotation: Rotation) -> Any:
    """What AWS says of its IAM user now, to be written down whenever."""
    return one_user.fetch(held.iam_of(rotation.account), rotation.iam_user)


def write_down(rotation: Rotation, told: Any) -> None:
    """Write down what was read."""
    with transaction.atomic():
        one_user.apply(rotation.account, told)
