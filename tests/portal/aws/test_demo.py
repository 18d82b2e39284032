"""The demo in the embedded AWS."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from moto.core.utils import utcnow

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.iam.account import AccountAuthorizationDetails, EntityType
from portal.aws.simulator import demo
from portal.aws.simulator.demo_accounts import ACCOUNTS, DemoAccount
from tests.aws.server import AWS
from tests.aws.whole import whole

AT = datetime(2026, 11, 23, 12, 0)  # noqa: DTZ001 -- moto's times are UTC without a zone
ALL = (EntityType.USER, EntityType.GROUP, EntityType.ROLE, EntityType.LOCAL_MANAGED_POLICY)


@pytest.fixture
def loaded(aws: AWS) -> AWS:
    demo.load_demo(at=AT)
    return aws


def door(account: DemoAccount) -> Door:
    return Door(account.account_id, account.role_arn, account.external_id)


def read(account: DemoAccount) -> AccountAuthorizationDetails:
    return whole(connect.iam(door(account)).get_account_authorization_details(filter=ALL))


def test_the_portal_enters_every_account_of_the_demo(loaded: AWS) -> None:
    aliases = {account.account_id: connect.iam(door(account)).list_account_aliases() for account in ACCOUNTS}

    assert aliases == {
        "111122223333": ("acme-prod",),
        "222233334444": ("acme-dev",),
        "333344445555": ("globex-main",),
        "444455556666": ("acme-sandbox",),
    }


def test_there_are_about_sixty_users_in_the_connected_accounts(loaded: AWS) -> None:
    users = [user for account in ACCOUNTS if account.is_connected for user in read(account).user_detail_list]

    assert 55 <= len(users) <= 65
    assert all(user.tags["owner"].endswith((".test",)) and user.tags["team"] for user in users)
    assert all(user.path.startswith("/portal/") for user in users)


def test_mia_is_in_both_accounts_of_acme(loaded: AWS) -> None:
    owners = [
        (account.alias, user.tags["owner"], user.path)
        for account in ACCOUNTS
        for user in read(account).user_detail_list
        if user.user_name == "mia"
    ]

    assert owners == [
        ("acme-prod", "mia@acme.test", "/portal/acme/payments/"),
        ("acme-dev", "mia@acme.test", "/portal/acme/payments/"),
    ]


def test_every_group_of_a_user_is_there_and_has_policies(loaded: AWS) -> None:
    for account in ACCOUNTS:
        details = read(account)
        groups = {group.group_name: group for group in details.group_detail_list}
        assert all(name in groups for user in details.user_detail_list for name in user.group_list)
        assert all(group.attached_managed_policies for group in groups.values())


def test_keys_have_a_past_worth_looking_at(loaded: AWS) -> None:
    iam = connect.iam(door(ACCOUNTS[0]))
    now = AT.replace(tzinfo=UTC)

    (overdue,) = iam.list_access_keys(user_name="mia")
    assert now - overdue.create_date > timedelta(days=90)
    assert [key.status for key in iam.list_access_keys(user_name="payments-api")] == ["Active", "Active"]
    (unused,) = iam.list_access_keys(user_name="fraud-scorer")
    last_used = iam.get_access_key_last_used(access_key_id=unused.access_key_id).last_used_date
    assert last_used is not None
    assert now - last_used > timedelta(days=80)


def test_payments_has_one_overdue_active_key_in_production(loaded: AWS) -> None:
    iam = connect.iam(door(ACCOUNTS[0]))
    payments = [user for user in read(ACCOUNTS[0]).user_detail_list if user.tags["team"] == "Payments"]

    overdue = [
        user.user_name
        for user in payments
        for key in iam.list_access_keys(user_name=user.user_name)
        if key.status == "Active" and AT.replace(tzinfo=UTC) - key.create_date > timedelta(days=90)
    ]

    assert overdue == ["mia"]


def test_the_report_tells_passwords_and_mfa(loaded: AWS) -> None:
    iam = connect.iam(door(ACCOUNTS[0]))
    iam.generate_credential_report()
    rows = {row.user: row for row in iam.get_credential_report().rows}

    assert rows["mia"].mfa_active
    assert rows["mia"].password_last_used is not None
    assert not rows["tomas"].mfa_active
    assert rows["payments-api"].password_enabled is False
    assert rows["mia"].access_keys[0].last_rotated == iam.list_access_keys(user_name="mia")[0].create_date


def test_the_same_time_gives_the_same_demo(loaded: AWS) -> None:
    first = [read(account) for account in ACCOUNTS]
    keys = connect.iam(door(ACCOUNTS[0])).list_access_keys(user_name="mia")

    demo.load_demo(at=AT)

    # When a role was last used is not the demo's but the portal's own doing.
    assert [details.user_detail_list for details in first] == [read(account).user_detail_list for account in ACCOUNTS]
    assert [details.policies for details in first] == [read(account).policies for account in ACCOUNTS]
    assert connect.iam(door(ACCOUNTS[0])).list_access_keys(user_name="mia") == keys
    assert len(loaded.calls("AssumeRole")) == len(ACCOUNTS), "sessions of the portal live on"


def test_loading_again_takes_back_what_was_done(loaded: AWS) -> None:
    iam = connect.iam(door(ACCOUNTS[0]))
    iam.create_user(user_name="ledger-writer", tags={}, permissions_boundary=None)

    answer = requests.post(f"{loaded.url}/gatehouse/demo", timeout=10)

    assert answer.status_code == 200
    assert "ledger-writer" not in [user.user_name for user in read(ACCOUNTS[0]).user_detail_list]
    (key,) = iam.list_access_keys(user_name="mia")
    assert utcnow().replace(tzinfo=UTC) - key.create_date > timedelta(days=90)


def test_a_get_does_not_load_the_demo(aws: AWS) -> None:
    assert requests.get(f"{aws.url}/gatehouse/demo", timeout=10).status_code == 404
    assert requests.get(f"{aws.url}/gatehouse/health", timeout=10).status_code == 200
