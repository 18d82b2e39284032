"""Reading a policy document so that nothing in it is overlooked.

The form is that of the IAM User Guide, "Grammar of the IAM JSON policy language", for policies of users, groups and
roles. What departs from it is refused and never guessed at: a reader who meets `Unreadable` must take the document for
one that could allow anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

# The largest that AWS itself attaches to people, ReadOnlyAccess, has 95,000 characters; a customer's may have 6,144.
LARGEST = 200_000
DEEPEST = 10
VERSIONS = ("2008-10-17", "2012-10-17")
ELEMENTS = {"Version", "Id", "Statement"}
STATEMENT_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
# IAM takes wildcards in the name of an action and none in that of a service, but for a lone asterisk.
ACTION = re.compile(r"\*+(?::\*+)?|[A-Za-z0-9-]+:[A-Za-z0-9_*?-]+")
# A user's own ARN, in whichever account and path. The variable must stand whole: `${aws:username}*` is other users too.
ONESELF = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):iam::(?:\*|[0-9]{12})?:user/(?:[\x21-\x7e]*/)?\$\{aws:username\}")
# It also takes a string that never ends, up to the end: a search that began again at each of its quotes took minutes.
_STRING = re.compile(r'"(?>[^"\\]+|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_Kind = TypeVar("_Kind")


class Unreadable(ValueError):
    """The document is not one that IAM would hold, or not one that can be judged; says why, for people."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The policy cannot be read: {why}.")


@dataclass(frozen=True)
class Statement:
    """One statement; patterns of actions in lower case, resources and conditions as they stand."""

    is_allow: bool
    actions: tuple[str, ...]
    is_not_action: bool
    resources: tuple[str, ...]
    is_not_resource: bool
    condition: Mapping[str, object] | None

    @property
    def is_absolute(self) -> bool:
        """Whether it holds for every resource and under every condition."""
        return self.condition is None and not self.is_not_resource and "*" in self.resources

    @property
    def is_about_oneself(self) -> bool:
        """Whether it reaches no IAM user but the one that acts."""
        return not self.is_not_resource and all(ONESELF.fullmatch(resource) for resource in self.resources)


def read(document: str | Mapping[str, object]) -> tuple[Statement, ...]:
    """The statements of a policy, given as JSON or as the object that it stands for.

    Two elements of one name can only be seen in JSON: whoever has the text should give the text.

    :raises Unreadable: when it is too large or too deep, not JSON, or in any part not of IAM's form.
    """
    whole = _parsed(document if isinstance(document, str) else _text_of(document))
    if not isinstance(whole, dict):
        raise Unreadable("it is not an object")
    if not whole.keys() <= ELEMENTS:
        raise Unreadable("it has elements that no policy has")
    if whole.get("Version", VERSIONS[0]) not in VERSIONS:
        raise Unreadable("its Version is none that IAM knows")
    return tuple(_statement(each) for each in _many(whole.get("Statement"), dict, "Statement"))


def _text_of(document: Mapping[str, object]) -> str:
    try:
        return json.dumps(document, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unreadable("it is not what JSON can say") from error


def _parsed(text: str) -> object:
    if len(text) > LARGEST:
        raise Unreadable(f"it is longer than {LARGEST:,} characters")
    if _depth(text) > DEEPEST:
        raise Unreadable(f"it is nested more than {DEEPEST} deep")
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except Unreadable:
        raise
    except ValueError as error:
        raise Unreadable("it is not JSON") from error


def _depth(text: str) -> int:
    """How deep the brackets outside of strings go, found without parsing: a parser may fall before it can tell."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("an element stands in it twice")
    return made


def _constant(name: str) -> object:
    raise Unreadable(f"{name} is not JSON")


def _statement(given: dict[str, object]) -> Statement:
    if not given.keys() <= STATEMENT_ELEMENTS:
        raise Unreadable("a statement has elements that no statement has")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise Unreadable("the Effect of a statement is neither Allow nor Deny")
    actions, is_not_action = _either(given, "Action", "NotAction")
    resources, is_not_resource = _either(given, "Resource", "NotResource")
    if not all(map(ACTION.fullmatch, actions)):
        raise Unreadable("it names an action in a form that IAM does not take")
    return Statement(
        is_allow=given["Effect"] == "Allow",
        actions=tuple(action.lower() for action in actions),
        is_not_action=is_not_action,
        resources=resources,
        is_not_resource=is_not_resource,
        condition=_condition(given),
    )


def _either(given: dict[str, object], name: str, opposite: str) -> tuple[tuple[str, ...], bool]:
    """What stands under one of the two names, and whether it was the second."""
    if (name in given) == (opposite in given):
        raise Unreadable(f"a statement needs either {name} or {opposite}")
    found = name if name in given else opposite
    return tuple(_many(given[found], str, found)), found == opposite


def _condition(given: dict[str, object]) -> Mapping[str, object] | None:
    condition = given.get("Condition", {})
    if not isinstance(condition, dict):
        raise Unreadable("a Condition is not an object")
    return condition if "Condition" in given else None


def _many(value: object, kind: type[_Kind], name: str) -> Iterator[_Kind]:
    """One of a kind, or a list of at least one."""
    many = value if isinstance(value, list) else [value]
    if not many:
        raise Unreadable(f"{name} is empty")
    for each in many:
        if not isinstance(each, kind):
            raise Unreadable(f"{name} is not of the form that IAM takes")
        yield each
