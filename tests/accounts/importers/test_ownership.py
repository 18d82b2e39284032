"""Whose an imported IAM user is: what its tags tell, and the portal's own unfinished work; nothing by a forged tag."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.importers.ownership import FIELDS, Ownership
from accounts.models import Account, AccountImport, IAMGroup, IAMPolicy, IAMUser, Organization, Person, Team
from accounts.usecases.iam_users import create_iam_user, tag_iam_user
from accounts.usecases.ownership import assign_iam_users
from portal.aws.iam.account import UserDetail
from portal.ledger import deliver as worker
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws.server import AWS
from tests.aws.strict import Fault

Read = Callable[..., AccountImport]


def make(aws: AWS, account: Account, user_name: str, **tags: str) -> None:
    """Make a user in AWS past the portal."""
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws.boto3(account.account_id).create_user(UserName=user_name, Tags=listed)


def test_tags_tell_team_owner_kind_and_purpose(
    aws: AWS, bare: Account, read: Read, payments: Team, mia: Person
) -> None:
    make(aws, bare, "mia", team="payments", Owner="MIA@acme.test")
    make(aws, bare, "writer", Team="Payments", kind="application", purpose="Writes the ledger")
    make(aws, bare, "plain")

    read(bare)

    rows = {row.user_name: row for row in IAMUser.objects.all()}
    assert (rows["mia"].team, rows["mia"].owner, rows["mia"].kind) == (payments, mia, "person")
    assert (rows["writer"].team, rows["writer"].kind, rows["writer"].purpose) == (
        payments,
        "application",
        "Writes the ledger",
    )
    assert (rows["plain"].team, rows["plain"].owner, rows["plain"].kind) == (None, None, "person")


def test_tags_tell_it_once_and_people_afterwards(
    aws: AWS, bare: Account, read: Read, payments: Team, platform: Team, olive: Person
) -> None:
    make(aws, bare, "mia", team="payments")
    read(bare)
    assign_iam_users(by=olive, iam_users=[IAMUser.objects.get()], team=platform, at=database_now())

    read(bare)

    assert IAMUser.objects.get().team == platform


def test_a_tag_does_not_reach_into_another_organization(
    aws: AWS, bare: Account, read: Read, core: Team, oskar: Person
) -> None:
    make(aws, bare, "lure", team="Core", owner="oskar@globex.test")

    read(bare)

    row = IAMUser.objects.get()
    assert (row.team, row.owner) == (None, None)


def test_hostile_tags_and_documents_are_text(aws: AWS, bare: Account, read: Read) -> None:
    make(aws, bare, "x", team="../../=+ @", owner="=cmd", kind="APPLICATION", purpose="p" * 256)
    backend = aws.backend(bare.account_id)
    backend.users["x"].policies["inline"] = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", '
        '"Resource": ["a\\u0000b", "\\ud800", "<script>", "{{ x }}"]}]}'
    )

    account_import = read(bare)

    assert account_import.error == ""
    row = IAMUser.objects.get()
    assert (row.kind, row.purpose, row.team, row.owner) == ("application", "p" * 200, None, None)
    resources = row.inline_policies["inline"]["Statement"][0]["Resource"]
    assert resources == ["a\N{REPLACEMENT CHARACTER}b", "\N{REPLACEMENT CHARACTER}", "<script>", "{{ x }}"]


# What the import asks for many at once


def detail(user_name: str, user_id: str, **tags: str) -> UserDetail:
    """What AWS tells of an IAM user that has nothing but tags."""
    return UserDetail(
        user_name=user_name, user_id=user_id, arn="", path="/", create_date=factories.READ_AT, user_policy_list=(),
        group_list=(), attached_managed_policies=(), permissions_boundary=None, tags=tags,
    )  # fmt: skip


def test_rows_that_are_there_follow_and_only_the_changed_come_back(
    acme_prod: Account, payments: Team, platform: Team
) -> None:
    names = ("moves", "stays", "not-told", "by-hand")
    rows = [factories.iam_user(acme_prod, name, team=payments, team_said_by="tags") for name in names]
    rows[3].team_said_by = "hand"
    told = [detail(row.user_name, row.user_id, team="payments" if row is rows[1] else "platform") for row in rows]

    changed = Ownership(acme_prod).refresh(rows, {user.user_id: user for user in told if user.user_name != "not-told"})
    IAMUser.objects.bulk_update(changed, FIELDS)

    assert changed == [rows[0]]
    assert set(IAMUser.objects.filter(team=platform)) == {rows[0]}


@pytest.mark.parametrize("tag", ["", "b7c5a1de-0000-4000-8000-000000000001"])
def test_a_thousand_new_iam_users_take_a_fixed_number_of_queries(acme_prod: Account, payments: Team, tag: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        owners = Ownership(acme_prod)
        for number in range(1000):
            user = detail(f"robot-{number}", f"AIDA{number}", **{"team": "payments", "gatehouse:entry": tag})
            row = owners.given_up(user) or IAMUser(organization=acme_prod.organization, account=acme_prod)
            owners.fill(row, user)

    assert len(queries) == (4 if tag else 3)


# The portal's own


@pytest.fixture
def given_up(aws: AWS, prod: Account, olive: Person, payments: Team) -> IAMUser:
    """A creation that was given up although AWS had made the user."""
    create_iam_user(
        by=olive, team=payments, account=prod, user_name="mia", kind="person", owner=olive, at=database_now()
    )
    aws.faults.inject("AddUserToGroup", Fault.DENY)
    aws.faults.inject("GetUser", Fault.DENY)
    delivery = deliver_until_quiet()
    assert delivery.state == Delivery.State.STUCK
    worker.abandon(delivery=delivery, at=database_now())
    return IAMUser.objects.get()


def test_a_given_up_creation_is_found_again_by_its_tag(
    aws: AWS, prod: Account, given_up: IAMUser, read: Read, payments: Team, olive: Person
) -> None:
    account_import = read(prod)

    assert account_import.counts["new"] == 1
    row = IAMUser.objects.get()
    assert (row.pk, row.is_in_aws, row.team, row.owner) == (given_up.pk, True, payments, olive)


@pytest.mark.parametrize("value", ["nonsense", "", "b7c5a1de-0000-4000-8000-000000000001"])
def test_a_tag_that_names_no_entry_is_only_a_tag(
    aws: AWS, prod: Account, given_up: IAMUser, read: Read, value: str
) -> None:
    make(aws, prod, "other", **{"gatehouse:entry": value})

    read(prod)

    assert IAMUser.objects.get(user_name="other").team is None


def test_a_forged_tag_on_another_name_makes_a_plain_row(aws: AWS, prod: Account, given_up: IAMUser, read: Read) -> None:
    vars(aws.backend(prod.account_id))["users"].clear()
    make(aws, prod, "forger", **{"gatehouse:entry": str(Entry.objects.get().pk)})

    read(prod)

    forged = IAMUser.objects.get(user_name="forger")
    assert (forged.team, forged.owner) == (None, None)
    given_up.refresh_from_db()
    assert (given_up.user_name, given_up.user_id) == ("mia", "")


def test_a_forged_tag_of_another_organization_makes_a_plain_row(
    aws: AWS, prod: Account, given_up: IAMUser, read: Read, globex: Organization, globex_main: Account
) -> None:
    aws.account(globex_main.account_id, external_id=globex_main.external_id)
    make(aws, globex_main, "mia", **{"gatehouse:entry": str(Entry.objects.get().pk)})

    read(globex_main)

    stolen = IAMUser.objects.get(account=globex_main)
    assert (stolen.organization, stolen.team, stolen.owner) == (globex, None, None)
    given_up.refresh_from_db()
    assert not given_up.is_in_aws


def test_a_forged_tag_in_another_account_makes_a_plain_row(
    aws: AWS, given_up: IAMUser, read: Read, acme_dev: Account
) -> None:
    aws.account(acme_dev.account_id, external_id=acme_dev.external_id)
    make(aws, acme_dev, "mia", **{"gatehouse:entry": str(Entry.objects.get().pk)})

    read(acme_dev)

    assert IAMUser.objects.get(account=acme_dev).team is None


def test_a_forged_tag_does_not_take_a_creation_on_its_way(
    aws: AWS, prod: Account, olive: Person, payments: Team, read: Read
) -> None:
    coming = create_iam_user(by=olive, team=payments, account=prod, user_name="mia", kind="person", at=database_now())
    make(aws, prod, "forger", **{"gatehouse:entry": str(Entry.objects.get().pk)})

    read(prod)

    coming.refresh_from_db()
    assert (coming.user_name, coming.user_id, coming.read_at) == ("mia", "", None)
    assert IAMUser.objects.get(user_name="forger").team is None


def test_a_tag_of_an_entry_about_something_else_is_only_a_tag(
    aws: AWS, prod: Account, given_up: IAMUser, read: Read, lena: Person
) -> None:
    tagged = factories.iam_user(prod, "tagged", team=given_up.team)
    tag_iam_user(by=lena, iam_user=tagged, tags={"a": "b"}, at=database_now() + timedelta(seconds=1))
    entry = Entry.objects.get(kind="accounts.iam_user.tagged")
    make(aws, prod, "forger", **{"gatehouse:entry": str(entry.pk)})

    read(prod)

    assert IAMUser.objects.get(user_name="forger").team is None


def test_groups_and_policies_are_of_their_account(aws: AWS, prod: Account, read: Read, globex_main: Account) -> None:
    aws.account(globex_main.account_id, external_id=globex_main.external_id)
    aws.boto3(globex_main.account_id).create_group(GroupName="ledger-writers")

    read(prod)
    read(globex_main)

    assert IAMGroup.objects.filter(group_name="ledger-writers").count() == 2
    assert IAMGroup.objects.get(account=globex_main).organization == globex_main.organization
    assert not IAMPolicy.objects.exists()
