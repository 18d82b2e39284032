"""What the tests of proofs share: a rotation whose new key is real in the embedded AWS, and a trap."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Account, Person, Rotation, Team
from tests import factories
from tests.accounts.bad_pastes import Pasting
from tests.aws.server import AWS

NAME = "ledger-writer"


@pytest.fixture
def trap() -> Iterator[str]:
    """Another server's address; whoever connects to it fails the test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.fixture
def outside(aws: AWS, prod: Account) -> Any:
    """AWS from outside, with the IAM user in it."""
    iam = aws.boto3(prod.account_id)
    iam.create_user(UserName=NAME)
    iam.create_user(UserName="somebody-else")
    return iam


@pytest.fixture
def pasting(aws: AWS, outside: Any, trap: str) -> Pasting:
    """The keys of the IAM user, and of another one."""
    old, new, others = (outside.create_access_key(UserName=name)["AccessKey"] for name in (NAME, NAME, "somebody-else"))
    return Pasting(aws.url, trap, old=old, new=new, others=others)


@pytest.fixture
def rotation(outside: Any, pasting: Pasting, prod: Account, payments: Team, mia: Person) -> Rotation:
    """Mia's, whose new key was opened."""
    user = outside.get_user(UserName=NAME)["User"]
    row = factories.iam_user(prod, NAME, team=payments, owner=mia, user_id=user["UserId"])
    old, new = (factories.access_key(row, access_key_id=key["AccessKeyId"]) for key in (pasting.old, pasting.new))
    return factories.rotation(old, new_key=new, state="delivered")
