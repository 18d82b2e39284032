"""What an IAM user may do, and what a change of it changes, in words that people read before they decide.

Services by the three levels of what is done to them: read, write, administer. As the closure, it errs to the side of
too much: what cannot be read could allow anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from accounts.policy.actions import ELSEWHERE, Reach, everything, services
from accounts.policy.closure import Closure, Grant
from accounts.policy.escalation import ALL_OF_IAM, EVERYTHING, Escalation, escalations
from accounts.policy.levels import Level, bits_of

# A sentence with more names than these is not read.
MOST_NAMED = 8
GRAVEST_FIRST = tuple(reversed(Level))
EVERY_SERVICE = "Every service"
UNKNOWN_SERVICES = "Services that the portal does not know"
ITSELF = "Its own sign-in and keys"
_CHANGING = (Level.WRITE, Level.ADMINISTER)
_VERBS = {Level.READ: "read", Level.WRITE: "write to", Level.ADMINISTER: "administer"}


@dataclass(frozen=True)
class ServiceAccess:
    """What is possible in one service: `levels` from read to administer; `because` are the policies that allow it."""

    title: str
    levels: tuple[Level, ...]
    because: tuple[str, ...] = ()

    @property
    def gravest(self) -> Level:
        """The last of its levels."""
        return self.levels[-1]


@dataclass(frozen=True)
class Difference:
    """What a change gives and takes, by service, and the sentences that say it, what weighs most first.

    `is_grave` where it could make an administrator of it.
    """

    gained: tuple[ServiceAccess, ...]
    lost: tuple[ServiceAccess, ...]
    sentences: tuple[str, ...]
    is_grave: bool = False


def access_in_words(closure: Closure) -> list[ServiceAccess]:
    """What it may do in each service, the gravest first; one line alone where that is everything."""
    if closure.reach.bits == everything().bits:
        return [ServiceAccess(EVERY_SERVICE, tuple(Level), tuple(grant.name for grant in closure.grants))]
    found = [*_services(closure.reach, closure.grants), *_itself(closure)]
    return sorted(found, key=lambda access: (GRAVEST_FIRST.index(access.gravest), access.title.lower()))


def difference(*, before: Closure, after: Closure) -> Difference:
    """What changes between the two, of one IAM user; without any sentence where nothing does.

    A policy that could not be read counts as one that could allow anything, and hides nothing that others change.
    """
    unread = tuple(_about_unread(before, after))
    is_grave = bool(set(after.unknown) - set(before.unknown))
    before, after = before.without(before.unknown), after.without(after.unknown)
    gained = tuple(access_in_words(_less(after, before)))
    lost = tuple(access_in_words(_less(before, after)))
    ways = [way for name, way in _ways(after).items() if name not in _ways(before)]
    sentences = (
        *unread,
        *_about_the_boundary(before.boundary, after.boundary),
        *_about_ways(ways),
        *_about_ways_shut(before, after),
        *_about_iam(before, after),
        *_about_services("can now", () if _is_administration(ways) else gained),
        *_about_services("can no longer", lost),
    )
    return Difference(gained, lost, sentences, is_grave=is_grave or bool(ways))


def listed(names: Iterable[str], *, joined: str = ", ") -> str:
    """The names as a sentence has them: "S3, SQS and Lambda"; of many, eight and "and 12 more"."""
    given = list(names)
    named, more = given[:MOST_NAMED], len(given) - MOST_NAMED
    last = f"{more} more" if more > 0 else named.pop()
    return f"{joined.join(named)} and {last}" if named else last


def _less(closure: Closure, other: Closure) -> Closure:
    reach, own = closure.reach - other.reach, closure.own - other.own - other.reach
    return replace(closure, reach=reach, own=own)


def _services(reach: Reach, grants: Iterable[Grant]) -> Iterator[ServiceAccess]:
    for service in services().values():
        bits = reach.bits & service.all
        if levels := _levels(bits):
            yield ServiceAccess(service.title, levels, _because(grants, bits))
    if reach.bits & ELSEWHERE:
        yield ServiceAccess(UNKNOWN_SERVICES, tuple(Level), _because(grants, ELSEWHERE))
    for prefix in sorted(reach.others):
        because = tuple(grant.name for grant in grants if f"{prefix}:?" in grant.reach)
        yield ServiceAccess(prefix, tuple(Level), because)


def _itself(closure: Closure) -> Iterator[ServiceAccess]:
    """What is at no level is its own password, which nobody else's rights change."""
    bits = closure.own.bits | closure.reach.bits & ~(ELSEWHERE | _at_a_level())
    if bits:
        because = tuple(grant.name for grant in closure.grants if (grant.own.bits | grant.reach.bits) & bits)
        yield ServiceAccess(ITSELF, _levels(bits) or (Level.WRITE,), because)


