"""Which of the known ways to more rights a closure opens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from accounts.policy.actions import ELSEWHERE, services
from accounts.policy.closure import Closure
from accounts.policy.methods import METHODS, Method

EVERYTHING = Method(None, "Administration", "do everything, IAM included", ("iam:*",))
ALL_OF_IAM = Method(None, "AdministrationOfIAM", "do everything in IAM", ("iam:*",))


@dataclass(frozen=True)
class Escalation:
    """A way that is open, and the policies that open it; those that could not be judged among them."""

    method: Method
    because: tuple[str, ...]

    def __str__(self) -> str:
        return f"{_listed(self.because)} would let it {self.method.does}."


def escalations(closure: Closure) -> list[Escalation]:
    """All that are open, administration first. What the user may do on itself alone opens none."""
    return [
        Escalation(method, closure.granting(_needed(method)))
        for method in (*_administration(closure), *METHODS)
        if all(closure.allows(action) for action in _needed(method))
    ]


def _administration(closure: Closure) -> tuple[Method, ...]:
    all_of_iam = services()["iam"].all
    if closure.reach.bits & all_of_iam != all_of_iam:
        return ()
    return (EVERYTHING, ALL_OF_IAM) if closure.reach.bits & ELSEWHERE else (ALL_OF_IAM,)


@cache
def _needed(method: Method) -> tuple[str, ...]:
    if method in (EVERYTHING, ALL_OF_IAM):
        return tuple(f"iam:{name}" for name in services()["iam"].names)
    return method.actions


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
