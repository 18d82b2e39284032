"""AWS's own managed policies, known to an account from the moment somebody names one.

Moto carries all 1,582 and would copy them into every account; a handful is used.
"""

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy

from portal.aws.simulator.hub import REGION

PREFIX = "arn:aws:iam::aws:policy/"


def know(backend: IAMBackend, arn: str) -> None:
    """Put the policy into the account where it is AWS's and not there yet; moto refuses what does not exist."""
    if not arn.startswith(PREFIX) or arn in backend.managed_policies:
        return
    name = arn.rpartition("/")[2]
    facts = _catalogue().get(name)
    if facts is not None:
        policy = AWSManagedPolicy.from_data(name, backend.account_id, REGION, facts)
        backend.managed_policies[policy.arn] = policy


def is_aws(policy: ManagedPolicy) -> bool:
    """Whether the policy is AWS's own."""
    return isinstance(policy, AWSManagedPolicy)


def details(policy: ManagedPolicy, backend: IAMBackend) -> dict[str, Any]:
    """The policy as GetAccountAuthorizationDetails tells it; moto leaves out its name, id and use as a boundary."""
    bounded = [getattr(user, "permissions_boundary", None) for user in backend.users.values()]
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": sum(held is not None and policy.arn in held.values() for held in bounded),
        "IsAttachable": True,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": policy.policy_version_list,
    }


@cache
def _catalogue() -> dict[str, dict[str, Any]]:
    catalogue: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return catalogue
