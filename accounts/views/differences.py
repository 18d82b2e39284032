"""How pages say in words what differs between what was decided of an IAM user and what AWS holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Drift

NONE, EMPTY = "none", "empty"
# What a row of a list shows at once; the rest is there to be opened.
SHOWN = 4
WHOLE = {Drift.Kind.NEW: "New in AWS", Drift.Kind.GONE: "AWS no longer holds it"}


@dataclass(frozen=True)
class Line:
    """One difference: "Tag `cost-center`: `4711` → `4712`", or with `remark` "Group `administrators`: gained".

    `documents` are policies as they were decided and as AWS holds them, "" for none.
    """

    label: str
    name: str = ""
    decided: str = ""
    held: str = ""
    remark: str = ""
    documents: tuple[str, str] | None = None


@dataclass(frozen=True)
class Difference:
    """One drift with its lines; `rest` are those that are not shown at once."""

    drift: Drift
    lines: list[Line]
    rest: list[Line]


def of(drift: Drift) -> Difference:
    """What it says, in words."""
    lines = list(_lines(drift))
    return Difference(drift, lines[:SHOWN], lines[SHOWN:])


def _lines(drift: Drift) -> Iterator[Line]:
    if drift.kind != Drift.Kind.CHANGED:
        yield Line(WHOLE[Drift.Kind(drift.kind)])
    else:
        yield from _IN_WORDS[drift.attribute](drift.decided, drift.held)


def _one(label: str) -> Callable[[str, str], Iterator[Line]]:
    def lines(decided: str, held: str) -> Iterator[Line]:
        yield Line(label, decided=decided or NONE, held=held or NONE)

    return lines


def _tags(decided: Mapping[str, str], held: Mapping[str, str]) -> Iterator[Line]:
    for name, was, now in _pairs(decided, held):
        yield Line("Tag", name, decided=_value(was), held=_value(now))


def _groups(decided: list[str], held: list[str]) -> Iterator[Line]:
    for name, was, _ in _pairs(dict.fromkeys(decided, True), dict.fromkeys(held, True)):
        yield Line("Group", name, remark="gained" if was is None else "lost")


def _policies(decided: list[str], held: list[str]) -> Iterator[Line]:
    for arn in sorted(set(decided) ^ set(held)):
        yield Line("Policy", arn, remark="attached" if arn in held else "detached")


def _inline_policies(decided: Mapping[str, object], held: Mapping[str, object]) -> Iterator[Line]:
    for name, was, now in _pairs(decided, held):
        remark = "added" if was is None else "removed" if now is None else "changed"
        yield Line("Inline policy", name, remark=remark, documents=(_document(was), _document(now)))


def _pairs(decided: Mapping[str, Any], held: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Each name whose value differs, with both, None for none; upper and lower case count as the same."""
    were = {name.lower(): (name, value) for name, value in decided.items()}
    are = {name.lower(): (name, value) for name, value in held.items()}
    for key in sorted(were.keys() | are.keys()):
        was, now = were.get(key, ("", None)), are.get(key, ("", None))
        if was[1] != now[1]:
            yield now[0] or was[0], was[1], now[1]


def _value(value: str | None) -> str:
    return NONE if value is None else value or EMPTY


def _document(document: object) -> str:
    if document is None:
        return ""
    return document if isinstance(document, str) else json.dumps(document, indent=2, ensure_ascii=False)


_IN_WORDS: dict[str, Callable[[Any, Any], Iterator[Line]]] = {
    Drift.Attribute.USER_NAME: _one("User name"),
    Drift.Attribute.PATH: _one("Path"),
    Drift.Attribute.TAGS: _tags,
    Drift.Attribute.GROUPS: _groups,
    Drift.Attribute.PERMISSIONS_BOUNDARY: _one("Permissions boundary"),
    Drift.Attribute.ATTACHED_POLICIES: _policies,
    Drift.Attribute.INLINE_POLICIES: _inline_policies,
}
