"""What AWS holds of one IAM user, read once more after a change, and how it is written into the portal's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.db.models import QuerySet

from accounts import arns
from accounts.models import (
    AccessKey,
    Account,
    Drift,
    GroupMembership,
    IAMCredential,
    IAMGroup,
    IAMUser,
    IAMUserRecord,
    LoginProfile,
    MFADevice,
    Source,
)
from portal.aws import connect, errors
from portal.aws.iam import IAM
from portal.aws.iam.account import EntityType
from portal.aws.iam.groups import Group
from portal.aws.iam.users import User
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry

# IAM is eventually consistent; the longest lag reported is under a minute, and Vault waits five.
QUIET_TIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Held:
    """One IAM user as AWS holds it; `read_at` lies before the reading, so that it never claims too much.

    `policies` are those fields of the row that GetUser does not tell, where they were read too.
    """

    user: User
    groups: tuple[Group, ...]
    read_at: datetime
    policies: Mapping[str, Any] = field(default_factory=dict)


def iam_of(account: Account) -> IAM:
    """IAM in the account, entered by its role.

    :raises portal.aws.errors.Denied: at the first call, when AWS does not let the portal in.
    """
    return connect.iam(door_of(account))


def door_of(account: Account) -> connect.Door:
    """How the hub gets into the account."""
    return connect.Door(
        account_id=account.account_id,
        role_arn=account.role_arn,
        external_id=account.external_id,
        calls_per_second=account.calls_per_second,
        calls_burst=account.calls_burst,
    )


def subject_of(entry: Entry) -> IAMUser:
    """The IAM user that the entry is about."""
    return IAMUser.objects.select_related("account", "organization").get(pk=int(entry.subject_id))


def read(iam: IAM, *, user_name: str) -> Held:
    """Read the user with its tags, boundary and groups.

    :raises portal.aws.errors.NotFound: when AWS does not hold it, or not yet.
    """
    read_at = database_now()
    user = iam.get_user(user_name=user_name)
    return Held(user=user, groups=iam.list_groups_for_user(user_name=user_name), read_at=read_at)


def require_same(iam: IAM, iam_user: IAMUser) -> User:
    """The user in AWS, if it is the very one that was decided about: a name can be deleted and made again.

    :raises portal.aws.errors.Conflict: when another user bears the name now.
    :raises portal.aws.errors.NotFound: when none does.
    :raises portal.aws.errors.TryLater: when none does yet, and it was made a moment ago.
    """
    try:
        user = iam.get_user(user_name=iam_user.user_name)
    except errors.NotFound as error:
        raise may_not_be_seen_yet(iam_user.create_date, error) from None
    if user.user_id != iam_user.user_id:
        raise errors.Conflict(
            operation="GetUser",
            code="AnotherUserId",
            message=f"{iam_user.user_name} was deleted and made again outside the portal; it is another IAM user now.",
        )
    return user


def is_gone(iam: IAM, iam_user: IAMUser) -> bool:
    """Whether AWS holds the very user that was decided about no longer.

    :raises errors.Conflict: when another user bears its name, or it bears another.
    :raises errors.TryLater: when AWS's readings still differ.
    """
    try:
        require_same(iam, iam_user)
    except errors.NotFound as error:
        require_gone(iam, iam_user, error)
        return True
    return False


def require_gone(iam: IAM, iam_user: IAMUser, error: errors.NotFound) -> None:
    """Believe that it is gone from a complete reading alone: a name can have been changed.

    :raises errors.Conflict: when the very user is there under another name.
    :raises errors.TryLater: when AWS's readings still differ.
    """
    pages = iam.get_account_authorization_details(filter=[EntityType.USER])
    users = chain.from_iterable(page.user_detail_list for page in pages)
    names = [user.user_name for user in users if user.user_id == iam_user.user_id]
    if iam_user.user_name in names:
        raise later(error)
    if names:
        raise errors.Conflict(
            operation="GetUser",
            code="AnotherUserName",
            message=f"{iam_user.user_name} is named {names[0]} now. Refresh the account, then try again.",
        )


def may_not_be_seen_yet(made_at: datetime | None, error: errors.AWSError) -> errors.AWSError:
    """For something just made: not there means not there yet. After the quiet time it means not there."""
    is_young = made_at is not None and database_now() - made_at < QUIET_TIME
    return later(error) if is_young else error


def later(error: errors.AWSError) -> errors.TryLater:
    """The same, where time alone will put it right."""
    return errors.TryLater(
        operation=error.operation, code=error.code, message=error.message, request_id=error.request_id
    )


def strip(iam_users: QuerySet[IAMUser], *, at: datetime) -> None:
    """AWS no longer holds these users, so nothing hangs on them any more."""
    for hanging in (GroupMembership, MFADevice, LoginProfile, IAMCredential):
        hanging._default_manager.filter(iam_user__in=iam_users).delete()
    AccessKey.objects.present().filter(iam_user__in=iam_users).update(gone_at=at)


def write_down(entry: Entry, held: Held) -> None:
    """Write what AWS holds into the row of the entry's IAM user and its group memberships.

    A row that was read later than this already says it, or something newer.
    """
    iam_user = locked(entry)
    if iam_user.read_at is None or iam_user.read_at <= held.read_at:
        _write_user(iam_user, held)
        _write_groups(iam_user, held)
    Drift.objects.look_again(iam_user, at=held.read_at)


def locked(entry: Entry) -> IAMUser:
    """The entry's IAM user, locked against an import that writes the same row: of two, the later reading must stay."""
    rows = IAMUser.objects.select_related("account", "organization").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=int(entry.subject_id))


