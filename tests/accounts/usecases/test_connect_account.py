"""Connect an AWS account."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.models import Account, Duty, Organization, Person, Team
from accounts.usecases.accounts import connect_account
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.portal.ledger.carrying import together

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Connect = Callable[..., Account]


@pytest.fixture
def connect(olive: Person, acme: Organization) -> Connect:
    """Olive connects an account, but for what the test says otherwise."""

    def connect(**changes: Any) -> Account:
        told: dict[str, Any] = {
            "by": olive,
            "organization": acme,
            "account_id": "444455556666",
            "name": "acme-sandbox",
            "role_name": "gatehouse-portal",
            "at": AT,
        }
        return connect_account(**told | changes)

    return connect


def test_it_saves_the_account_and_says_so(connect: Connect) -> None:
    account = connect()

    assert (account.state, account.name) == (Account.State.NEW, "acme-sandbox")
    entry = Entry.objects.get()
    assert entry.kind == "accounts.account.connected"
    assert entry.details == {
        "account_id": "444455556666",
        "name": "acme-sandbox",
        "role_arn": "arn:aws:iam::444455556666:role/gatehouse-portal",
    }
    assert not Delivery.objects.exists()


def test_the_external_id_is_made_here_and_never_twice_the_same(connect: Connect) -> None:
    other = "555566667777"

    one, two = connect(), connect(account_id=other)

    assert one.external_id != two.external_id
    assert min(len(one.external_id), len(two.external_id)) >= 32
    assert not {"444455556666", other} & {one.external_id, two.external_id}


@pytest.mark.parametrize("duty", [Duty.LEAD, Duty.HELPDESK, Duty.AUDITOR, Duty.MEMBER])
def test_it_refuses_who_has_no_duty_for_it(
    connect: Connect, leaves_nothing: Block, duty: Duty, acme: Organization, payments: Team
) -> None:
    somebody = factories.member("somebody@acme.test", duty, of=acme, team=payments)

    with leaves_nothing(NotAllowed):
        connect(by=somebody)


def test_another_organization_does_not_exist(connect: Connect, leaves_nothing: Block, oskar: Person) -> None:
    with leaves_nothing(NotThere):
        connect(by=oskar)


@pytest.mark.parametrize(
    "account_id", ["", "44445555666", "4444555566667", "44445555666a", "٤٤٤٤٥٥٥٥٦٦٦٦", "444455556666\n"]
)
def test_it_refuses_what_is_no_account_id(connect: Connect, leaves_nothing: Block, account_id: str) -> None:
    with leaves_nothing(ValidationError, match="12 digits"):
        connect(account_id=account_id)


@pytest.mark.parametrize(
    "role_name", ["", "a b", "a\n", "a/b", "r" * 65, "rôle", "arn:aws:iam::444455556666:role/gatehouse-portal"]
)
def test_it_refuses_what_is_no_name_of_a_role(connect: Connect, leaves_nothing: Block, role_name: str) -> None:
    with leaves_nothing(ValidationError, match="1 to 64 letters") as refused:
        connect(role_name=role_name)
    assert list(refused.value.message_dict) == ["role_name"]


@pytest.mark.parametrize(
    ("hub", "partition"),
    [("", "aws"), ("arn:aws-us-gov:iam::123456789012:role/gatehouse", "aws-us-gov"), ("arn:aws-cn:x", "aws-cn")],
)
def test_the_role_lies_in_the_partition_of_the_hub(connect: Connect, settings: Any, hub: str, partition: str) -> None:
    settings.HUB_PRINCIPAL_ARN = hub

    assert connect().role_arn == f"arn:{partition}:iam::444455556666:role/gatehouse-portal"


def test_abuse_a24_an_account_is_one_organizations(
    connect: Connect, leaves_nothing: Block, globex: Organization, oskar: Person
) -> None:
    connect()

    with leaves_nothing(ValidationError) as refused:
        connect(by=oskar, organization=globex)
    assert list(refused.value.message_dict) == ["account_id"]
    (words,) = refused.value.messages
    assert not [word for word in ("Acme", "acme", "Olive", "sandbox") if word in words]
    assert "ask whoever runs this portal" in words


def test_ones_own_account_is_named(connect: Connect, leaves_nothing: Block) -> None:
    connect()

    with leaves_nothing(ValidationError, match=r"already: acme-sandbox \(444455556666\)"):
        connect(name="again")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_connect_an_account_at_once_one_gets_it(
    connect: Connect, globex: Organization, oskar: Person, olive: Person, acme: Organization
) -> None:
    askers = [{"by": olive, "organization": acme}, {"by": oskar, "organization": globex}]

    outcomes = together(2, lambda number: connect(**askers[number]))

    made, refused = sorted(outcomes, key=lambda outcome: isinstance(outcome, ValidationError))
    assert isinstance(refused, ValidationError)
    assert [made] == list(Account.objects.all())
    assert Entry.objects.count() == 1


def test_one_that_is_taken_after_the_check_is_refused_at_its_id(
    connect: Connect, leaves_nothing: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()
    monkeypatch.setattr("accounts.usecases.accounts._check_is_free", lambda *args: None)
    monkeypatch.setattr(Account, "full_clean", lambda *args, **kwargs: None)

    with leaves_nothing(ValidationError) as refused:
        connect()
    assert list(refused.value.message_dict) == ["account_id"]
