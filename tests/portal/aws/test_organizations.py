"""AWS Organizations, against the embedded AWS over HTTP."""

from datetime import datetime
from pathlib import Path

import pytest
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.errors import Denied, NotFound, TryLater
from portal.aws.organizations import MemberAccount, Organizations
from portal.aws.simulator import demo_organization, hub, state
from tests.aws.server import AWS
from tests.aws.strict import Fault

AT = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 -- moto's times are UTC without a zone
MANAGEMENT, MEMBER = "111122223333", "222233334444"


@pytest.fixture
def door(aws: AWS) -> Door:
    demo_organization.load_organization(at=AT)
    return aws.account(MANAGEMENT)


@pytest.fixture
def organizations(door: Door) -> Organizations:
    return connect.organizations(door)


def test_the_management_account_tells_its_accounts(organizations: Organizations) -> None:
    assert organizations.describe_organization().management_account_id == MANAGEMENT
    assert organizations.describe_organization().id == "o-acmedemo001"

    told = {account.id: account for account in organizations.list_accounts()}

    assert {number: account.state for number, account in told.items()} == {
        MANAGEMENT: "ACTIVE",
        MEMBER: "ACTIVE",
        "444455556666": "ACTIVE",
        "555566667777": "ACTIVE",
        "666677778888": "SUSPENDED",
    }
    assert told[MEMBER] == MemberAccount(
        id=MEMBER, arn=told[MEMBER].arn, name="acme-dev", email="aws+acme-dev@acme.test", state="ACTIVE"
    )
    assert MEMBER in told[MEMBER].arn


def test_every_page_is_read(aws: AWS, organizations: Organizations) -> None:
    backend = organizations_backends[MANAGEMENT][hub.PARTITION]
    for number in range(40):
        demo_organization.add_member(backend, f"9{number:011d}", f"more-{number}", joined_at=AT)

    assert len(organizations.list_accounts()) == 45
    assert len(aws.calls("ListAccounts")) == 3


def test_a_page_that_fails_leaves_nothing(aws: AWS, organizations: Organizations) -> None:
    backend = organizations_backends[MANAGEMENT][hub.PARTITION]
    for number in range(40):
        demo_organization.add_member(backend, f"9{number:011d}", f"more-{number}", joined_at=AT)
    aws.faults.inject("ListAccounts", Fault.THROTTLE, nth=2, times=99)

    with pytest.raises(TryLater):
        organizations.list_accounts()


def test_another_account_may_ask_about_the_organization_and_not_for_its_accounts(aws: AWS, door: Door) -> None:
    member = connect.organizations(aws.account(MEMBER))

    assert member.describe_organization().management_account_id == MANAGEMENT
    with pytest.raises(Denied) as denied:
        member.list_accounts()
    assert denied.value.code == "AccessDeniedException"


def test_an_account_of_no_organization_finds_none(aws: AWS, door: Door) -> None:
    alone = connect.organizations(aws.account("999900001111"))

    for ask in (alone.describe_organization, alone.list_accounts):
        with pytest.raises(NotFound):
            ask()


def test_it_is_known_again_after_a_restart(aws: AWS, door: Door, tmp_path: Path) -> None:
    path = tmp_path / "state"
    state.save(path)
    state.clear()
    organizations_backends.master_accounts.clear()
    state.load(path)

    assert len(connect.organizations(door).list_accounts()) == 5
    assert connect.organizations(aws.account(MEMBER)).describe_organization().id == "o-acmedemo001"


def test_loading_it_again_makes_no_account_of_its_own(aws: AWS, door: Door) -> None:
    before = set(iam_backends)

    demo_organization.load_organization(at=AT)

    assert set(iam_backends) == before
