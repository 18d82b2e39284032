"""A worker's test of a connection, from the row's "Waiting" to its outcome, with AWS and the ledger."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError

from accounts import tasks
from accounts.importers import connection, probes
from accounts.importers.embedded_role import NoEmbeddedAWS
from accounts.importers.role_documents import role_of
from accounts.models import Account, AccountImport, ConnectionTest, Person
from accounts.usecases import connections
from portal.ledger.models import Entry
from tests import factories
from tests.aws.server import AWS

Run = Callable[[], ConnectionTest]


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def new(acme_prod: Account) -> Account:
    """Acme's first account, as it is before its first test."""
    acme_prod.state = Account.State.NEW
    acme_prod.save()
    return acme_prod


@pytest.fixture
def run(aws: AWS, new: Account, olive: Person) -> Run:
    """Test the connection once."""

    def run() -> ConnectionTest:
        test = factories.connection_test(new, asked_by=olive)
        tasks.test_connection(test.pk)
        test.refresh_from_db()
        new.refresh_from_db()
        return test

    return run


def test_a_role_in_place_connects_the_account(aws: AWS, new: Account, olive: Person, run: Run) -> None:
    role = role_of(new, with_discovery=False)
    aws.account(new.account_id, trust=role.trust)
    aws.boto3(new.account_id).put_role_policy(
        RoleName="gatehouse-portal", PolicyName="gatehouse", PolicyDocument=json.dumps(role.policy)
    )

    test = run()

    assert (test.state, new.state) == ("passed", Account.State.CONNECTED)
    assert [check["name"] for check in test.checks] == [name for name, _ in probes.CHECKS]
    assert {check["outcome"] for check in test.checks} == {"passed"}
    assert all(check["words"] for check in test.checks)
    assert Entry.objects.get().by_name == str(olive)
    assert AccountImport.objects.get().account == new


def test_without_a_role_it_stays_untested(new: Account, run: Run) -> None:
    test = run()

    assert (test.state, new.state) == ("failed", Account.State.NEW)
    assert [check["outcome"] for check in test.checks] == ["passed", "failed", *["left out"] * 5]
    assert not Entry.objects.exists()


def test_abuse_a24_an_open_role_refuses_the_account_until_it_is_mended(aws: AWS, new: Account, run: Run) -> None:
    role = role_of(new, with_discovery=False)
    is_open = json.loads(json.dumps(role.trust))
    del is_open["Statement"][0]["Condition"]
    aws.account(new.account_id, trust=is_open)

    test = run()
    assert (test.state, new.state) == ("failed", Account.State.REFUSED)
    assert "sts:ExternalId" in new.state_reason
    assert Entry.objects.get().kind == "accounts.account.refused"

    outside = aws.boto3(new.account_id)
    outside.update_assume_role_policy(RoleName="gatehouse-portal", PolicyDocument=json.dumps(role.trust))
    outside.put_role_policy(RoleName="gatehouse-portal", PolicyName="x", PolicyDocument=json.dumps(role.policy))
    test = run()
    assert (test.state, new.state, new.state_reason) == ("passed", Account.State.CONNECTED, "")


def test_the_second_of_two_bells_finds_nothing_to_do(aws: AWS, new: Account, run: Run) -> None:
    test = run()
    calls = len(aws.trace)

    tasks.test_connection(test.pk)

    assert len(aws.trace) == calls


def test_what_nobody_foresaw_is_an_outcome_too(new: Account, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(account: Account) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(probes, "examine", fails)

    test = run()

    assert (test.state, test.checks[0]["outcome"], new.state) == ("failed", "unclear", Account.State.NEW)
    assert "ZeroDivisionError" in test.checks[0]["words"]


def test_with_the_database_away_the_test_is_left_for_its_lease_to_end(
    new: Account, olive: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(account: Account) -> Any:
        raise OperationalError

    monkeypatch.setattr(probes, "examine", fails)
    test = factories.connection_test(new, asked_by=olive)

    with pytest.raises(OperationalError):
        connection.run(test.pk, conclude=connections.conclude_test)
    test.refresh_from_db()
    assert test.state == "testing"


def test_the_embedded_aws_is_given_the_role_that_the_page_shows(
    aws: AWS, new: Account, run: Run, settings: Any
) -> None:
    settings.AWS_IS_EMBEDDED = True
    aws.account(new.account_id, external_id="of-somebody-else-entirely")
    assert run().state == "failed"

    tasks.put_embedded_role(new.pk)
    tasks.put_embedded_role(new.pk)

    assert run().state == "passed"
    assert len(aws.boto3(new.account_id).list_roles()["Roles"]) == 1


def test_a_real_aws_is_given_nothing(aws: AWS, new: Account, settings: Any) -> None:
    settings.AWS_IS_EMBEDDED = False

    with pytest.raises(NoEmbeddedAWS):
        tasks.put_embedded_role(new.pk)

    assert not aws.backend(new.account_id).roles
