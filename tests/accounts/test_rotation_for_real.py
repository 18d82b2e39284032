"""A rotation from start to end as an application lives through it: it works at every moment, and the old key ends."""

import time
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ValidationError

from accounts import importers
from accounts.models import AccessKey, Account, AccountImport, Person, Rotation, Team
from accounts.usecases import rotation as steps
from accounts.usecases.imports import refresh_iam_user
from accounts.usecases.rotation_following import follow_rotations
from accounts.usecases.rotation_proofs import prove_new_key
from accounts.usecases.sealed_secrets import open_sealed_secret
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet
from tests.aws.presigning import WHO_AM_I, presigned
from tests.aws.server import AWS

NAME = "ledger-writer"


class Application:
    """What uses the key: it reads who it is in AWS, with boto3, as it was configured."""

    def __init__(self, url: str, key: dict[str, str]) -> None:
        self._url = url
        self.configure(key)

    def configure(self, key: dict[str, str]) -> None:
        """Let it use this key from now on."""
        self._key = key
        make: Any = boto3.client
        self._clients = [
            make(
                service,
                endpoint_url=self._url,
                region_name="us-east-1",
                aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"],
            )
            for service in ("sts", "iam")
        ]

    def works(self) -> bool:
        """Whether AWS takes its key, in two of its services."""
        sts, iam = self._clients
        try:
            return str(sts.get_caller_identity()["Arn"]).endswith(NAME) and bool(iam.list_access_keys(UserName=NAME))
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] == "InvalidClientTokenId":
                return False
            raise

    def signed_request(self) -> str:
        """What the portal's command prints there."""
        sts, _ = self._clients
        return str(sts.generate_presigned_url("get_caller_identity", ExpiresIn=300, HttpMethod="GET"))


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    age(aws, prod, NAME)
    return outside


@pytest.fixture
def application(aws: AWS, iam: Any) -> Application:
    return Application(aws.url, iam.create_access_key(UserName=NAME)["AccessKey"])


@pytest.fixture
def rotation(iam: Any, application: Application, prod: Account, payments: Team, mia: Person) -> Rotation:
    """Begun by Mia; its new key is made."""
    user = iam.get_user(UserName=NAME)["User"]
    [key] = iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]
    row = factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"]
    )
    old_key = factories.access_key(row, access_key_id=key["AccessKeyId"], create_date=key["CreateDate"])
    rotation = steps.start_rotation(by=mia, access_key=old_key, at=database_now())
    deliver_until_quiet()
    rotation.refresh_from_db()
    return rotation


def opened(rotation: Rotation, by: Person) -> dict[str, str]:
    """The new key as its owner sees it, once."""
    secret = open_sealed_secret(by=by, secret_id=SealedSecret.objects.get().pk, at=database_now())
    rotation.refresh_from_db()
    return {"AccessKeyId": str(rotation.new_key), "SecretAccessKey": secret.reveal()}


def read_now(rotation: Rotation, by: Person) -> None:
    """Refresh now, the worker's part too, and what follows by itself."""
    refresh_iam_user(by=by, iam_user=rotation.iam_user, at=database_now())
    importers.run(AccountImport.objects.latest("pk").pk)
    follow_rotations(at=database_now())
    rotation.refresh_from_db()


def finish(rotation: Rotation, by: Person, application: Application, old: Application) -> None:
    """From proven to done; the application works at every moment, and the old key no more."""
    steps.make_old_key_inactive(by=by, rotation=rotation, at=database_now())
    deliver_until_quiet()
    assert (application.works(), old.works()) == (True, False)

    rotation.refresh_from_db()
    steps.make_old_key_active(by=by, rotation=rotation, at=database_now())
    deliver_until_quiet()
    time.sleep(1)  # AWS tells of uses in whole seconds.
    assert (application.works(), old.works()) == (True, True)
    # That was a use of the old key after the new one's: the last look finds it, and it takes a reason to go on.
    rotation.refresh_from_db()
    steps.make_old_key_inactive(by=by, rotation=rotation, at=database_now())
    assert deliver_until_quiet().state == Delivery.State.STUCK
    rotation.refresh_from_db()
    steps.make_old_key_inactive(by=by, rotation=rotation, at=database_now(), reason="It was this test")
    deliver_until_quiet()
    assert (application.works(), old.works()) == (True, False)

    rotation.refresh_from_db()
    steps.delete_old_key(by=by, rotation=rotation, at=database_now() + timedelta(days=8))
    deliver_until_quiet()
    rotation.refresh_from_db()
    assert rotation.state == "done"
    assert (application.works(), old.works()) == (True, False)


def test_proven_by_a_request_that_the_application_signed(
    aws: AWS, application: Application, rotation: Rotation, mia: Person
) -> None:
    old = Application(aws.url, application._key)
    assert old.works()
    application.configure(opened(rotation, mia))

    text = application.signed_request()
    prove_new_key(by=mia, rotation=rotation, signed_request=text, at=database_now())
    assert (rotation.state, rotation.proven_by) == ("proven", "request")

    finish(rotation, mia, application, old)


def test_proven_by_its_use_as_aws_tells_of_it(
    aws: AWS, application: Application, rotation: Rotation, mia: Person
) -> None:
    old = Application(aws.url, application._key)
    key = opened(rotation, mia)
    read_now(rotation, mia)
    assert rotation.state == "delivered"

    application.configure(key)
    assert application.works()
    read_now(rotation, mia)
    assert (rotation.state, rotation.proven_by) == ("proven", "use")
    assert AccessKey.objects.get(access_key_id=key["AccessKeyId"]).last_used_service in ("sts", "iam")

    finish(rotation, mia, application, old)


def test_another_place_that_has_the_old_key_still_keeps_it_alive(
    aws: AWS, application: Application, rotation: Rotation, mia: Person
) -> None:
    forgotten = Application(aws.url, application._key)
    application.configure(opened(rotation, mia))
    prove_new_key(by=mia, rotation=rotation, signed_request=application.signed_request(), at=database_now())
    steps.make_old_key_inactive(by=mia, rotation=rotation, at=database_now())
    time.sleep(1)  # AWS tells of uses in whole seconds.
    assert forgotten.works()

    assert (deliver_until_quiet().state, rotation.state) == (Delivery.State.STUCK, "proven")
    assert (application.works(), forgotten.works()) == (True, True)


def test_a_secret_that_was_copied_wrongly_proves_nothing_and_the_old_key_works_on(
    aws: AWS, application: Application, rotation: Rotation, mia: Person
) -> None:
    key = opened(rotation, mia)
    wrong = {**key, "SecretAccessKey": key["SecretAccessKey"][:-1]}

    with pytest.raises(ValidationError, match="does not believe the signature"):
        prove_new_key(by=mia, rotation=rotation, signed_request=presigned(aws.url + WHO_AM_I, wrong), at=database_now())
    read_now(rotation, mia)

    assert rotation.state == "delivered"
    assert application.works()
