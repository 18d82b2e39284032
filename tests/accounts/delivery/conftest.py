"""The fixtures of the deliveries' tests."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from accounts.models import Account, IAMUser, Person, Team
from portal.aws import calls
from portal.aws.calls import Answer
from tests import factories
from tests.accounts.carrying import Death, age
from tests.aws.server import AWS

# The IAM user of these tests.
NAME = "ledger-writer"


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the worker die as soon as AWS has answered its n-th call from now on; the one after it lives."""
    call = calls.call

    def dying(count: int) -> None:
        left = count

        def counted(client: BaseClient, operation: str, **parameters: object) -> Answer:
            nonlocal left
            answer = call(client, operation, **parameters)
            left -= 1
            if left == 0:
                raise Death
            return answer

        monkeypatch.setattr(calls, "call", counted)

    return dying


@pytest.fixture
def iam(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it."""
    outside = aws.boto3(prod.account_id)
    outside.create_user(UserName=NAME)
    age(aws, prod, NAME)
    return outside


@pytest.fixture
def mias(iam: Any, prod: Account, payments: Team, mia: Person) -> IAMUser:
    """The IAM user, owned by Mia, as the portal last read it."""
    user = iam.get_user(UserName=NAME)["User"]
    return factories.iam_user(
        prod, NAME, team=payments, owner=mia, user_id=user["UserId"], create_date=user["CreateDate"]
    )
