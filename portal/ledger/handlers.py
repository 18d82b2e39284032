"""Handlers: how each kind of entry reaches AWS, registered by the apps that know the kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.ledger.models import Delivery, Entry


class AlreadyRegistered(Exception):
    """Two handlers want the same kind of entry."""


class NotToBeCarried(Exception):
    """What was decided must not reach AWS any more, and AWS was not asked; its text is a sentence for people."""


@dataclass(frozen=True)
class Handler:
    """How one kind of entry is carried, settled and given up.

    `carry(entry, delivery)` calls AWS, outside any transaction, and may run twice and late: it reads what is there,
    makes it so and returns what AWS answered, or raises one of `portal.aws.errors` or `NotToBeCarried`.
    `settle(entry, answer, at)` writes that answer into the domain's rows, in the transaction that marks the delivery
    as done; it runs once. `abandon(entry, delivery, at)` tidies the domain's rows, in the transaction in which a human
    gives the delivery up.
    """

    carry: Callable[[Entry, Delivery], object]
    settle: Callable[[Entry, Any, datetime], None]  # Any: each handler knows its own answer
    abandon: Callable[[Entry, Delivery, datetime], None] | None = None


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Have entries of this kind carried by this handler; called from `AppConfig.ready`.

    :raises AlreadyRegistered: when another handler carries the kind.
    """
    if _handlers.setdefault(str(kind), handler) != handler:
        raise AlreadyRegistered(f"Entries of kind {kind} have a handler already.")


def handler_of(kind: str) -> Handler | None:
    """The kind's handler; None where this release knows none, as an older worker beside newer code."""
    return _handlers.get(kind)
