"""Fill moto's backends with the demo: straight in memory, since over HTTP nobody could give a key a past."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.iam.models import AccessKey, AccessKeyLastUsed, IAMBackend, User, iam_backends
from moto.sts.models import sts_backends

from portal.aws.simulator import aws_policies
from portal.aws.simulator.demo_accounts import (
    ACCOUNTS,
    BOUNDARY,
    BOUNDARY_DOCUMENT,
    GROUPS,
    INLINE,
    POLICIES,
    PORTAL_ACTIONS,
    PORTAL_ROLE,
    SERVICE_ROLES,
    DemoAccount,
    document,
)
from portal.aws.simulator.demo_organization import load_organization
from portal.aws.simulator.demo_users import DemoUser, Key
from portal.aws.simulator.hub import HUB_ACCOUNT_ID, PARTITION, REGION

# When the account, its groups and its policies were made, before the demo is loaded.
ACCOUNT_AGE = timedelta(days=900)
USER_IS_OLDER = timedelta(days=20)


def load_demo(*, at: datetime) -> None:
    """Empty the demo's accounts and fill them as they are at `at` (UTC without a zone, as moto keeps its times).

    The same time gives the same accounts, down to the ids. Sessions of the portal that live go on living.
    """
    for account in ACCOUNTS:
        _fill(account, _emptied(account.account_id), at.replace(microsecond=0))
    load_organization(at=at.replace(microsecond=0))


def _emptied(account_id: str) -> IAMBackend:
    backend = iam_backends[account_id][PARTITION]
    sessions = {key_id: key for key_id, key in backend.access_keys.items() if key_id.startswith("ASIA")}
    backend.reset()
    backend.access_keys.update(sessions)
    living = sts_backends[account_id][PARTITION].assumed_roles
    living[:] = [session for session in living if session.access_key_id in sessions]
    return backend


def _fill(account: DemoAccount, backend: IAMBackend, at: datetime) -> None:
    backend.create_account_alias(account.alias)
    _make_policies(account, backend, at)
    _make_groups(account, backend, at)
    _make_roles(account, backend, at)
    for team, users in account.users.items():
        for user in users:
            _make_user(account, backend, team, user, at)


def _make_policies(account: DemoAccount, backend: IAMBackend, at: datetime) -> None:
    documents = POLICIES[account.organization] | {BOUNDARY: BOUNDARY_DOCUMENT}
    for name, text in documents.items():
        policy = backend.create_policy("", "/", json.dumps(text), name, [])
        policy.id = _id("ANPA", account, name)
        policy.create_date = policy.update_date = at - ACCOUNT_AGE
        policy.versions[0].create_date = at - ACCOUNT_AGE


def _make_groups(account: DemoAccount, backend: IAMBackend, at: datetime) -> None:
    for name, policies in GROUPS[account.organization].items():
        group = backend.create_group(name)
        group.id, group.create_date = _id("AGPA", account, name), at - ACCOUNT_AGE
        for policy in policies:
            arn = _policy_arn(account, policy)
            aws_policies.know(backend, arn)
            backend.attach_group_policy(arn, name)
        if name in INLINE:
            policy_name, text = INLINE[name]
            backend.put_group_policy(name, policy_name, json.dumps(text))


def _policy_arn(account: DemoAccount, name: str) -> str:
    if name.startswith("aws:"):
        return f"{aws_policies.PREFIX}{name.removeprefix('aws:')}"
    return f"arn:aws:iam::{account.account_id}:policy/{name}"


def _make_roles(account: DemoAccount, backend: IAMBackend, at: datetime) -> None:
    _make_role(account, backend, PORTAL_ROLE, portal_trust(account.external_id), at)
    backend.put_role_policy(PORTAL_ROLE, "identities", json.dumps(document(*PORTAL_ACTIONS)))
    for name, service in SERVICE_ROLES[account.organization].items():
        _make_role(account, backend, name, _trust({"Service": service}), at)


def _make_role(account: DemoAccount, backend: IAMBackend, name: str, trust: Mapping[str, Any], at: datetime) -> None:
    role = backend.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
    backend.roles.pop(role.id)
    role.id, role.create_date = _id("AROA", account, name), at - ACCOUNT_AGE
    backend.roles[role.id] = role


def portal_trust(external_id: str) -> dict[str, Any]:
    """The trust policy of the portal's role: the hub's account, with this external id."""
    condition = {"StringEquals": {"sts:ExternalId": external_id}}
    return _trust({"AWS": f"arn:aws:iam::{HUB_ACCOUNT_ID}:root"}, Condition=condition)


def _trust(principal: Mapping[str, str], **more: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _make_user(account: DemoAccount, backend: IAMBackend, team: str, demo: DemoUser, at: datetime) -> None:
    path = f"/portal/{account.organization}/{team.lower()}/"
    tags = {"team": team, "owner": f"{demo.owner}@{account.organization}.test"}
    tags |= {"kind": "application"} if demo.is_application else {"kind": "person"}
    user = backend.create_user(REGION, demo.name, path, [{"Key": key, "Value": value} for key, value in tags.items()])
    oldest = max([key.age for key in demo.keys] + [demo.signed_in or 0])
    user.id, user.create_date = _id("AIDA", account, demo.name), at - timedelta(days=oldest) - USER_IS_OLDER
    vars(user).update(permissions_boundary=None)
    for group in demo.groups:
        backend.add_user_to_group(group, demo.name)
    for number, key in enumerate(demo.keys):
        _make_key(account, backend, user, number, key, at)
    if demo.signed_in is not None:
        _make_password(account, backend, user, demo, at)


def _make_key(account: DemoAccount, backend: IAMBackend, user: User, number: int, demo: Key, at: datetime) -> None:
    key: AccessKey = user.create_access_key(prefix="AKIA", status="Active" if demo.is_active else "Inactive")
    key.access_key_id = _id("AKIA", account, user.name, str(number))[:20]
    key.secret_access_key = _id("", account, user.name, str(number), "secret", length=40)
    key.create_date = at - timedelta(days=demo.age, hours=number + 1)
    if demo.used is not None:
        used_at = at - timedelta(days=demo.used, minutes=37)
        key.last_used = AccessKeyLastUsed(timestamp=used_at, service="s3", region="eu-central-1")
    backend.access_keys[key.access_key_id] = key


def _make_password(account: DemoAccount, backend: IAMBackend, user: User, demo: DemoUser, at: datetime) -> None:
    backend.create_login_profile(user.name, _id("", account, user.name, "password", length=24))
    vars(user).update(
        password_last_used=at - timedelta(days=demo.signed_in or 0, minutes=12),
        password_last_changed=user.create_date,
    )
    if demo.has_mfa:
        device = backend.create_virtual_mfa_device(user.name, "/")
        backend.enable_mfa_device(user.name, device.serial_number, "000000", "000001")
        device.enable_date = user.mfa_devices[device.serial_number].enable_date = user.create_date


def _id(prefix: str, account: DemoAccount, *parts: str, length: int = 17) -> str:
    """The same for the same thing at every loading; the secrets among them open the embedded AWS only."""
    digest = hashlib.sha256("/".join((account.account_id, *parts)).encode()).digest() * 2
    return prefix + base64.b32encode(digest).decode()[:length]
