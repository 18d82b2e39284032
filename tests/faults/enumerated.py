"""Every kind of delivery from a state that is always the same: how it is decided, carried until quiet, and judged."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from accounts.delivery import held
from accounts.kinds import Kind
from accounts.models import (
    AccessKey,
    Account,
    IAMCredential,
    IAMGroup,
    IAMUser,
    LoginProfile,
    MFADevice,
    MFARegistration,
    Person,
    Team,
)
from accounts.usecases import iam_users, iam_users_changes
from portal.aws import calls, connect
from portal.aws.simulator import requests, state
from portal.ledger import chain
from portal.ledger.clock import database_now
from portal.ledger.deliver import deliver_due
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import age
from tests.aws import authenticator
from tests.aws.server import AWS
from tests.aws.strict import Call, Strict
from tests.certificates import certificate

NAME = "ledger-writer"
TAGS = {"stage": "prod", "old": "1"}
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
READING_ARN, WRITING_ARN = (f"arn:aws:iam::111122223333:policy/{name}" for name in ("reading", "writing"))
# More than any delivery needs to arrive or to get stuck.
ROUNDS = 15
MOMENT = timedelta(seconds=1)
ENTRY_TAG = "gatehouse:entry"
# What changes AWS; entering the account does not count.
READING = (*requests.READING, "Assume")

Picture = dict[str, Any]


@dataclass
class House:
    """One account of Acme with the people who decide about it, and the AWS that it is in."""

    aws: AWS
    layer: Strict
    account: Account
    team: Team
    olive: Person
    lena: Person
    folder: Path
    breaches: list[str] = field(default_factory=list)
    depth: int = 0

    def user(self) -> IAMUser:
        """The IAM user that everything is about."""
        return IAMUser.objects.get(user_name=NAME)

    @contextmanager
    def fresh(self) -> Iterator[Counter[str]]:
        """Begin with what the house holds now, and end with that; counts the calls that the portal means to make."""
        kept = self.folder / "aws"
        state.save(kept)
        self.aws.trace.clear()
        self.breaches.clear()
        try:
            with transaction.atomic(), calls.counted() as meant:
                self.depth = len(connection.savepoint_ids)
                yield meant
                transaction.set_rollback(True)
        finally:
            state.load(kept)
            self.aws.faults.clear()
            self.come_out()

    def come_out(self) -> None:
        """Have the next call enter the account anew, with the clients that are there: to build them takes long."""
        iam = connect.iam(connect.Door(self.account.account_id, self.account.role_arn, self.account.external_id))
        iam.reads.meta.events.emit("after-call", parsed={"Error": {"Code": "ExpiredToken"}})

    def watch(self, call: Call) -> None:
        """Note each write that reaches AWS before its entry is there, or while a transaction is open."""
        if call.operation.startswith(READING):
            return
        about = call.parameters.get("UserName", "")
        carried = Delivery.objects.filter(state=Delivery.State.CALLING, lane=call.account_id)
        if not carried.filter(subject__endswith=f"/{about}" if about else "", entry__sequence__gte=1).exists():
            self.breaches.append(f"{call.operation} without an entry")
        if len(connection.savepoint_ids) > self.depth:
            self.breaches.append(f"{call.operation} inside a transaction")

    def picture(self) -> Picture:
        """What AWS holds of the account; an entry's id, which is another in each run, is told as "ours"."""
        backend = self.aws.backend(self.account.account_id)
        return {
            "users": {name: _user(backend, user) for name, user in backend.users.items()},
            "devices": sorted(backend.virtual_mfa_devices),
        }


@dataclass(frozen=True)
class Scenario:
    """One kind of delivery: what is there before, and who decides what.

    `help` is what a human does in AWS where the delivery asks one; `check` what else must be true once it arrived.
    """

    kind: Kind
    prepare: Callable[[House], object]
    decide: Callable[[House], object]
    help: Callable[[House], object] | None = None
    check: Callable[[House], object] | None = None


def quiesce() -> None:
    """Carry everything to its end, or to a human; the clock goes on to whatever is waited for, and nobody sleeps."""
    at = database_now()
    for _ in range(ROUNDS):
        deliver_due(at=at)
        moving = Delivery.objects.filter(state__in=["due", "calling", "waiting"])
        if not moving.exists():
            return
        let_the_quiet_time_pass(moving)
        at = max([at, *_awaited(moving)]) + MOMENT


def let_the_quiet_time_pass(deliveries: Any) -> None:
    """What a doubtful call may have made is believed not to be there after five minutes, which are not waited for."""
    long_ago = (database_now() - held.QUIET_TIME - MOMENT).isoformat()
    for delivery in deliveries:
        if isinstance(delivery.baseline, dict) and delivery.baseline.get("called_at"):
            deliveries.filter(pk=delivery.pk).update(baseline={**delivery.baseline, "called_at": long_ago})


