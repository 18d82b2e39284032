"""Names that change between two imports, and what the portal itself is doing meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.models import (
    Account,
    AccountImport,
    IAMGroup,
    IAMUser,
    Person,
    Team,
)
from portal.ledger.clock import database_now
from tests import factories
from tests.accounts.carrying import rename
from tests.aws.server import AWS

MINUTE = timedelta(minutes=1)

Read = Callable[..., AccountImport]


def test_a_user_with_another_name_is_the_same_user(aws: AWS, full: Account, read: Read, olive: Person) -> None:
    read(full)
    IAMUser.objects.update(owner=olive)
    rename(aws, full, ("mia", "mia-2"))

    account_import = read(full)

    assert (account_import.counts["new"], account_import.counts["gone"]) == (0, 0)
    row = IAMUser.objects.get()
    assert (row.user_name, row.owner, row.is_in_aws) == ("mia-2", olive, True)


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_users_can_exchange_names_between_two_imports(
    aws: AWS, bare: Account, read: Read, names: tuple[str, ...]
) -> None:
    iam = aws.boto3(bare.account_id)
    for name in names:
        iam.create_user(UserName=name)
    read(bare)
    before = {row.user_name: row.user_id for row in IAMUser.objects.all()}
    rename(aws, bare, *zip(names, [*names[1:], names[0]], strict=True))

    assert read(bare).state == AccountImport.State.APPLIED

    after = {row.user_name: row.user_id for row in IAMUser.objects.present()}
    assert after == dict(zip([*names[1:], names[0]], [before[name] for name in names], strict=True))


def test_groups_can_exchange_names_and_be_made_again(aws: AWS, bare: Account, read: Read) -> None:
    iam = aws.boto3(bare.account_id)
    for name in ("a", "b", "c"):
        iam.create_group(GroupName=name)
    read(bare)
    before = {row.group_name: row.group_id for row in IAMGroup.objects.all()}
    groups = vars(aws.backend(bare.account_id))["groups"]
    groups["a"], groups["b"] = groups["b"], groups["a"]
    groups["a"].name, groups["b"].name = "a", "b"
    iam.delete_group(GroupName="c")
    iam.create_group(GroupName="C")

    assert read(bare).state == AccountImport.State.APPLIED

    after = {row.group_name: row.group_id for row in IAMGroup.objects.present()}
    assert (after["a"], after["b"]) == (before["b"], before["a"])
    # Read a moment ago: whether it is gone a later import tells.
    assert after["c"] == before["c"]


# What the portal itself is doing meanwhile


def test_a_creation_on_its_way_is_not_touched(aws: AWS, bare: Account, read: Read, payments: Team) -> None:
    iam = aws.boto3(bare.account_id)
    coming = factories.undelivered_iam_user(bare, "Coming", team=payments)
    iam.create_user(UserName="coming")
    iam.create_user(UserName="other")
    read(bare)
    rename(aws, bare, ("coming", "elsewhere"), ("other", "coming"))

    assert read(bare).state == AccountImport.State.APPLIED

    coming.refresh_from_db()
    assert (coming.user_name, coming.user_id, coming.gone_at, coming.read_at) == ("Coming", "", None, None)
    assert set(IAMUser.objects.present().values_list("user_name", flat=True)) == {"Coming", "elsewhere", "other"}


def test_a_row_that_was_read_later_stays(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    later = database_now() + MINUTE
    IAMUser.objects.update(read_at=later, tags={"newer": "yes"}, user_name="newer-name")

    read(full)

    row = IAMUser.objects.get()
    assert (row.read_at, row.tags, row.user_name) == (later, {"newer": "yes"}, "newer-name")


def test_a_user_that_was_deleted_meanwhile_does_not_come_back(aws: AWS, full: Account, read: Read) -> None:
    read(full)
    gone_at = database_now()
    IAMUser.objects.update(gone_at=gone_at)

    read(full)
    assert IAMUser.objects.get().gone_at == gone_at

    IAMUser.objects.update(gone_at=gone_at - 6 * MINUTE)
    read(full)
    assert IAMUser.objects.get().is_in_aws
