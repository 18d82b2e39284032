"""Putting a role in place in the embedded AWS, where nobody has a console or a key to do it with."""

import json
from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from portal.aws.simulator import names
from portal.aws.simulator.hub import PARTITION

POLICY_NAME = "gatehouse"


def put_role(
    *, account_id: str, role_name: str, path: str, trust: Mapping[str, Any], policy: Mapping[str, Any]
) -> None:
    """Make the role, or give the one that is there this trust; and this inline policy in place of its others."""
    backend = iam_backends[account_id][PARTITION]
    role = next((role for role in backend.get_roles() if role.name == role_name), None)
    if role is None:
        role = backend.create_role(role_name, json.dumps(trust), path, None, "", [], "3600")
        backend.roles.pop(role.id)
        role.id = names.unique_id("AROA")
        backend.roles[role.id] = role
    role.assume_role_policy_document = json.dumps(trust)
    role.policies.clear()
    backend.put_role_policy(role_name, POLICY_NAME, json.dumps(policy))
