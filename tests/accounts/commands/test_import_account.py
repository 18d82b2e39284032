"""`manage.py import_account`: what it reads and what it says."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account, AccountImport, IAMUser, Organization
from portal.ledger.clock import database_now
from tests import factories
from tests.aws.server import AWS, EXTERNAL_ID
from tests.aws.strict import Fault

ACCOUNT_ID = "111122223333"


@pytest.fixture
def account(aws: AWS, acme: Organization) -> Account:
    """An account with three IAM users in AWS, of whom the portal knows nothing yet."""
    aws.account(ACCOUNT_ID)
    for name in ("noah", "priya", "tomas"):
        aws.boto3(ACCOUNT_ID).create_user(UserName=name)
    return factories.account(acme, ACCOUNT_ID, external_id=EXTERNAL_ID)


def said(account_id: str) -> str:
    out = StringIO()
    call_command("import_account", account_id, stdout=out)
    return out.getvalue()


def test_it_tells_calls_users_and_seconds(aws: AWS, account: Account) -> None:
    lines = [line.split(maxsplit=1) for line in said(ACCOUNT_ID).splitlines()]

    counts = {words: number for number, words in lines}
    assert counts["IAM users"] == "3"
    assert counts["AssumeRole"] == "1"
    assert counts["GetAccountAuthorizationDetails"] == str(len(aws.calls("GetAccountAuthorizationDetails")))
    assert counts["calls"] == str(len(aws.trace))
    assert float(counts["seconds"]) >= 0
    assert set(IAMUser.objects.values_list("user_name", flat=True)) == {"noah", "priya", "tomas"}


def test_no_worker_is_told_of_it(
    account: Account, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[object]]]
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        said(ACCOUNT_ID)

    assert callbacks == []


def test_an_account_that_cannot_be_read_is_an_error(aws: AWS, account: Account) -> None:
    aws.faults.inject("GetAccountAuthorizationDetails", Fault.DENY)

    with pytest.raises(CommandError, match="could not be read"):
        said(ACCOUNT_ID)
    assert AccountImport.objects.get().state == AccountImport.State.FAILED


def test_one_that_is_being_read_is_not_read_twice(aws: AWS, account: Account) -> None:
    factories.account_import(account, lease_until=database_now().replace(year=2100))

    with pytest.raises(CommandError, match="being read already"):
        said(ACCOUNT_ID)
    assert aws.trace == []


def test_an_unknown_account_is_an_error(db: None) -> None:
    with pytest.raises(CommandError, match="No account 999999999999 is connected"):
        said("999999999999")
