"""IAM's policy simulator, which moto lacks: a role's inline and attached policies, its boundary, and what they allow.

IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements reference". A statement with a condition allows
nothing here, and denies: nobody tells the simulator what the conditions ask for.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import IAMBackend, ManagedPolicy, Role
from moto.iam.responses import IamResponse

from portal.aws.simulator.trust import many

ALLOWED, DENIED, NOT_ALLOWED = "allowed", "explicitDeny", "implicitDeny"


class Simulations(IamResponse):
    """SimulatePrincipalPolicy, for roles."""

    def simulate_principal_policy(self) -> ActionResult:
        """Evaluate each action on each resource."""
        role = self.backend.get_role_by_arn(self._get_param("PolicySourceArn"))
        identity, boundary = list(_identity_statements(role)), _boundary_statements(self.backend, role)
        results = [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision(identity, boundary, action, resource),
            }
            for action in self._get_param("ActionNames", [])
            for resource in self._get_param("ResourceArns", []) or ["*"]
        ]
        return ActionResult({"EvaluationResults": results})


def decision(
    identity: Iterable[Mapping[str, Any]], boundary: Iterable[Mapping[str, Any]] | None, action: str, resource: str
) -> str:
    """What the policies together say; a boundary, where there is one, must allow it too."""
    sides = [identity] if boundary is None else [identity, boundary]
    effects = [{st["Effect"] for st in side if _applies(st, action, resource)} for side in sides]
    if any("Deny" in found for found in effects):
        return DENIED
    return ALLOWED if all("Allow" in found for found in effects) else NOT_ALLOWED


def _applies(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if statement.get("Condition") and statement["Effect"] == "Allow":
        return False
    return _names(statement, "Action", action, re.IGNORECASE) and _names(statement, "Resource", resource, 0)


def _names(statement: Mapping[str, Any], element: str, wanted: str, flags: int) -> bool:
    """By the element, or by its opposite: NotAction, NotResource."""
    if element in statement:
        return any(_is_like(wanted, pattern, flags) for pattern in many(statement[element]))
    return not any(_is_like(wanted, pattern, flags) for pattern in many(statement.get(f"Not{element}", ["*"])))


def _is_like(text: str, pattern: str, flags: int) -> bool:
    """IAM's wildcards: `*` for anything, `?` for one character, and nothing else is special."""
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, flags | re.DOTALL) is not None


def _identity_statements(role: Role) -> Iterator[Mapping[str, Any]]:
    for document in (*role.policies.values(), *map(_document, role.managed_policies.values())):
        yield from _statements(document)


def _boundary_statements(backend: IAMBackend, role: Role) -> list[Mapping[str, Any]] | None:
    arn = role.permissions_boundary_arn
    return _statements(_document(backend.get_policy(arn))) if arn else None


def _document(policy: ManagedPolicy) -> str:
    return next(version.document for version in policy.versions if version.version_id == policy.default_version_id)


def _statements(document: str) -> list[Mapping[str, Any]]:
    return many(json.loads(document)["Statement"])