def _awaited(deliveries: Any) -> list[datetime]:
    times = [time for pair in deliveries.values_list("not_before", "lease_until") for time in pair]
    return [time for time in times if time is not None]


def assert_portal_and_aws_agree(house: House) -> None:
    """What the portal's rows say of the account is what AWS holds, nothing less and nothing more."""
    rows = {row.user_name: _row(row) for row in IAMUser.objects.present().exclude(user_id="")}
    picture = house.picture()
    assert rows == picture["users"]
    new = MFARegistration.objects.open().new_devices().exclude(serial_number="")
    devices = {*MFADevice.objects.values_list("serial_number", flat=True), *new.values_list("serial_number", flat=True)}
    assert sorted(devices) == picture["devices"]


def assert_nothing_was_done_behind_the_ledger(house: House, meant: Counter[str]) -> None:
    """Each write had its entry before it, was sent once for each time it was meant, and the chain verifies."""
    assert house.breaches == []
    arrived = Counter(call.operation for call in house.aws.trace if not call.operation.startswith(READING))
    assert {name: meant[name] for name in arrived if arrived[name] > meant[name]} == {}
    assert chain.verify(house.account.organization) is None


def _user(backend: Any, user: Any) -> Picture:
    tags = {tag["Key"]: tag["Value"] for tag in backend.list_user_tags(user.name)}
    return {
        "user_id": user.id,
        "path": user.path,
        "tags": _ours(tags),
        "groups": sorted(group.name for group in backend.get_groups_for_user(user.name)),
        "keys": {key.access_key_id: key.status for key in user.access_keys},
        "password": bool(user.password),
        "devices": sorted(user.mfa_devices),
        "boundary": (getattr(user, "permissions_boundary", None) or {}).get("PermissionsBoundaryArn", ""),
        "attached": sorted(user.managed_policies),
        "inline": {name: json.loads(document) for name, document in user.policies.items()},
        "certificates": len(user.signing_certificates),
        "ssh_keys": len(user.ssh_public_keys),
        "service_credentials": len(getattr(user, "service_specific_credentials", None) or ()),
    }


def _row(row: IAMUser) -> Picture:
    return {
        "user_id": row.user_id,
        "path": row.path,
        "tags": _ours(row.tags),
        "groups": sorted(row.group_memberships.values_list("iam_group__group_name", flat=True)),
        "keys": dict(AccessKey.objects.present().filter(iam_user=row).values_list("access_key_id", "status")),
        "password": LoginProfile.objects.filter(iam_user=row).exists(),
        "devices": sorted(row.mfa_devices.values_list("serial_number", flat=True)),
        "boundary": row.permissions_boundary_arn,
        "attached": sorted(row.attached_policy_arns),
        "inline": row.inline_policies,
        "certificates": _others(row, "signing_certificate"),
        "ssh_keys": _others(row, "ssh_public_key"),
        "service_credentials": _others(row, "service_specific_credential"),
    }


def _others(row: IAMUser, kind: str) -> int:
    return row.iam_credentials.filter(kind=kind).count()


def _ours(tags: dict[str, str]) -> dict[str, str]:
    """The entry's tag is told as ours when there is such an entry."""
    entry = tags.get(ENTRY_TAG)
    is_ours = entry is not None and Entry.objects.filter(pk=entry).exists()
    return tags | ({ENTRY_TAG: "ours"} if is_ours else {})


# What is there before


def _policies(house: House) -> None:
    """The user is to be made; two policies that it shall have are there."""
    iam = house.aws.boto3(house.account.account_id)
    for name in ("reading", "writing"):
        iam.create_policy(PolicyName=name, PolicyDocument=POLICY)
        factories.iam_policy(house.account, name, document=json.loads(POLICY))


def a_user(house: House) -> IAMUser:
    """An IAM user in `administrators`, in AWS and as the portal last read it."""
    iam = house.aws.boto3(house.account.account_id)
    iam.create_user(UserName=NAME, Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    iam.add_user_to_group(UserName=NAME, GroupName="administrators")
    age(house.aws, house.account, NAME)
    told = iam.get_user(UserName=NAME)["User"]
    row = factories.iam_user(
        house.account, NAME, team=house.team, tags=TAGS, user_id=told["UserId"], create_date=told["CreateDate"]
    )
    factories.group_membership(row, IAMGroup.objects.get(group_name="administrators"))
    return row


def _a_user_with_a_policy(house: House) -> None:
    """The same with a policy attached, and another as its permissions boundary."""
    _policies(house)
    row = a_user(house)
    iam = house.aws.boto3(house.account.account_id)
    iam.attach_user_policy(UserName=NAME, PolicyArn=READING_ARN)
    iam.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=READING_ARN)
    row.attached_policy_arns, row.permissions_boundary_arn = [READING_ARN], READING_ARN
    row.save()


