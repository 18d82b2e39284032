"""How pages speak of the state of a thing: words first, then a tone; whether it may still move by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import IAMUser
from portal.ledger.models import Delivery

TONES = {
    Delivery.State.DUE: "pending",
    Delivery.State.CALLING: "pending",
    Delivery.State.WAITING: "waiting",
    Delivery.State.STUCK: "danger",
    Delivery.State.DONE: "ok",
    Delivery.State.GIVEN_UP: "neutral",
}


@dataclass(frozen=True)
class Shown:
    """`tone` is one of the badge's: neutral, ok, pending, waiting, danger."""

    words: str
    tone: str
    is_moving: bool = False


def of_delivery(delivery: Delivery, *, at: datetime) -> Shown:
    """The delivery's own words; it moves as long as no human is needed."""
    is_moving = delivery.is_open and delivery.state != Delivery.State.STUCK
    return Shown(delivery.state_in_words(at), TONES[Delivery.State(delivery.state)], is_moving)


def of_iam_user(iam_user: IAMUser, delivery: Delivery | None, *, at: datetime) -> Shown:
    """What is on its way, else whether AWS holds it."""
    if iam_user.gone_at is not None:
        return Shown("Not in AWS any more", "neutral")
    if delivery is not None:
        return of_delivery(delivery, at=at)
    return Shown("In AWS", "ok") if iam_user.is_in_aws else Shown("Not in AWS", "neutral")
