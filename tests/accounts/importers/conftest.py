"""The fixtures of the imports' tests."""

import json
from collections.abc import Callable

import pytest

from accounts import importers
from accounts.models import Account, AccountImport
from portal.ledger.clock import database_now
from tests.aws import authenticator
from tests.aws.server import AWS

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS makes its credential reports at once here."""
    monkeypatch.setattr("accounts.importers.snapshot.REPORT_PAUSE_SECONDS", 0)


@pytest.fixture
def bare(aws: AWS, acme_prod: Account) -> Account:
    """Acme's first account with nothing in it but the portal's role."""
    aws.account(acme_prod.account_id, external_id=acme_prod.external_id)
    return acme_prod


@pytest.fixture
def read(aws: AWS) -> Callable[[Account], AccountImport]:
    """Import an account once, with a credential report that is new."""

    def read(account: Account, *, new_report: bool = True) -> AccountImport:
        if new_report:
            aws.expire_credential_report(account.account_id)
        account_import = AccountImport.objects.create(
            organization=account.organization, account=account, lease_until=database_now()
        )
        importers.run(account_import.pk)
        account_import.refresh_from_db()
        return account_import

    return read


@pytest.fixture
def full(aws: AWS, bare: Account) -> Account:
    """An account with one of everything."""
    iam = aws.boto3(bare.account_id)
    iam.create_account_alias(AccountAlias="acme-prod")
    arn = iam.create_policy(PolicyName="ledger-write", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    iam.create_group(GroupName="ledger-writers", Path="/ledger/")
    iam.put_group_policy(GroupName="ledger-writers", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    iam.attach_group_policy(GroupName="ledger-writers", PolicyArn=arn)
    iam.create_user(
        UserName="mia", Path="/people/", PermissionsBoundary=arn, Tags=[{"Key": "team", "Value": "payments"}]
    )
    iam.add_user_to_group(UserName="mia", GroupName="ledger-writers")
    iam.attach_user_policy(UserName="mia", PolicyArn=arn)
    iam.put_user_policy(UserName="mia", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    iam.create_login_profile(UserName="mia", Password="correct horse battery")
    iam.create_access_key(UserName="mia")
    authenticator.enable(iam, "mia")
    return bare