def a_user_with_everything(house: House) -> IAMUser:
    """The same with two keys, one inactive, and one of each of all else that can hang on a user."""
    row = a_user(house)
    iam = house.aws.boto3(house.account.account_id)
    iam.add_user_to_group(UserName=NAME, GroupName="ledger-writers")
    factories.group_membership(row, IAMGroup.objects.get(group_name="ledger-writers"))
    attached = iam.create_policy(PolicyName="attached", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=NAME, PolicyArn=attached)
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=boundary)
    iam.put_user_policy(UserName=NAME, PolicyName="inline", PolicyDocument=POLICY)
    iam.upload_ssh_public_key(UserName=NAME, SSHPublicKeyBody="ssh-rsa AAAA")
    iam.upload_signing_certificate(UserName=NAME, CertificateBody=certificate(NAME))
    iam.create_service_specific_credential(UserName=NAME, ServiceName="codecommit.amazonaws.com")
    for status in ("Active", "Inactive"):
        key = iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"]
        iam.update_access_key(UserName=NAME, AccessKeyId=key, Status=status)
        factories.access_key(row, access_key_id=key, status=status)
    for kind in IAMCredential.Kind:
        factories.iam_credential(row, kind=kind)
    iam.create_login_profile(UserName=NAME, Password="correct horse battery")
    factories.login_profile(row)
    factories.mfa_device(row, serial_number=authenticator.enable(iam, NAME))
    row.permissions_boundary_arn, row.attached_policy_arns = boundary, [attached]
    row.inline_policies = {"inline": json.loads(POLICY)}
    row.save()
    return row


# Who decides what


def _create(house: House) -> None:
    iam_users.create_iam_user(
        by=house.olive,
        team=house.team,
        account=house.account,
        user_name=NAME,
        kind="application",
        purpose="Writes the ledger",
        group_names=["administrators", "ledger-writers"],
        policy_arns=[READING_ARN, WRITING_ARN],
        tags=TAGS,
        at=database_now(),
    )


def _tag(house: House) -> None:
    tags = {"stage": "test", "new": ""}
    iam_users.tag_iam_user(by=house.lena, iam_user=house.user(), tags=tags, at=database_now())


def _add(house: House) -> None:
    iam_users.add_iam_user_to_group(
        by=house.lena, iam_user=house.user(), group_name="ledger-writers", at=database_now()
    )


def _remove(house: House) -> None:
    iam_users.remove_iam_user_from_group(
        by=house.lena, iam_user=house.user(), group_name="administrators", at=database_now()
    )


def _delete(house: House) -> None:
    iam_users.delete_iam_user(by=house.lena, iam_user=house.user(), reason="Left the company", at=database_now())


def _rename(house: House) -> None:
    iam_users_changes.rename_iam_user(
        by=house.olive, iam_user=house.user(), user_name="ledger-keeper", at=database_now()
    )


def _move(house: House) -> None:
    iam_users_changes.change_path(by=house.olive, iam_user=house.user(), path="/elsewhere/", at=database_now())


def _bind(house: House) -> None:
    iam_users_changes.change_boundary(by=house.olive, iam_user=house.user(), policy_arn=WRITING_ARN, at=database_now())


def _unbind(house: House) -> None:
    iam_users_changes.change_boundary(by=house.olive, iam_user=house.user(), policy_arn="", at=database_now())


def _attach(house: House) -> None:
    iam_users_changes.attach_policy(by=house.olive, iam_user=house.user(), policy_arn=WRITING_ARN, at=database_now())


def _detach(house: House) -> None:
    iam_users_changes.detach_policy(by=house.olive, iam_user=house.user(), policy_arn=READING_ARN, at=database_now())


SCENARIOS: dict[str, Scenario] = {
    "create": Scenario(Kind.IAM_USER_CREATED, _policies, _create),
    "tag": Scenario(Kind.IAM_USER_TAGGED, a_user, _tag),
    "add to group": Scenario(Kind.IAM_USER_ADDED_TO_GROUP, a_user, _add),
    "remove from group": Scenario(Kind.IAM_USER_REMOVED_FROM_GROUP, a_user, _remove),
    "delete": Scenario(Kind.IAM_USER_DELETED, a_user_with_everything, _delete),
    "rename": Scenario(Kind.IAM_USER_RENAMED, a_user, _rename),
    "change path": Scenario(Kind.IAM_USER_PATH_CHANGED, a_user, _move),
    "set boundary": Scenario(Kind.IAM_USER_BOUNDARY_CHANGED, _a_user_with_a_policy, _bind),
    "remove boundary": Scenario(Kind.IAM_USER_BOUNDARY_CHANGED, _a_user_with_a_policy, _unbind),
    "attach policy": Scenario(Kind.IAM_USER_POLICY_ATTACHED, _a_user_with_a_policy, _attach),
    "detach policy": Scenario(Kind.IAM_USER_POLICY_DETACHED, _a_user_with_a_policy, _detach),
}
