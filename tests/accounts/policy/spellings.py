"""Policies as people write them, and the many ways to write the same grant."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accounts.policy.boundary import boundary_document
from accounts.policy.closure import PolicyDocument

PORTAL_ROLE = "arn:aws:iam::111122223333:role/gatehouse-portal"
ONESELF = "arn:aws:iam::*:user/${aws:username}"
CONDITION = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
Spelling = Callable[[Sequence[str]], list[PolicyDocument]]


def statement(effect: str, actions: object, resources: object = "*", **more: object) -> dict[str, Any]:
    """One statement: `Allow` or `Deny`, with these actions."""
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A whole document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def policy(*statements: Mapping[str, Any], name: str = "policy") -> PolicyDocument:
    """A policy with these statements."""
    return PolicyDocument(name, document(*statements))


def allow(*actions: str, name: str = "policy", on: object = "*") -> PolicyDocument:
    """A policy that allows these actions."""
    return policy(statement("Allow", list(actions), on), name=name)


def deny(*actions: str, name: str = "denial") -> PolicyDocument:
    """A policy that denies these actions, whatever the resource."""
    return policy(statement("Deny", list(actions)), name=name)


def boundary(**more: Any) -> PolicyDocument:
    """The boundary that the portal writes."""
    return PolicyDocument("boundary", boundary_document(protected_roles=[PORTAL_ROLE], **more))


def service_of(action: str) -> str:
    """`iam` of `iam:CreateUser`."""
    return action.partition(":")[0]


def _one(spell: Callable[[str], str]) -> Spelling:
    return lambda actions: [allow(*map(spell, actions))]


def _odd(action: str) -> str:
    return "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(action))


def _inner(action: str) -> str:
    service, _, name = action.partition(":")
    return f"{service}:{name[:3]}*{name[-3:]}"


def _split(actions: Sequence[str]) -> list[PolicyDocument]:
    ours = [allow(action, name=f"group {place} → policy") for place, action in enumerate(actions)]
    return [allow("s3:GetObject", name="own policy"), *ours]


def _narrow_denial(actions: Sequence[str]) -> list[PolicyDocument]:
    return [allow(*actions), policy(statement("Deny", list(actions), "arn:aws:iam::*:user/olive"))]


SPELLINGS: dict[str, Spelling] = {
    "direct": lambda actions: [allow(*actions)],
    "one by one": lambda actions: [policy(*(statement("Allow", action) for action in actions))],
    "one statement and no list": lambda actions: [
        PolicyDocument("policy", {"Statement": statement("Allow", list(actions))})
    ],
    "wildcard at the end": _one(lambda action: f"{action[:-3]}*"),
    "wildcard inside": _one(_inner),
    "question mark": _one(lambda action: f"{action[:-4]}?{action[-3:]}"),
    "question marks alone": _one(lambda action: f"{service_of(action)}:{'?' * len(action.partition(':')[2])}"),
    "whole service": _one(lambda action: f"{service_of(action)}:*"),
    "everything": lambda _actions: [allow("*")],
    "everything, twice": lambda _actions: [allow("*:*")],
    "NotAction": lambda _actions: [
        policy({"Effect": "Allow", "NotAction": ["s3:DeleteBucket", "new-service:Do"], "Resource": "*"})
    ],
    "odd case": _one(_odd),
    "over several policies": _split,
    "on some resources": lambda actions: [allow(*actions, on=["arn:aws:iam::111122223333:user/olive"])],
    "NotResource": lambda actions: [
        policy({"Effect": "Allow", "Action": list(actions), "NotResource": "arn:aws:s3:::ledger"})
    ],
    "under a condition": lambda actions: [policy(statement("Allow", list(actions), Condition=CONDITION))],
    "denied in part": _narrow_denial,
    "denied under a condition": lambda actions: [
        policy(statement("Allow", list(actions)), statement("Deny", list(actions), Condition=CONDITION))
    ],
    "denied but for some resource": lambda actions: [
        policy(
            statement("Allow", list(actions)),
            {"Effect": "Deny", "Action": list(actions), "NotResource": "arn:aws:iam::*:role/team/*"},
        )
    ],
    "denied, with an all but its name": lambda actions: [
        policy(statement("Allow", list(actions)), {"Effect": "Deny", "NotAction": list(actions), "Resource": "*"})
    ],
    "not read": lambda _actions: [PolicyDocument("policy", None)],
    "not readable": lambda actions: [PolicyDocument("policy", document(statement("allow", list(actions))))],
}
