"""What an IAM user may do by all that it holds: its own policies, those of its groups, within its boundary.

It errs to the side of too much. An Allow counts whatever its condition and its resources; a Deny counts only where it
holds for every resource and under every condition; what cannot be read could allow anything, and denies nothing.

What the boundary does not allow is not thereby denied: a resource-based policy that names the user goes past an
implicit denial (IAM User Guide, "Permissions boundaries for IAM entities"). Only `denied` holds against those too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_

from accounts.policy.actions import (
    NOTHING,
    Reach,
    all_but_possibly,
    all_but_surely,
    everything,
    is_costly,
    meant,
    possibly,
    surely,
)
from accounts.policy.documents import Statement, Unreadable, read
from accounts.policy.methods import ON_ONESELF

# Patterns with a wildcard inside are compared name by name, half a millisecond each. Of AWS's 1,582 managed policies
# none has more than 29.
MOST_COSTLY = 200


@dataclass(frozen=True)
class PolicyDocument:
    """A policy, and the way by which it reaches the user: `group operators → ReadOnlyAccess`.

    `document` is JSON or the object that it stands for; None says that it has not been read.
    """

    name: str
    document: str | Mapping[str, object] | None


@dataclass(frozen=True)
class Grant:
    """What one policy allows, before anything is denied; `own` is what it allows on the acting user alone."""

    name: str
    reach: Reach
    own: Reach = NOTHING
    denied: Reach = NOTHING
    why_unknown: str = ""


@dataclass(frozen=True)
class Closure:
    """What remains of all grants.

    `reach` is what it may do, `own` what it may do on its own IAM user alone, `denied` what is denied to it whatever
    else allows it. `limit` is the permissions boundary, without a name where there is none. `unknown` are the policies
    that could not be judged: each with the reason.
    """

    reach: Reach
    own: Reach
    denied: Reach
    grants: tuple[Grant, ...]
    limit: Grant
    unknown: Mapping[str, str]

    @property
    def boundary(self) -> str:
        """The name of the permissions boundary, empty where there is none."""
        return self.limit.name

    def allows(self, action: str) -> bool:
        """Whether it may do this, given in full: `iam:CreateUser`, in whichever case."""
        return action in self.reach

    def denies(self, action: str) -> bool:
        """Whether an explicit Deny holds against it, so that no resource-based policy can give it either."""
        return action in self.denied

    def granting(self, actions: Iterable[str]) -> tuple[str, ...]:
        """The names of the policies that allow any of these actions and are not kept from it."""
        wanted = [action for action in actions if action in self.reach]
        return tuple(grant.name for grant in self.grants if any(action in grant.reach for action in wanted))

    def without(self, names: Collection[str]) -> Closure:
        """What remains without the policies of these names: of two closures, what both do not know hides nothing."""
        return _remaining(tuple(grant for grant in self.grants if grant.name not in names), self.limit)


def closure_of(policies: Iterable[PolicyDocument], *, boundary: PolicyDocument | None = None) -> Closure:
    """All that an IAM user with these policies may do, within the boundary where it has one."""
    effort = _Effort()
    grants = tuple(_grant(policy, effort) for policy in policies)
    limit = Grant("", everything()) if boundary is None else _limit(boundary, effort)
    return _remaining(grants, limit)


def _remaining(grants: tuple[Grant, ...], limit: Grant) -> Closure:
    denied = _union(grant.denied for grant in (*grants, limit))
    reach = (_union(grant.reach for grant in grants) & limit.reach) - denied
    own = (_union(grant.own for grant in grants) & limit.reach) - denied
    unknown = {grant.name: grant.why_unknown for grant in (*grants, limit) if grant.why_unknown}
    return Closure(reach, own - reach, denied, grants, limit, unknown)


class _Effort:
    """How many costly patterns were looked at: a policy that asks for too many is not judged."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def spend(self, statements: Iterable[Statement]) -> None:
        asked = {pattern for statement in statements for pattern in statement.actions if is_costly(pattern)}
        if len(self._seen | asked) > MOST_COSTLY:
            raise Unreadable("it has more wildcards than can be judged")
        self._seen |= asked


def _grant(policy: PolicyDocument, effort: _Effort) -> Grant:
    try:
        return _judged(policy.name, _statements(policy, effort))
    except Unreadable as error:
        return Grant(policy.name, everything(), why_unknown=str(error))


def _limit(boundary: PolicyDocument, effort: _Effort) -> Grant:
    """What the boundary lets through; all of it where it cannot be judged."""
    try:
        statements = _statements(boundary, effort)
    except Unreadable as error:
        return Grant(boundary.name, everything(), why_unknown=str(error))
    let_through = _union(_at_most(statement) for statement in statements if statement.is_allow)
    return Grant(boundary.name, let_through, denied=_denied(statements))


def _statements(policy: PolicyDocument, effort: _Effort) -> tuple[Statement, ...]:
    if policy.document is None:
        raise Unreadable("AWS has not been asked for it yet")
    statements = read(policy.document)
    effort.spend(statements)
    return statements


def _judged(name: str, statements: tuple[Statement, ...]) -> Grant:
    allowing = [statement for statement in statements if statement.is_allow]
    return Grant(
        name,
        reach=_union(_beyond_oneself(statement) for statement in allowing),
        own=_union(_allowed(statement) & _on_oneself() for statement in allowing if statement.is_about_oneself),
        denied=_denied(statements),
    )


def _beyond_oneself(statement: Statement) -> Reach:
    allowed = _allowed(statement)
    return allowed - _on_oneself() if statement.is_about_oneself else allowed


def _allowed(statement: Statement) -> Reach:
    return all_but_surely(statement.actions) if statement.is_not_action else meant(statement.actions)


def _at_most(statement: Statement) -> Reach:
    return all_but_surely(statement.actions) if statement.is_not_action else possibly(statement.actions)


def _denied(statements: Iterable[Statement]) -> Reach:
    absolute = [statement for statement in statements if not statement.is_allow and statement.is_absolute]
    return _union(
        all_but_possibly(statement.actions) if statement.is_not_action else surely(statement.actions)
        for statement in absolute
    )


@cache
def _on_oneself() -> Reach:
    return meant(action.lower() for action in ON_ONESELF)


def _union(reaches: Iterable[Reach]) -> Reach:
    return reduce(or_, reaches, NOTHING)
