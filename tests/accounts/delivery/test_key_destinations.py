"""Putting new keys into Secrets Manager: the one before stays there, no orphan in IAM, nobody else's secret touched."""

import json
from datetime import timedelta
from typing import Any

import pytest
from moto.iam.models import AccessKeyLastUsed

from accounts.models import AccessKey, Account, KeyDestination, Person, Rotation, Team
from accounts.usecases import rotation as steps
from accounts.usecases.deliveries import try_again
from accounts.usecases.key_destinations import set_destination
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault

NAME, REGION = "ledger-writer", "eu-central-1"
SECRET = f"gatehouse/{NAME}/access-key"


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    age(aws, prod, NAME)
    return outside


@pytest.fixture
def secrets(aws: AWS, prod: Account) -> Any:
    """Secrets Manager from outside, as the application reads it."""
    return aws.boto3(prod.account_id, "secretsmanager", region=REGION)


@pytest.fixture
def old_key(iam: Any, prod: Account, payments: Team, mia: Person) -> AccessKey:
    """The one key of Mia's application, which reads it in Secrets Manager from now on."""
    user = iam.get_user(UserName=NAME)["User"]
    key = iam.create_access_key(UserName=NAME)["AccessKey"]
    row = factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"],
        kind="application", purpose="Writes the ledger",
    )  # fmt: skip
    set_destination(by=mia, iam_user=row, region=REGION, rotate_every_days=None, at=database_now())
    return factories.access_key(row, access_key_id=key["AccessKeyId"])


def start(key: AccessKey, by: Person) -> Rotation:
    return steps.start_rotation(by=by, access_key=key, at=database_now())


def rotated(key: AccessKey, by: Person) -> Rotation:
    """Begun, and carried as far as it gets."""
    rotation = start(key, by)
    deliver_until_quiet()
    rotation.refresh_from_db()
    return rotation


def go_on_to_the_end(rotation: Rotation, by: Person) -> AccessKey:
    """The old key inactive and deleted; the new one."""
    steps.make_old_key_inactive(by=by, rotation=rotation, at=database_now(), reason="A test")
    deliver_until_quiet()
    steps.delete_old_key(by=by, rotation=rotation, at=database_now(), reason="A test")
    deliver_until_quiet()
    rotation.refresh_from_db()
    assert rotation.state == "done"
    assert rotation.new_key is not None
    return rotation.new_key


def key_ids(iam: Any) -> set[str]:
    return {key["AccessKeyId"] for key in iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]}


def read(secrets: Any, stage: str = "AWSCURRENT") -> dict[str, str]:
    held: dict[str, str] = json.loads(secrets.get_secret_value(SecretId=SECRET, VersionStage=stage)["SecretString"])
    return held


def test_the_new_key_is_where_the_application_reads_it(
    aws: AWS, iam: Any, secrets: Any, prod: Account, old_key: AccessKey, mia: Person
) -> None:
    rotation = rotated(old_key, mia)

    assert rotation.state == "delivered"
    assert rotation.new_key is not None
    [held] = [key for key in aws.backend(prod.account_id).users[NAME].access_keys if key.access_key_id != str(old_key)]
    assert read(secrets) == {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key}
    assert rotation.new_key.access_key_id == held.access_key_id
    assert not SealedSecret.objects.exists()


def test_the_key_before_stays_as_the_previous_version(iam: Any, secrets: Any, old_key: AccessKey, mia: Person) -> None:
    first = go_on_to_the_end(rotated(old_key, mia), mia)

    second = rotated(first, mia)

    assert second.new_key is not None
    assert read(secrets)["AccessKeyId"] == str(second.new_key)
    assert read(secrets, "AWSPREVIOUS")["AccessKeyId"] == str(first)