def take_back(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Given up: the portal's record of the IAM user no longer says what this entry decided."""
    iam_user = locked(entry)
    IAMUserRecord.objects.take_back(iam_user)
    Drift.objects.look_again(iam_user, at=at)


def _write_user(iam_user: IAMUser, held: Held) -> None:
    user = held.user
    iam_user.user_name, iam_user.path, iam_user.user_id = user.user_name, user.path, user.user_id
    iam_user.tags, iam_user.create_date = dict(user.tags), user.create_date
    iam_user.permissions_boundary_arn = user.permissions_boundary or ""
    iam_user.source, iam_user.read_at = Source.GET_USER, held.read_at
    for name, value in held.policies.items():
        setattr(iam_user, name, value)
    iam_user.save(
        update_fields=[
            "user_name",
            "path",
            "user_id",
            "tags",
            "create_date",
            "permissions_boundary_arn",
            "source",
            "read_at",
            *held.policies,
        ]
    )


def _write_groups(iam_user: IAMUser, held: Held) -> None:
    groups = [group_row(iam_user, group, held.read_at) for group in held.groups]
    iam_user.group_memberships.exclude(iam_group__in=groups).delete()
    for group in groups:
        GroupMembership.objects.update_or_create(
            iam_user=iam_user,
            iam_group=group,
            defaults={
                "organization": iam_user.organization,
                "account": iam_user.account,
                "source": Source.GET_USER,
                "read_at": held.read_at,
            },
        )


def group_row(iam_user: IAMUser, group: Group, read_at: datetime) -> IAMGroup:
    """The portal's row of the group; one that no import has seen yet is written down here."""
    IAMGroup.objects.give_way(
        account=iam_user.account, group_name=group.group_name, group_id=group.group_id, at=read_at
    )
    row, _ = IAMGroup.objects.get_or_create(
        account=iam_user.account,
        group_id=group.group_id,
        defaults={
            "organization": iam_user.organization,
            "group_name": group.group_name,
            "path": group.path,
            "arn": group.arn,
            "create_date": group.create_date,
            "source": Source.GET_USER,
            "read_at": read_at,
        },
    )
    return row


def entry_tag(entry: Entry) -> dict[str, str]:
    """The tag by which the portal knows what it made itself."""
    return {arns.ENTRY_TAG: str(entry.pk)}
