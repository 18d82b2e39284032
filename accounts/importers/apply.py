"""Applying a snapshot: the portal's rows follow what AWS holds, in one transaction.

What is newer than the snapshot stays: a delivery may have read an IAM user back while the account was being read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from accounts.importers import credentials, ownership
from accounts.importers.snapshot import Snapshot
from accounts.models import Account, GroupMembership, IAMGroup, IAMPolicy, IAMRole, IAMUser, Source
from portal.aws.iam.account import GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, UserDetail

# A thing that was read this shortly before the snapshot may not be seen in it yet: IAM is eventually consistent.
QUIET_TIME = timedelta(minutes=5)


@dataclass
class Applied:
    """What an import found, for the page and the command."""

    iam_users: int = 0
    new: int = 0
    gone: int = 0
    groups: int = 0
    roles: int = 0
    policies: int = 0


def apply(account: Account, snapshot: Snapshot) -> Applied:
    """Write the whole snapshot. The caller holds the transaction and the account's row."""
    applied = Applied()
    for policy in snapshot.details.policies:
        _write_policy(account, snapshot, policy)
        applied.policies += 1
    for role in snapshot.details.role_detail_list:
        _write_role(account, snapshot, role)
        applied.roles += 1
    groups = {group.group_name: _write_group(account, snapshot, group) for group in snapshot.details.group_detail_list}
    applied.groups = len(groups)
    _conclude_gone(account, snapshot, applied)
    for user in snapshot.details.user_detail_list:
        _write_user(account, snapshot, user, groups, applied)
    account.alias, account.source, account.read_at = (
        snapshot.alias,
        Source.ACCOUNT_AUTHORIZATION_DETAILS,
        snapshot.read_at,
    )
    account.save(update_fields=["alias", "source", "read_at"])
    return applied


def _conclude_gone(account: Account, snapshot: Snapshot, applied: Applied) -> None:
    """Only a complete reading says "gone", and never of what was read a moment before it."""
    details = snapshot.details
    ids = {
        IAMUser: ("user_id", [user.user_id for user in details.user_detail_list]),
        IAMGroup: ("group_id", [group.group_id for group in details.group_detail_list]),
        IAMRole: ("role_id", [role.role_id for role in details.role_detail_list]),
        IAMPolicy: ("policy_id", [policy.policy_id for policy in details.policies]),
    }
    for model, (field, present) in ids.items():
        gone = model.objects.filter(
            ~Q(**{f"{field}__in": present}),
            account=account,
            gone_at__isnull=True,
            read_at__lt=snapshot.read_at - QUIET_TIME,
        )
        count = gone.update(gone_at=snapshot.read_at)
        if model is IAMUser:
            applied.gone = count


def _write_user(
    account: Account, snapshot: Snapshot, user: UserDetail, groups: dict[str, IAMGroup], applied: Applied
) -> None:
    applied.iam_users += 1
    row = IAMUser.objects.filter(account=account, user_id=user.user_id).first()
    if row is None:
        # The portal is making a user of this name, or one of this name went a moment ago: a later import tells.
        if IAMUser.objects.present().filter(account=account, user_name__iexact=user.user_name).exists():
            return
        row = ownership.given_up_by_the_portal(account, user) or ownership.new_row(account, user)
        applied.new += 1
    elif row.read_at is not None and row.read_at > snapshot.read_at:
        return
    _fill_user(row, snapshot, user)
    _write_groups(row, snapshot, [groups[name] for name in user.group_list if name in groups])
    credentials.write(row, snapshot)


def _fill_user(row: IAMUser, snapshot: Snapshot, user: UserDetail) -> None:
    row.user_id = user.user_id
    row.user_name, row.path, row.create_date, row.gone_at = user.user_name, user.path, user.create_date, None
    row.tags = dict(user.tags)
    row.permissions_boundary_arn = user.permissions_boundary or ""
    row.attached_policy_arns = [policy.policy_arn for policy in user.attached_managed_policies]
    row.inline_policies = _inline(user.user_policy_list)
    row.source, row.read_at = Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at
    row.save()


def _write_groups(row: IAMUser, snapshot: Snapshot, groups: list[IAMGroup]) -> None:
    row.group_memberships.exclude(iam_group__in=groups).delete()
    for group in groups:
        GroupMembership.objects.update_or_create(iam_user=row, iam_group=group, defaults=_read(row.account, snapshot))


def _write_group(account: Account, snapshot: Snapshot, group: GroupDetail) -> IAMGroup:
    IAMGroup.objects.give_way(
        account=account, group_name=group.group_name, group_id=group.group_id, at=snapshot.read_at
    )
    row, _ = IAMGroup.objects.update_or_create(
        account=account,
        group_id=group.group_id,
        defaults={
            **_read(account, snapshot),
            "group_name": group.group_name,
            "path": group.path,
            "arn": group.arn,
            "create_date": group.create_date,
            "attached_policy_arns": [policy.policy_arn for policy in group.attached_managed_policies],
            "inline_policies": _inline(group.group_policy_list),
            "gone_at": None,
        },
    )
    return row


def _write_role(account: Account, snapshot: Snapshot, role: RoleDetail) -> None:
    IAMRole.objects.update_or_create(
        account=account,
        role_id=role.role_id,
        defaults={
            **_read(account, snapshot),
            "role_name": role.role_name,
            "path": role.path,
            "arn": role.arn,
            "create_date": role.create_date,
            "trust_policy": role.assume_role_policy_document,
            "attached_policy_arns": [policy.policy_arn for policy in role.attached_managed_policies],
            "gone_at": None,
        },
    )


def _write_policy(account: Account, snapshot: Snapshot, policy: ManagedPolicyDetail) -> None:
    IAMPolicy.objects.update_or_create(
        account=account,
        policy_id=policy.policy_id,
        defaults={
            **_read(account, snapshot),
            "policy_name": policy.policy_name,
            "path": policy.path,
            "arn": policy.arn,
            "default_version_id": policy.default_version_id,
            "document": policy.policy_document,
            "gone_at": None,
        },
    )


def _read(account: Account, snapshot: Snapshot) -> dict[str, object]:
    return {
        "organization": account.organization,
        "account": account,
        "source": Source.ACCOUNT_AUTHORIZATION_DETAILS,
        "read_at": snapshot.read_at,
    }


def _inline(policies: tuple[PolicyDetail, ...]) -> dict[str, object]:
    return {policy.policy_name: policy.policy_document for policy in policies}
