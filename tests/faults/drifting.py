"""Every attribute that a revert brings back: how AWS came to differ, and who decides that it follows the record."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from accounts.kinds import Kind
from accounts.models import Drift, IAMGroup, IAMUser
from accounts.usecases.drift import revert_drift
from portal.ledger.clock import database_now
from tests import factories
from tests.faults.enumerated import NAME, TAGS, House, Scenario, a_user

READ, WRITE = (f"arn:aws:iam::111122223333:policy/{name}" for name in ("read", "write"))
DRIFTED = "drifted-writer"


def document(action: str) -> dict[str, Any]:
    """A policy that allows one action."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def _tagged(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.untag_user(UserName=NAME, TagKeys=["old"])
    iam.tag_user(UserName=NAME, Tags=[{"Key": "stage", "Value": "test"}, {"Key": "foreign", "Value": ""}])
    return {"tags": {"stage": "test", "foreign": ""}}


def _regrouped(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.remove_user_from_group(UserName=NAME, GroupName="administrators")
    iam.add_user_to_group(UserName=NAME, GroupName="ledger-writers")
    row.group_memberships.all().delete()
    factories.group_membership(row, IAMGroup.objects.get(group_name="ledger-writers"))
    return {}


def _renamed(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.update_user(UserName=NAME, NewUserName=DRIFTED)
    return {"user_name": DRIFTED}


def _moved(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.update_user(UserName=NAME, NewPath="/elsewhere/")
    return {"path": "/elsewhere/"}


def _unbound(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.delete_user_permissions_boundary(UserName=NAME)
    return {"permissions_boundary_arn": ""}


def _reattached(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.detach_user_policy(UserName=NAME, PolicyArn=READ)
    iam.attach_user_policy(UserName=NAME, PolicyArn=WRITE)
    return {"attached_policy_arns": [WRITE]}


def _rewritten(iam: Any, row: IAMUser) -> dict[str, Any]:
    iam.put_user_policy(UserName=NAME, PolicyName="inline", PolicyDocument=json.dumps(document("s3:*")))
    iam.put_user_policy(UserName=NAME, PolicyName="foreign", PolicyDocument=json.dumps(document("iam:*")))
    return {"inline_policies": {"inline": document("s3:*"), "foreign": document("iam:*")}}


def prepare(drift: Callable[[Any, IAMUser], dict[str, Any]], attribute: str, house: House) -> IAMUser:
    """A user that the portal manages, with a group, tags, policies and a boundary, until somebody changed it in AWS."""
    row, iam = a_user(house), house.aws.boto3(house.account.account_id)
    for name in ("read", "write"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document(f"s3:{name}")))
    iam.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=READ)
    iam.attach_user_policy(UserName=NAME, PolicyArn=READ)
    iam.put_user_policy(UserName=NAME, PolicyName="inline", PolicyDocument=json.dumps(document("s3:read")))
    row.permissions_boundary_arn, row.attached_policy_arns = READ, [READ]
    row.inline_policies, row.tags = {"inline": document("s3:read")}, TAGS
    row.save()
    record = factories.iam_user_record(row)
    held = drift(iam, row)
    IAMUser.objects.filter(pk=row.pk).update(**held)
    now = held.get(attribute, sorted(row.group_memberships.values_list("iam_group__group_name", flat=True)))
    factories.drift(row, attribute=attribute, decided=getattr(record, attribute), held=now)
    return row


def _revert(house: House) -> None:
    revert_drift(by=house.olive, drifts=list(Drift.objects.all()), reason="Nobody here decided that", at=database_now())


CHANGES: dict[str, Callable[[Any, IAMUser], dict[str, Any]]] = {
    "tags": _tagged,
    "group_names": _regrouped,
    "user_name": _renamed,
    "path": _moved,
    "permissions_boundary_arn": _unbound,
    "attached_policy_arns": _reattached,
    "inline_policies": _rewritten,
}
SCENARIOS = {
    f"revert {attribute}": Scenario(Kind.DRIFT_REVERTED, partial(prepare, change, attribute), _revert)
    for attribute, change in CHANGES.items()
}
