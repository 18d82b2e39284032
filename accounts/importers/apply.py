"""Applying a snapshot: the portal's rows follow what AWS holds, in one transaction.

What is newer than the snapshot stays: a delivery may have read an IAM user back while the account was being read.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q

from accounts.importers import drift, users
from accounts.importers.documents import inline_policies, storable
from accounts.importers.names import writable
from accounts.importers.snapshot import Snapshot
from accounts.importers.users import QUIET_TIME
from accounts.models import Account, IAMGroup, IAMPolicy, IAMRole, Source
from portal.aws.iam.account import GroupDetail, ManagedPolicyDetail, RoleDetail


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
    details = snapshot.details
    _conclude_gone(account, snapshot)
    for policy in details.policies:
        _write_policy(account, snapshot, policy)
    for role in details.role_detail_list:
        _write_role(account, snapshot, role)
    new, gone = users.write(account, snapshot, _write_groups(account, snapshot))
    account.alias, account.source, account.read_at = (
        snapshot.alias,
        Source.ACCOUNT_AUTHORIZATION_DETAILS,
        snapshot.read_at,
    )
    account.save(update_fields=["alias", "source", "read_at"])
    # Which rows are new, gone or changed is not told here yet: what the portal manages is compared all the same.
    drift.conclude(
        account, read_at=snapshot.read_at, source=Source.ACCOUNT_AUTHORIZATION_DETAILS, new=(), gone=(), changed={},
        first_reading=False,
    )  # fmt: skip
    return Applied(
        iam_users=len(details.user_detail_list),
        new=new,
        gone=gone,
        groups=len(details.group_detail_list),
        roles=len(details.role_detail_list),
        policies=len(details.policies),
    )


def _conclude_gone(account: Account, snapshot: Snapshot) -> None:
    """Only a complete reading says "gone", and never of what was read a moment before it."""
    details = snapshot.details
    ids: dict[type[IAMGroup | IAMRole | IAMPolicy], tuple[str, list[str]]] = {
        IAMGroup: ("group_id", [group.group_id for group in details.group_detail_list]),
        IAMRole: ("role_id", [role.role_id for role in details.role_detail_list]),
        IAMPolicy: ("policy_id", [policy.policy_id for policy in details.policies]),
    }
    for model, (field, present) in ids.items():
        model.objects.filter(
            ~Q(**{f"{field}__in": present}),
            account=account,
            gone_at__isnull=True,
            read_at__lt=snapshot.read_at - QUIET_TIME,
        ).update(gone_at=snapshot.read_at)


def _write_groups(account: Account, snapshot: Snapshot) -> dict[str, IAMGroup]:
    """The rows of the account's groups by the names that the snapshot gives them."""
    rows = {row.group_id: row for row in IAMGroup.objects.filter(account=account)}
    told = {group.group_id: group for group in snapshot.details.group_detail_list}
    names = writable(
        held={key: row.group_name for key, row in rows.items() if row.gone_at is None},
        wanted={key: group.group_name for key, group in told.items()},
    )
    _free_names([rows[key] for key in names & set(rows) if rows[key].group_name != told[key].group_name])
    rows |= {key: _write_group(account, snapshot, told[key]) for key in names}
    return {group.group_name: rows[key] for key, group in told.items() if key in rows}


def _free_names(rows: list[IAMGroup]) -> None:
    """Let go of the names that change, so that two groups can swap theirs; each row is written again at once."""
    freed = IAMGroup.objects.present().filter(pk__in=[row.pk for row in rows])
    freed.update(gone_at=F("read_at"))


def _write_group(account: Account, snapshot: Snapshot, group: GroupDetail) -> IAMGroup:
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
            "inline_policies": inline_policies(group.group_policy_list),
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
            "trust_policy": storable(role.assume_role_policy_document),
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
            "document": storable(policy.policy_document),
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
