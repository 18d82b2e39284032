"""Reading one IAM user: exactly, in a handful of calls, for somebody who looks at it.

What was deleted and what has another name now look alike from here, so that neither is concluded: a reading of the
whole account tells which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.delivery import held
from accounts.importers import credentials, memberships
from accounts.importers.apply import Applied
from accounts.importers.credentials import Writing
from accounts.importers.documents import storable
from accounts.importers.facts import Credentials, Device, Fact, LastUse, OtherCredential, Password
from accounts.importers.writing import fill, read_from
from accounts.models import Account, IAMCredential, IAMUser, Source
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.groups import Group
from portal.aws.iam.users import User
from portal.ledger.clock import database_now

Kind = IAMCredential.Kind


@dataclass(frozen=True)
class ToldOfOne:
    """What AWS holds of one IAM user at `read_at`."""

    pk: int
    user: User
    groups: tuple[Group, ...]
    attached_policy_arns: list[str]
    inline_policies: dict[str, object]
    credentials: Credentials
    read_at: datetime


def fetch(iam: IAM, iam_user: IAMUser) -> ToldOfOne:
    """Read the user and all that hangs on it.

    :raises portal.aws.errors.Conflict: when AWS holds no user of this name, or another one; nothing is concluded.
    """
    read_at, name = database_now(), iam_user.user_name
    user = _the_same(iam, iam_user)
    return ToldOfOne(
        pk=iam_user.pk,
        user=user,
        groups=iam.list_groups_for_user(user_name=name),
        attached_policy_arns=sorted(p.policy_arn for p in iam.list_attached_user_policies(user_name=name)),
        inline_policies={
            policy: storable(iam.get_user_policy(user_name=name, policy_name=policy))
            for policy in iam.list_user_policies(user_name=name)
        },
        credentials=_credentials(iam, user, read_at),
        read_at=read_at,
    )


def apply(account: Account, told: ToldOfOne) -> Applied:
    """Write it; the caller holds the transaction. A row that a delivery wrote meanwhile stays."""
    row = IAMUser.objects.select_for_update(no_key=True).get(pk=told.pk)
    if row.read_at is None or row.read_at <= told.read_at:
        reading = read_from(account, Source.GET_USER, told.read_at)
        fill(row, {**_fields_of(told), **reading})
        row.save(update_fields=[*_fields_of(told), "source", "read_at"])
        groups = {held.group_row(row, group, told.read_at).pk for group in told.groups}
        memberships.write({row.pk: groups}, reading)
    credentials.write(Writing(account, with_times=True), {row.pk: told.credentials})
    return Applied(iam_users=1, new=0, gone=0, changed=0, groups=len(told.groups), roles=0, policies=0, providers=0)


def _fields_of(told: ToldOfOne) -> dict[str, object]:
    return {
        "user_name": told.user.user_name,
        "path": told.user.path,
        "tags": dict(told.user.tags),
        "permissions_boundary_arn": told.user.permissions_boundary or "",
        "attached_policy_arns": told.attached_policy_arns,
        "inline_policies": told.inline_policies,
        "create_date": told.user.create_date,
        "gone_at": None,
    }


def _the_same(iam: IAM, iam_user: IAMUser) -> User:
    message = (
        f"AWS holds no IAM user {iam_user.user_name} now, or another one. Refresh the account to see what became of it."
    )
    try:
        user = iam.get_user(user_name=iam_user.user_name)
    except errors.NotFound as error:
        raise errors.Conflict(
            operation=error.operation, code=error.code, message=message, request_id=error.request_id
        ) from None
    if user.user_id != iam_user.user_id:
        raise errors.Conflict(operation="GetUser", code="AnotherUserId", message=message)
    return user


def _credentials(iam: IAM, user: User, read_at: datetime) -> Credentials:
    name = user.user_name
    keys = iam.list_access_keys(user_name=name)
    devices = iam.list_mfa_devices(user_name=name)
    return Credentials(
        password=Fact(_password(iam, user), Source.GET_LOGIN_PROFILE, read_at),
        access_keys=Fact(keys, Source.LIST_ACCESS_KEYS, read_at),
        last_uses={key.access_key_id: _last_use(iam, key.access_key_id, read_at) for key in keys},
        mfa_devices=Fact(
            tuple(Device(device.serial_number, device.enable_date) for device in devices),
            Source.LIST_MFA_DEVICES,
            read_at,
        ),
        others={
            Kind.SIGNING_CERTIFICATE: Fact(_certificates(iam, name), Source.LIST_SIGNING_CERTIFICATES, read_at),
            Kind.SSH_PUBLIC_KEY: Fact(_ssh_public_keys(iam, name), Source.LIST_SSH_PUBLIC_KEYS, read_at),
            Kind.SERVICE_SPECIFIC_CREDENTIAL: Fact(
                _service_credentials(iam, name), Source.LIST_SERVICE_SPECIFIC_CREDENTIALS, read_at
            ),
        },
    )


def _password(iam: IAM, user: User) -> Password | None:
    try:
        profile = iam.get_login_profile(user_name=user.user_name)
    except errors.NotFound:
        return None
    # When it was last changed only the credential report tells.
    return Password(user.password_last_used, None, profile.password_reset_required)


def _last_use(iam: IAM, access_key_id: str, read_at: datetime) -> Fact[LastUse]:
    used = iam.get_access_key_last_used(access_key_id=access_key_id)
    use = LastUse(used.last_used_date, used.region or "", used.service_name or "")
    return Fact(use, Source.GET_ACCESS_KEY_LAST_USED, read_at)


def _certificates(iam: IAM, name: str) -> tuple[OtherCredential, ...]:
    held = iam.list_signing_certificates(user_name=name)
    return tuple(OtherCredential(each.certificate_id, each.status, each.upload_date) for each in held)


def _ssh_public_keys(iam: IAM, name: str) -> tuple[OtherCredential, ...]:
    held = iam.list_ssh_public_keys(user_name=name)
    return tuple(OtherCredential(each.ssh_public_key_id, each.status, each.upload_date) for each in held)


def _service_credentials(iam: IAM, name: str) -> tuple[OtherCredential, ...]:
    held = iam.list_service_specific_credentials(user_name=name)
    return tuple(
        OtherCredential(each.service_specific_credential_id, each.status, each.create_date, each.service_name)
        for each in held
    )
