"""Does a role's trust policy let this caller in? AWS's rules as far as a portal's role uses them; in doubt, no.

IAM User Guide: "AWS JSON policy elements: Principal", "How to use an external ID".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

ASSUME_ROLE = "sts:AssumeRole"


@dataclass(frozen=True)
class Caller:
    """Who asks: ARN and account, and the external id that came with it ("" where none did)."""

    arn: str
    account_id: str
    external_id: str


def is_trusted(document: str, caller: Caller) -> bool:
    """Whether a statement allows sts:AssumeRole to the caller and none denies it."""
    statements = many(json.loads(document).get("Statement", []))
    effects = {statement.get("Effect") for statement in statements if _applies(statement, caller)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], caller: Caller) -> bool:
    return (
        any(fnmatchcase(ASSUME_ROLE.lower(), str(action).lower()) for action in many(statement.get("Action", [])))
        and _is_principal(statement.get("Principal", {}), caller)
        and all(_holds(operator, facts, caller) for operator, facts in statement.get("Condition", {}).items())
    )


def _is_principal(principal: object, caller: Caller) -> bool:
    if principal == "*":
        return True
    named = many(principal.get("AWS", [])) if isinstance(principal, dict) else []
    account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root", "*"}
    return any(name in account or name == caller.arn for name in named)


def _holds(operator: str, expected: Mapping[str, Any], caller: Caller) -> bool:
    compare = OPERATORS.get(operator)
    if compare is None:
        return False
    return all(_matches(compare, _fact(key, caller), many(values)) for key, values in expected.items())


def _matches(compare: Callable[[str, str], bool], fact: str | None, values: list[str]) -> bool:
    return fact is not None and any(compare(fact, str(value)) for value in values)


def _fact(key: str, caller: Caller) -> str | None:
    facts = {
        "sts:externalid": caller.external_id,
        "aws:principalarn": caller.arn,
        "aws:principalaccount": caller.account_id,
    }
    return facts.get(key.lower()) or None


def many(value: Any) -> list[Any]:
    """IAM's JSON takes one value where a list of one is meant."""
    return value if isinstance(value, list) else [value]


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "ArnEquals": fnmatchcase,
    "StringLike": fnmatchcase,
    "ArnLike": fnmatchcase,
}
