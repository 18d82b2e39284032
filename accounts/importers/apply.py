"""Applying a snapshot: the portal's rows follow what AWS holds, in one transaction.

What is newer than the snapshot stays: a delivery may have read an IAM user back while the account was being read.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.importers import boundaries, drift, entities, users
from accounts.importers.snapshot import Snapshot
from accounts.models import Account, Source


@dataclass(frozen=True)
class Applied:
    """What an import found, for the page and the command."""

    iam_users: int
    new: int
    gone: int
    changed: int
    groups: int
    roles: int
    policies: int
    providers: int


def apply(account: Account, snapshot: Snapshot) -> Applied:
    """Write the whole snapshot. The caller holds the transaction and the account's row."""
    policies = entities.write_policies(account, snapshot)
    roles = entities.write_roles(account, snapshot)
    providers = entities.write_providers(account, snapshot)
    found = users.write(account, snapshot, entities.write_groups(account, snapshot))
    drift.conclude(
        account,
        read_at=snapshot.read_at,
        source=Source.ACCOUNT_AUTHORIZATION_DETAILS,
        new=found.new,
        gone=found.gone,
        changed=found.changed,
        first_reading=account.read_at is None,
    )
    boundaries.conclude(account, read_at=snapshot.read_at)
    _write_account(account, snapshot)
    return Applied(
        iam_users=len(snapshot.users),
        new=len(found.new),
        gone=len(found.gone),
        changed=len(found.changed),
        groups=len(snapshot.staged.groups),
        roles=roles,
        policies=policies,
        providers=providers,
    )


def _write_account(account: Account, snapshot: Snapshot) -> None:
    account.alias, account.summary = snapshot.alias, dict(snapshot.summary)
    account.password_policy = None if snapshot.password_policy is None else dict(snapshot.password_policy)
    account.source, account.read_at = Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at
    account.report_generated_at = snapshot.report_time
    account.save(update_fields=["alias", "summary", "password_policy", "source", "read_at", "report_generated_at"])
