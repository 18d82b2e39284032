"""A key whose secret nobody opened in time: that key goes, and no other (F23)."""

from datetime import timedelta
from typing import Any

import pytest
from moto.iam.models import AccessKeyLastUsed

from accounts.models import AccessKey, Account, IAMUser, Person, Team
from accounts.usecases import first_keys
from accounts.usecases.sealed_secrets import expire_sealed_secrets
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery
from portal.secrets.models import SealedSecret
from tests import factories
from tests.accounts.carrying import age, deliver_until_quiet, rename
from tests.aws.server import AWS

NAME = "ledger-writer"


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it, who has a key already."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    outside.create_access_key(UserName=NAME)
    age(aws, prod, NAME)
    return outside


@pytest.fixture
def fresh(iam: Any, prod: Account, payments: Team, lena: Person, mia: Person) -> AccessKey:
    """A second key that the portal made, and that nobody has opened."""
    user = iam.get_user(UserName=NAME)["User"]
    row = factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"]
    )
    first_keys.create_access_key(by=lena, iam_user=row, at=database_now())
    deliver_until_quiet()
    return AccessKey.objects.get()


def statuses(iam: Any, user_name: str = NAME) -> dict[str, str]:
    return {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=user_name)["AccessKeyMetadata"]}


def let_the_time_pass() -> None:
    expire_sealed_secrets(by=None, at=database_now() + timedelta(hours=25))


def test_it_is_deleted_and_no_other(iam: Any, fresh: AccessKey) -> None:
    [other] = set(statuses(iam)) - {fresh.access_key_id}
    let_the_time_pass()

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert statuses(iam) == {other: "Active"}
    fresh.refresh_from_db()
    assert fresh.gone_at is not None
    assert SealedSecret.objects.get().state == "expired"


def test_one_that_was_used_all_the_same_is_made_inactive(aws: AWS, iam: Any, fresh: AccessKey) -> None:
    [key] = [
        key
        for key in aws.backend(fresh.account.account_id).users[NAME].access_keys
        if key.access_key_id == fresh.access_key_id
    ]
    key.last_used = AccessKeyLastUsed(database_now(), "s3", "us-east-1")
    let_the_time_pass()

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert statuses(iam)[fresh.access_key_id] == "Inactive"
    fresh.refresh_from_db()
    assert (fresh.status, fresh.gone_at) == ("Inactive", None)


def test_one_that_is_gone_already_is_gone(iam: Any, fresh: AccessKey) -> None:
    iam.delete_access_key(UserName=NAME, AccessKeyId=fresh.access_key_id)
    let_the_time_pass()

    assert deliver_until_quiet().state == Delivery.State.DONE
    fresh.refresh_from_db()
    assert fresh.gone_at is not None


def test_it_is_found_under_another_name(aws: AWS, iam: Any, prod: Account, fresh: AccessKey) -> None:
    rename(aws, prod, (NAME, "ledger-scribe"))
    let_the_time_pass()

    assert deliver_until_quiet().state == Delivery.State.DONE
    assert fresh.access_key_id not in statuses(iam, "ledger-scribe")
    assert IAMUser.objects.get().gone_at is None
