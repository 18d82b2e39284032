"""What an IAM user may do and what a change of it changes, as pages show it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from accounts import closures
from accounts.closures import Holding
from accounts.models import IAMUser
from accounts.models.iam_user_record import as_decided
from accounts.policy.closure import Closure
from accounts.policy.levels import Level
from accounts.policy.words import MOST_NAMED, Difference, access_in_words, difference, listed


@dataclass(frozen=True)
class AccessRow:
    """Services in which the same is possible because of the same policies."""

    levels: tuple[Level, ...]
    because: str
    titles: tuple[str, ...]

    @property
    def named(self) -> str:
        """As many as one reads."""
        return listed(self.titles)

    @property
    def all(self) -> str:
        """All of them, where those are more."""
        return ", ".join(self.titles) if len(self.titles) > MOST_NAMED else ""


def effective_access(iam_user: IAMUser) -> dict[str, Any]:
    """For the card of that name: what it may do now, by all that the portal has read of it."""
    closure = closures.of_iam_user(iam_user)
    return {
        "rows": list(_rows(closure)),
        "boundary": closure.boundary.removeprefix("boundary "),
        "unknown": [f"{name} could allow anything: {why}" for name, why in sorted(closure.unknown.items())],
    }


def change_of(iam_user: IAMUser, change: Callable[[Holding], Holding]) -> Difference:
    """What the change of its groups, policies or boundary changes, with what is on its way already there."""
    before = Holding.of(iam_user.account, as_decided(iam_user))
    return difference(before=before.closure(), after=change(before).closure())


def _rows(closure: Closure) -> Iterator[AccessRow]:
    """Without what could not be read, which has a line of its own."""
    alike: dict[tuple[tuple[Level, ...], Collection[str]], list[str]] = {}
    for service in access_in_words(closure.without(closure.unknown)):
        alike.setdefault((service.levels, service.because), []).append(service.title)
    for (levels, because), titles in alike.items():
        yield AccessRow(levels, listed(because), tuple(titles))