def _because(grants: Iterable[Grant], bits: int) -> tuple[str, ...]:
    return tuple(grant.name for grant in grants if grant.reach.bits & bits)


def _levels(bits: int) -> tuple[Level, ...]:
    return tuple(level for level in Level if bits & bits_of(level))


def _at_a_level() -> int:
    return reduce(or_, map(bits_of, Level))


def _about_unread(before: Closure, after: Closure) -> Iterator[str]:
    for name, why in sorted(after.unknown.items()):
        if name in before.unknown:
            yield f"{_plain(name)} could allow anything already, and is left out of this: {why}"
        else:
            yield f"{_plain(name)} could allow anything: {why}"
    for name, why in sorted(before.unknown.items()):
        if name not in after.unknown:
            yield f"Whatever {_plain(name)} allows goes: {why}"


def _about_the_boundary(before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    if not after:
        yield f"The permissions boundary no longer applies: it was {_plain(before)}."
    elif before:
        yield f"The permissions boundary is {_plain(after)} instead of {_plain(before)}."
    else:
        yield f"The permissions boundary {_plain(after)} applies."


def _plain(boundary: str) -> str:
    return boundary.removeprefix("boundary ")


def _about_ways(gained: list[Escalation]) -> Iterator[str]:
    if gained and gained[0].method in (EVERYTHING, ALL_OF_IAM):
        yield f"It can now {gained[0].method.does}."
    elif gained:
        yield f"It could now become administrator: {listed((way.method.does for way in gained), joined='; ')}."


def _is_administration(gained: list[Escalation]) -> bool:
    return any(way.method is EVERYTHING for way in gained)


def _about_ways_shut(before: Closure, after: Closure) -> Iterator[str]:
    if _ways(before) and not _ways(after):
        yield "It can no longer become administrator by any way that is known."


def _ways(closure: Closure) -> dict[str, Escalation]:
    return {way.method.name: way for way in escalations(closure)}


def _about_iam(before: Closure, after: Closure) -> Iterator[str]:
    could, can = _changes_iam(before), _changes_iam(after)
    if can and not could:
        yield "It can now change IAM."
    if could and not can:
        yield "It can no longer change IAM."


def _changes_iam(closure: Closure) -> bool:
    iam = services()["iam"].all
    return any(closure.reach.bits & iam & bits_of(level) for level in _CHANGING)


def _about_services(words: str, changed: Iterable[ServiceAccess]) -> Iterator[str]:
    """One sentence for each level, the gravest first; a service stands where it weighs most."""
    for level in GRAVEST_FIRST:
        titles = [_inside(access.title) for access in changed if access.gravest == level]
        if titles:
            yield f"It {words} {_VERBS[level]} {listed(titles)}."


def _inside(title: str) -> str:
    """A title as it stands inside a sentence: those of AWS keep their capitals."""
    ours = title in (EVERY_SERVICE, UNKNOWN_SERVICES, ITSELF)
    return f"{title[0].lower()}{title[1:]}" if ours else title
