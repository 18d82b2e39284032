"""Applying what a snapshot says of groups, roles, managed policies and identity providers: each by its own id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import F

from accounts.delivery.held import QUIET_TIME
from accounts.importers.documents import inline_policies, storable
from accounts.importers.names import writable
from accounts.importers.snapshot import Snapshot
from accounts.importers.staging import BATCH, batches
from accounts.importers.writing import read_from, upsert
from accounts.models import Account, IAMGroup, IAMPolicy, IAMProvider, IAMRole, Source
from portal.aws.iam.account import GroupDetail, ManagedPolicyDetail, RoleDetail
from portal.aws.iam.policies import AttachedPolicy

Entity = TypeVar("Entity", IAMGroup, IAMRole, IAMPolicy, IAMProvider)
Fields = Mapping[str, Mapping[str, object]]


def write_roles(account: Account, snapshot: Snapshot) -> int:
    """Write the roles; how many there are."""
    return _write(IAMRole, "role_id", account, snapshot, (_role(role) for role in snapshot.staged.roles))


def write_policies(account: Account, snapshot: Snapshot) -> int:
    """Write the managed policies; how many there are."""
    return _write(IAMPolicy, "policy_id", account, snapshot, (_policy(policy) for policy in snapshot.staged.policies))


def write_providers(account: Account, snapshot: Snapshot) -> int:
    """Write IAM's identity providers; how many there are."""
    saml = _write_providers(account, snapshot, IAMProvider.Kind.SAML, Source.LIST_SAML_PROVIDERS, _saml(snapshot))
    oidc = _write_providers(
        account, snapshot, IAMProvider.Kind.OIDC, Source.GET_OPEN_ID_CONNECT_PROVIDER, _oidc(snapshot)
    )
    return saml + oidc


def write_groups(account: Account, snapshot: Snapshot) -> dict[str, int]:
    """Write the groups; the primary keys of their rows by the names that the snapshot gives them."""
    told = {group.group_id: group.group_name for group in snapshot.staged.groups}
    held = dict(IAMGroup.objects.present().filter(account=account).values_list("group_id", "group_name"))
    gone = _conclude_gone(IAMGroup, "group_id", account, snapshot.read_at, told)
    names = writable(held={key: name for key, name in held.items() if key not in gone}, wanted=told)
    _free_names(account, [key for key in names & set(held) if held[key] != told[key]])
    for batch in batches(group for group in snapshot.staged.groups if group.group_id in names):
        _write_batch(IAMGroup, "group_id", account, {group.group_id: _group(group) for group in batch}, snapshot)
    rows = IAMGroup.objects.present().filter(account=account).values_list("group_id", "pk")
    return {told[key]: pk for key, pk in rows if key in names}


def _free_names(account: Account, group_ids: list[str]) -> None:
    """Let go of the names that change, so that two groups can swap theirs; each row is written again at once."""
    for batch in batches(group_ids):
        IAMGroup.objects.filter(account=account, group_id__in=batch).update(gone_at=F("read_at"))


def _write(
    model: type[Entity], key: str, account: Account, snapshot: Snapshot, wanted: Iterable[Mapping[str, object]]
) -> int:
    seen: set[str] = set()
    for batch in batches(wanted):
        by_key = {str(fields[key]): fields for fields in batch}
        _write_batch(model, key, account, by_key, snapshot)
        seen |= set(by_key)
    _conclude_gone(model, key, account, snapshot.read_at, seen)
    return len(seen)


def _write_batch(model: type[Entity], key: str, account: Account, wanted: Fields, snapshot: Snapshot) -> None:
    found = model._default_manager.filter(account=account, **{f"{key}__in": list(wanted)})
    rows = {getattr(row, key): row for row in found}
    upsert(model, rows, wanted, read_from(account, Source.ACCOUNT_AUTHORIZATION_DETAILS, snapshot.read_at))


def _conclude_gone(
    model: type[Entity], key: str, account: Account, read_at: datetime, seen: Collection[str], **of: object
) -> set[str]:
    """Only a complete reading says "gone", and never of what was first seen a moment before it."""
    before = read_at - QUIET_TIME
    present = model._default_manager.filter(account=account, gone_at__isnull=True, read_at__lt=before, **of)
    missing = {held: pk for held, pk in present.values_list(key, "pk") if held not in seen}
    for batch in batches(missing.values(), BATCH):
        model._default_manager.filter(pk__in=batch).update(gone_at=read_at)
    return set(missing)


def _write_providers(
    account: Account, snapshot: Snapshot, kind: IAMProvider.Kind, source: Source, wanted: Fields
) -> int:
    rows = {row.arn: row for row in IAMProvider.objects.filter(account=account, kind=kind)}
    upsert(IAMProvider, rows, wanted, read_from(account, source, snapshot.read_at))
    _conclude_gone(IAMProvider, "arn", account, snapshot.read_at, wanted, kind=kind)
    return len(wanted)


def _saml(snapshot: Snapshot) -> Fields:
    return {
        provider.arn: {
            "kind": IAMProvider.Kind.SAML,
            "arn": provider.arn,
            "valid_until": provider.valid_until,
            "create_date": provider.create_date,
            "gone_at": None,
        }
        for provider in snapshot.saml_providers
    }


def _oidc(snapshot: Snapshot) -> Fields:
    return {
        provider.arn: {
            "kind": IAMProvider.Kind.OIDC,
            "arn": provider.arn,
            "url": provider.url,
            "client_ids": list(provider.client_ids),
            "thumbprints": list(provider.thumbprints),
            "create_date": provider.create_date,
            "gone_at": None,
        }
        for provider in snapshot.oidc_providers
    }


def _group(group: GroupDetail) -> dict[str, Any]:
    return {
        "group_id": group.group_id,
        "group_name": group.group_name,
        "path": group.path,
        "arn": group.arn,
        "create_date": group.create_date,
        "attached_policy_arns": arns_of(group.attached_managed_policies),
        "inline_policies": inline_policies(group.group_policy_list),
        "gone_at": None,
    }


def _role(role: RoleDetail) -> dict[str, Any]:
    return {
        "role_id": role.role_id,
        "role_name": role.role_name,
        "path": role.path,
        "arn": role.arn,
        "create_date": role.create_date,
        "trust_policy": storable(role.assume_role_policy_document),
        "attached_policy_arns": arns_of(role.attached_managed_policies),
        "inline_policies": inline_policies(role.role_policy_list),
        "permissions_boundary_arn": role.permissions_boundary or "",
        "tags": dict(role.tags),
        "last_used_date": role.role_last_used,
        "gone_at": None,
    }


def _policy(policy: ManagedPolicyDetail) -> dict[str, Any]:
    return {
        "policy_id": policy.policy_id,
        "policy_name": policy.policy_name,
        "path": policy.path,
        "arn": policy.arn,
        "default_version_id": policy.default_version_id,
        "document": storable(policy.policy_document),
        "gone_at": None,
    }


def arns_of(policies: Iterable[AttachedPolicy]) -> list[str]:
    """The ARNs of attached policies, in one order: AWS's own may be another each time."""
    return sorted(policy.policy_arn for policy in policies)
