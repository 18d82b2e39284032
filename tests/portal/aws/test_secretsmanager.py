"""AWS Secrets Manager, against the embedded AWS over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.errors import Conflict, Denied, NotFound, TryLater
from portal.aws.secretsmanager import CURRENT, PREVIOUS, SecretsManager
from portal.aws.simulator import state
from tests.aws.server import AWS
from tests.aws.strict import Fault

ACCOUNT, REGION = "111122223333", "eu-central-1"
NAME = "gatehouse/ledger-writer"
FIRST, SECOND = "a" * 32, "b" * 32


@pytest.fixture
def door(aws: AWS) -> Door:
    return aws.account(ACCOUNT)


@pytest.fixture
def secrets(door: Door) -> SecretsManager:
    return connect.secretsmanager(door, region=REGION)


@pytest.fixture
def arn(secrets: SecretsManager) -> str:
    return secrets.create_secret(
        name=NAME, description="Of a test", secret_string="one", client_request_token=FIRST, tags={"gatehouse": "1"}
    )


def held(aws: AWS, stage: str = CURRENT) -> str:
    """What an application reads there."""
    outside: Any = aws.boto3(ACCOUNT, "secretsmanager", region=REGION)
    return str(outside.get_secret_value(SecretId=NAME, VersionStage=stage)["SecretString"])


def test_it_is_made_with_its_first_version(aws: AWS, secrets: SecretsManager, arn: str) -> None:
    told = secrets.describe_secret(secret_id=NAME)

    assert (told.arn, told.name, told.tags, told.is_deleted) == (arn, NAME, {"gatehouse": "1"}, False)
    assert told.stages == {FIRST: (CURRENT,)}
    assert REGION in arn
    assert held(aws) == "one"


def test_one_more_version_leaves_the_one_before(aws: AWS, secrets: SecretsManager, arn: str) -> None:
    assert secrets.put_secret_value(secret_id=arn, secret_string="two", client_request_token=SECOND) == SECOND

    told = secrets.describe_secret(secret_id=NAME)
    assert (told.version_at(CURRENT), told.version_at(PREVIOUS)) == (SECOND, FIRST)
    assert (held(aws), held(aws, PREVIOUS)) == ("two", "one")


def test_it_is_moved_back(aws: AWS, secrets: SecretsManager, arn: str) -> None:
    secrets.put_secret_value(secret_id=arn, secret_string="two", client_request_token=SECOND)

    secrets.update_secret_version_stage(
        secret_id=arn, version_stage=CURRENT, move_to_version_id=FIRST, remove_from_version_id=SECOND
    )

    assert held(aws) == "one"
    secrets.put_secret_value(secret_id=arn, secret_string="three", client_request_token="c" * 32)
    assert (held(aws), held(aws, PREVIOUS)) == ("three", "one")


def test_what_is_not_there_is_not_found(secrets: SecretsManager) -> None:
    with pytest.raises(NotFound):
        secrets.describe_secret(secret_id=NAME)
    with pytest.raises(NotFound):
        secrets.put_secret_value(secret_id=NAME, secret_string="x", client_request_token=FIRST)


def test_a_name_that_is_taken_is_a_conflict(secrets: SecretsManager, arn: str) -> None:
    with pytest.raises(Conflict):
        secrets.create_secret(name=NAME, description="", secret_string="x", client_request_token=SECOND, tags={})


@pytest.mark.parametrize(("fault", "expected"), [(Fault.DENY, Denied), (Fault.DROP_AFTER, TryLater)])
def test_what_goes_wrong_is_sorted(
    aws: AWS, secrets: SecretsManager, arn: str, fault: Fault, expected: type[Exception]
) -> None:
    aws.faults.inject("PutSecretValue", fault)

    with pytest.raises(expected):
        secrets.put_secret_value(secret_id=arn, secret_string="two", client_request_token=SECOND)
    assert len(aws.calls("PutSecretValue")) == 1


def test_the_clients_of_a_region_are_kept(door: Door, secrets: SecretsManager) -> None:
    assert connect.secretsmanager(door, region=REGION) is secrets
    assert connect.secretsmanager(door, region="us-east-1") is not secrets


def test_no_contents_are_written_down_by_the_layer(aws: AWS, arn: str) -> None:
    [call] = aws.calls("CreateSecret")

    assert "one" not in json.dumps(dict(call.parameters)).replace("one more", "")


def test_it_is_known_again_after_a_restart(aws: AWS, secrets: SecretsManager, arn: str, tmp_path: Path) -> None:
    path = tmp_path / "state"
    state.save(path)
    state.clear()
    state.load(path)

    assert secrets.describe_secret(secret_id=NAME).arn == arn
