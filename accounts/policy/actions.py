"""The actions that AWS has, and which of them a pattern means.

A set of actions is a `Reach`: one bit for each action of the catalogue, one for whatever else a service has, and one
for services that the catalogue lacks. The catalogue is actions.txt, which tests/accounts/policy/catalogue.py writes. It
says a little too much, since some operations are no action of IAM's, and a little too little, since AWS adds some each
week.
"""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

# How the names begin of what only reads.
READS = re.compile(r"(?:admin|batch)?(?:get|list|describe|head|search|lookup|view|select|count|simulate)")
CATALOGUE = Path(__file__).with_name("actions.txt")
_WILDCARD = re.compile(r"[*?]")
# No action has so many letters; a pattern with more, which would take long to prepare, matches none.
LONGEST_NAME = 128
# Sorts after every letter that a name can have.
_LAST = "\x7f"


@dataclass(frozen=True)
class Service:
    """One service: `names` in lower case and sorted; its bits begin at `first` and end with that of the unknown."""

    prefix: str
    title: str
    names: tuple[str, ...]
    first: int

    @property
    def unknown(self) -> int:
        """The bit of the actions that the catalogue does not know."""
        return 1 << (self.first + len(self.names))

    @property
    def all(self) -> int:
        """The bits of all of it."""
        return _span(self.first, self.first + len(self.names) + 1)

    def beginning_with(self, text: str) -> tuple[int, int]:
        """From where to where in `names` those stand that begin so."""
        return bisect_left(self.names, text), bisect_left(self.names, text + _LAST)


@dataclass(frozen=True)
class Reach:
    """A set of actions; `others` are services that the catalogue lacks, with any of their actions."""

    bits: int = 0
    others: frozenset[str] = frozenset()

    def __or__(self, other: Reach) -> Reach:
        return Reach(self.bits | other.bits, self.others | other.others)

    def __sub__(self, other: Reach) -> Reach:
        return Reach(self.bits & ~other.bits, frozenset() if other.bits & ELSEWHERE else self.others - other.others)

    def __and__(self, other: Reach) -> Reach:
        mine = self.others if other.bits & ELSEWHERE else self.others & other.others
        theirs = other.others if self.bits & ELSEWHERE else frozenset()
        return Reach(self.bits & other.bits, mine | theirs)

    def __bool__(self) -> bool:
        return bool(self.bits or self.others)

    def __contains__(self, action: str) -> bool:
        """Whether it has the action, given in full; of one that the catalogue lacks, whether it could have it."""
        service, _, name = action.lower().partition(":")
        known = services().get(service)
        if known is None:
            return bool(self.bits & ELSEWHERE) or service in self.others
        return bool(self.bits & (_bit(known, name) or known.unknown))


def _span(first: int, end: int) -> int:
    return (1 << end) - (1 << first)


def _bit(service: Service, name: str) -> int:
    """The bit of the action of that name, none when the catalogue lacks it."""
    place = bisect_left(service.names, name)
    found = place < len(service.names) and service.names[place] == name
    return 1 << (service.first + place) if found else 0


# The first bit is for services that the catalogue lacks.
ELSEWHERE = 1
NOTHING = Reach()


@cache
def services() -> dict[str, Service]:
    """The catalogue by prefix."""
    found: dict[str, Service] = {}
    first = 1
    for line in CATALOGUE.read_text().splitlines():
        prefix, title, names = line.split("\t")
        found[prefix] = Service(prefix, title, tuple(names.lower().split()), first)
        first += len(found[prefix].names) + 1
    return found


@cache
def everything() -> Reach:
    """All actions of all services."""
    last = max(services().values(), key=lambda service: service.first)
    return Reach(_span(0, last.first + len(last.names) + 1))


def names(reach: Reach) -> tuple[str, ...]:
    """The actions of the reach that the catalogue knows, in lower case: `iam:createuser`."""
    return tuple(
        f"{service.prefix}:{name}"
        for service in services().values()
        for place, name in enumerate(service.names)
        if reach.bits >> (service.first + place) & 1
    )


def is_everything(pattern: str) -> bool:
    """Whether the pattern is nothing but asterisks: `*`, `*:*`."""
    return pattern.startswith("*") and not pattern.strip("*:")


def is_costly(pattern: str) -> bool:
    """Whether the pattern can be compared only name by name: a wildcard stands elsewhere than at its end."""
    return bool(_WILDCARD.search(pattern.rstrip("*"))) and not is_everything(pattern)


def meant(patterns: Iterable[str]) -> Reach:
    """What an Allow of these patterns gives: where a pattern names nothing known, something unknown of its service."""
    return _union(patterns, _gives)


def surely(patterns: Iterable[str]) -> Reach:
    """The least that the patterns can mean: what a Deny of them takes."""
    return _union(patterns, _takes)


def possibly(patterns: Iterable[str]) -> Reach:
    """The most that the patterns can mean, with what a wildcard could find besides that does more than read."""
    return _union(patterns, _could_be)


def all_but_surely(patterns: Iterable[str]) -> Reach:
    """What an Allow gives whose NotAction these are."""
    return everything() - Reach(surely(patterns).bits)


def all_but_possibly(patterns: Iterable[str]) -> Reach:
    """What a Deny takes whose NotAction these are: once they name a service that the catalogue lacks, none of those."""
    spared = possibly(patterns)
    taken = everything() - Reach(spared.bits)
    return Reach(taken.bits & ~ELSEWHERE) if spared.others else taken


def _union(patterns: Iterable[str], reading: Callable[[str], Reach]) -> Reach:
    bits = 0
    others: frozenset[str] = frozenset()
    for pattern in patterns:
        if is_everything(pattern):
            return everything()
        found = reading(pattern)
        bits |= found.bits
        others |= found.others
    return Reach(bits, others)


def _gives(pattern: str) -> Reach:
    service, known = _known(pattern)
    if service is None:
        return Reach(others=frozenset({_prefix(pattern)}))
    return Reach(known or service.unknown)


def _takes(pattern: str) -> Reach:
    service, known = _known(pattern)
    if service is None:
        return Reach(others=frozenset({_prefix(pattern)} if pattern.endswith(":*") else ()))
    return Reach(known)


def _could_be(pattern: str) -> Reach:
    service, known = _known(pattern)
    if service is None:
        return Reach(others=frozenset({_prefix(pattern)}))
    is_open = _WILDCARD.search(pattern) and not READS.match(_name(pattern))
    return Reach(known | service.unknown if is_open else known or service.unknown)


def _prefix(pattern: str) -> str:
    return pattern.partition(":")[0]


def _name(pattern: str) -> str:
    return pattern.partition(":")[2]


@lru_cache(maxsize=4096)
def _known(pattern: str) -> tuple[Service | None, int]:
    """The pattern's service, and the bits of what it matches there; all of them, the unknown too, for `ec2:*`."""
    prefix, _, name = pattern.partition(":")
    service = services().get(prefix)
    if service is None:
        return None, 0
    if name and not name.strip("*"):
        return service, service.all
    head = _WILDCARD.split(name, maxsplit=1)[0]
    if head == name:
        return service, _bit(service, name)
    start, end = service.beginning_with(head)
    if len(name.replace("*", "")) > LONGEST_NAME:
        return service, 0
    if head == name.rstrip("*"):
        return service, _span(service.first + start, service.first + end)
    # Python's own patterns know `[` besides; the reader of documents lets none through.
    found = fnmatch.filter(service.names[start:end], name)
    return service, sum(_bit(service, each) for each in found)
