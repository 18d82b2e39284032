"""The pace of each AWS account: a token bucket that all workers share, in the Redis or Valkey of the cache.

A call takes a token before it is signed, the repetitions of botocore included. Where none is left it books the next one
and waits for it. What a person waits for goes first: while it is around, everything else leaves a quarter of the burst
untouched and books nothing ahead. An answer "Throttling" empties the account's bucket and halves its rate for a minute;
other accounts do not notice. A cache that is away lets every call through: the pace is a courtesy to AWS, and never a
reason to lose a change.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError

from portal.aws import codes
from portal.aws.errors import TryLater

logger = logging.getLogger(__name__)

SCRIPT = (Path(__file__).parent / "bucket.lua").read_text()
CALLS = "gatehouse:aws:calls"
THROTTLED = "gatehouse:aws:throttled"
# The longest wait for a token outside a turn: an import reads on behind whatever else goes on in the account.
PATIENCE_SECONDS = 30.0
# A wait is looked at again after this time: the reserve may be free before it was expected to be.
LOOK_AGAIN_SECONDS = 0.5
CACHE_ANSWERS_WITHIN_SECONDS = 0.5
# A cache that is away is not asked again before each call: every try may cost its timeout.
REST_SECONDS = 5.0


class NotYet(TryLater):
    """The account's pace is used up for now. The call was not sent."""

    sentence = "The account's pace is used up by other calls; {operation} waits for its turn: {message}"


@dataclass(frozen=True)
class Turn:
    """What is done in one go: whether a person waits for it, and until when (monotonic) its calls wait for tokens."""

    is_urgent: bool
    ends_at: float


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


@contextmanager
def turn(*, is_urgent: bool, seconds: float) -> Iterator[None]:
    """Make the calls inside as urgent as that; after so many seconds none of them waits for a token any more."""
    token = _turn.set(Turn(is_urgent, time.monotonic() + seconds))
    try:
        yield
    finally:
        _turn.reset(token)


class Store:
    """The cache's Redis, asked for nothing but tokens."""

    def __init__(self, address: str) -> None:
        within = {
            "socket_timeout": CACHE_ANSWERS_WITHIN_SECONDS,
            "socket_connect_timeout": CACHE_ANSWERS_WITHIN_SECONDS,
        }
        self._redis: Any = redis.Redis.from_url(address, decode_responses=True, **within)
        self._script = self._redis.register_script(SCRIPT)
        self._rests_until = 0.0

    def ask(self, what: str, lane: str, *arguments: float) -> tuple[bool, float] | None:
        """The script's answer: whether it may be done, and the seconds to wait; None where the cache is away."""
        answer = self._asked(self._script, keys=[_bucket(lane), CALLS, _held_back(lane)], args=[what, lane, *arguments])
        return None if answer is None else (bool(answer[0]), float(answer[1]))

    def count_throttled(self, lane: str) -> None:
        """One more answer "Throttling" of this account."""
        self._asked(self._redis.hincrby, THROTTLED, lane, 1)

    def hold_back(self, lane: str) -> None:
        """Remember for a minute that something was held back; by then a sweep has found it."""
        self._asked(self._redis.set, _held_back(lane), 1, ex=60)

    def has_held_back(self, lane: str) -> bool:
        """Whether something was held back since this was last asked."""
        return bool(self._asked(self._redis.delete, _held_back(lane)))

    def counts(self, name: str) -> Mapping[str, int]:
        """Numbers by account; empty where the cache does not answer."""
        return {lane: int(number) for lane, number in (self._asked(self._redis.hgetall, name) or {}).items()}

    def _asked(self, command: Any, *arguments: object, **options: object) -> Any:
        if time.monotonic() < self._rests_until:
            return None
        try:
            return command(*arguments, **options)
        except RedisError as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            logger.warning("The cache did not answer (%s): AWS is called without a pace", type(error).__name__)
            return None


def may_begin(lane: str, *, is_urgent: bool) -> bool:
    """Whether the account has calls to spare for one more delivery; one that was told no is remembered."""
    answer = store().ask("begin", lane, int(is_urgent))
    return answer is None or answer[0]


def hold_back(lane: str) -> None:
    """Remember that a delivery to the account waits for others to end."""
    store().hold_back(lane)


def has_held_back(lane: str) -> bool:
    """Whether a delivery to the account was held back since this was last asked."""
    return store().has_held_back(lane)


def calls() -> Mapping[str, int]:
    """Calls to AWS by account since the cache was last empty."""
    return store().counts(CALLS)


def throttled() -> Mapping[str, int]:
    """Answers "Throttling" by account since the cache was last empty."""
    return store().counts(THROTTLED)


@dataclass(frozen=True)
class Pace:
    """The pace of one account, as botocore's events ask for it."""

    lane: str
    calls_per_second: float
    burst: int

    def take(self, **event: Any) -> None:
        """Take a token before a request is signed ("before-sign"); come back when its time has come.

        :raises NotYet: when that is too long from now.
        """
        current = _turn.get() or Turn(is_urgent=False, ends_at=time.monotonic() + PATIENCE_SECONDS)
        while True:
            longest = max(0.0, current.ends_at - time.monotonic())
            answer = store().ask("take", self.lane, int(current.is_urgent), *self._rate, longest)
            taken, wait = answer or (True, 0.0)
            if not taken and wait > longest:
                raise self._not_yet(event["operation_name"])
            time.sleep(wait if taken else min(wait, LOOK_AGAIN_SECONDS))
            if taken:
                return

    def _not_yet(self, operation: str) -> NotYet:
        message = f"account {self.lane} is called {self.calls_per_second:g} times a second at most."
        return NotYet(operation=operation, code="Pace", message=message)

    def heed(self, **event: Any) -> None:
        """Slow down where AWS says so ("response-received")."""
        if (event["parsed_response"] or {}).get("Error", {}).get("Code") in codes.THROTTLED:
            logger.warning("AWS throttles account %s: it is called half as often for a while", self.lane)
            store().ask("slow", self.lane, 0, *self._rate, 0)
            store().count_throttled(self.lane)

    @property
    def _rate(self) -> tuple[float, int]:
        return self.calls_per_second, self.burst


@cache
def _store_at(address: str) -> Store:
    return Store(address)


def store() -> Store:
    """The store that the settings name now."""
    return _store_at(settings.CACHES["default"]["LOCATION"])


def _bucket(lane: str) -> str:
    return f"gatehouse:aws:pace:{lane}"


def _held_back(lane: str) -> str:
    return f"gatehouse:aws:held-back:{lane}"