@pytest.mark.parametrize("operation", ["PutSecretValue", "CreateSecret", "DescribeSecret", "CreateAccessKey"])
@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.ERROR_AFTER, Fault.THROTTLE])
def test_whatever_is_lost_on_the_way_one_key_is_made_and_read(
    aws: AWS, iam: Any, secrets: Any, old_key: AccessKey, mia: Person, operation: str, fault: Fault
) -> None:
    aws.faults.inject(operation, fault)

    rotation = start(old_key, mia)
    Delivery.objects.update(created_at=database_now())
    deliver_until_quiet()
    let_the_quiet_time_pass()
    deliver_until_quiet()

    rotation.refresh_from_db()
    assert rotation.state == "delivered"
    assert key_ids(iam) == {str(old_key), str(rotation.new_key)}
    assert read(secrets)["AccessKeyId"] == str(rotation.new_key)


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_AFTER])
def test_a_lost_answer_does_not_push_the_key_before_out(
    aws: AWS, iam: Any, secrets: Any, old_key: AccessKey, mia: Person, fault: Fault
) -> None:
    first = go_on_to_the_end(rotated(old_key, mia), mia)
    aws.faults.inject("PutSecretValue", fault)

    second = rotated(first, mia)

    assert second.state == "delivered"
    assert read(secrets)["AccessKeyId"] == str(second.new_key)
    assert read(secrets, "AWSPREVIOUS")["AccessKeyId"] == str(first)
    assert key_ids(iam) == {str(first), str(second.new_key)}


def test_where_aws_denies_it_no_key_is_left(
    aws: AWS, iam: Any, secrets: Any, old_key: AccessKey, mia: Person, olive: Person
) -> None:
    aws.faults.inject("PutSecretValue", Fault.DENY)
    rotation = start(old_key, mia)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "denied")
    assert key_ids(iam) == {str(old_key)}
    try_again(by=olive, delivery=delivery, at=database_now(), reason="The role may now")
    deliver_until_quiet()
    let_the_quiet_time_pass()
    deliver_until_quiet()
    rotation.refresh_from_db()
    assert rotation.state == "delivered"
    assert read(secrets)["AccessKeyId"] == str(rotation.new_key)


def test_somebody_elses_secret_of_the_name_is_left_alone(
    iam: Any, secrets: Any, old_key: AccessKey, mia: Person
) -> None:
    secrets.create_secret(Name=SECRET, SecretString="theirs")
    start(old_key, mia)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "conflict")
    assert secrets.get_secret_value(SecretId=SECRET)["SecretString"] == "theirs"
    assert key_ids(iam) == {str(old_key)}


def test_one_that_is_being_deleted_is_told(iam: Any, secrets: Any, old_key: AccessKey, mia: Person) -> None:
    first = go_on_to_the_end(rotated(old_key, mia), mia)
    secrets.delete_secret(SecretId=SECRET)
    start(first, mia)

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "refused")
    assert "Restore it in AWS" in delivery.error
    assert key_ids(iam) == {str(first)}


def test_giving_up_puts_the_key_before_back(iam: Any, secrets: Any, old_key: AccessKey, mia: Person) -> None:
    first = go_on_to_the_end(rotated(old_key, mia), mia)
    second = rotated(first, mia)

    steps.give_up_rotation(by=mia, rotation=second, at=database_now())

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert read(secrets)["AccessKeyId"] == str(first)
    assert key_ids(iam) == {str(first)}


def test_the_first_one_cannot_be_given_up_and_says_why(iam: Any, secrets: Any, old_key: AccessKey, mia: Person) -> None:
    rotation = rotated(old_key, mia)

    steps.give_up_rotation(by=mia, rotation=rotation, at=database_now())

    delivery = deliver_until_quiet()
    assert (delivery.state, delivery.stuck_kind) == (Delivery.State.STUCK, "outdated")
    assert key_ids(iam) == {str(old_key), str(rotation.new_key)}


def let_the_quiet_time_pass() -> None:
    """What a doubtful call may have made would show by now."""
    for delivery in Delivery.objects.filter(state=Delivery.State.WAITING):
        baseline: dict[str, Any] = delivery.baseline or {}
        if baseline.get("called_at"):
            past = (database_now() - timedelta(minutes=6)).isoformat()
            Delivery.objects.filter(pk=delivery.pk).update(baseline={**baseline, "called_at": past})


def use(aws: AWS, key: AccessKey) -> None:
    """Let AWS have seen the key used."""
    keys = aws.backend(key.account.account_id).users[NAME].access_keys
    [held] = [one for one in keys if one.access_key_id == str(key)]
    held.last_used = AccessKeyLastUsed(database_now(), "s3", REGION)


def test_a_destination_is_the_applications_own(old_key: AccessKey) -> None:
    destination = KeyDestination.objects.get()

    assert (destination.secret_name, destination.region) == (SECRET, REGION)
