"""What is stuck about the keys and the password of an IAM user: it gives way to what is decided next.

Otherwise whoever may not give deliveries up could not go on after AWS, or the last look at it, refused a step of
theirs; and a leaver's stuck step would keep their IAM user from being disabled.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.delivery import baseline
from accounts.kinds import Kind
from accounts.models import IAMUser, Offboarding, Person
from portal.ledger import deliver
from portal.ledger.models import Delivery
from portal.ledger.record import Subject, record

# None of them relies on what an earlier one did: each looks at AWS by itself.
OF_KEYS = frozenset(
    {
        Kind.ROTATION_STARTED,
        Kind.ROTATION_GIVEN_UP,
        Kind.ACCESS_KEY_DEACTIVATED,
        Kind.ACCESS_KEY_ACTIVATED,
        Kind.ACCESS_KEY_DELETED,
        Kind.SECRET_EXPIRED,
        Kind.SECRET_GIVEN_UP,
    }
)
# What lets somebody in, or holds up what keeps them out.
OF_LEAVERS = OF_KEYS | {Kind.ACCESS_KEY_CREATED, Kind.LOGIN_PROFILE_CREATED, Kind.LOGIN_PROFILE_RESET}
REASON = "It was stuck, and something else was decided since."


def let_stuck_steps_give_way(
    *,
    iam_user: IAMUser,
    by: Person | None,
    at: datetime,
    kinds: Collection[str] = OF_KEYS,
    reason: str = REASON,
    even_in_doubt: bool = False,
) -> int:
    """Give up what is stuck about an IAM user, inside the use-case that decides something else of it; how many.

    One of which AWS may have made a key that nobody heard of stays, unless all keys go anyway: `even_in_doubt`.
    """
    stuck = Delivery.objects.of(iam_user.organization).about("iam_user", iam_user.pk).stuck()
    found = stuck.filter(entry__kind__in=kinds).select_related("entry").order_by("sequence", "pk")
    given_up = 0
    for delivery in found:
        if even_in_doubt or not baseline.is_in_doubt(delivery):
            give_way(delivery=delivery, by=by, at=at, reason=reason)
            given_up += 1
    return given_up


def gives_way(delivery: Delivery) -> bool:
    """Whether a decision about the keys of the IAM user takes its place."""
    is_stuck = delivery.state == Delivery.State.STUCK and delivery.entry.kind in OF_KEYS
    return is_stuck and not baseline.is_in_doubt(delivery)


@transaction.atomic
def let_leavers_steps_give_way(*, at: datetime) -> int:
    """Let nothing stand before what disables or deletes the IAM users of those who leave; how many gave way."""
    stuck = Delivery.objects.stuck().filter(entry__kind__in=OF_LEAVERS, entry__subject_type="iam_user")
    ids = {int(pk) for pk in stuck.values_list("entry__subject_id", flat=True)}
    leaving = IAMUser.objects.filter(pk__in=ids, offboardings__offboarding__in=Offboarding.objects.open()).distinct()
    return sum(
        let_stuck_steps_give_way(iam_user=iam_user, by=None, at=at, kinds=OF_LEAVERS, even_in_doubt=True)
        for iam_user in leaving.select_related("organization").order_by("pk")
    )


def give_way(*, delivery: Delivery, by: Person | None, at: datetime, reason: str) -> None:
    """Give a delivery up because something else was decided, in the transaction that does; the ledger says so."""
    told = {"entry": str(delivery.entry_id), "attempts": delivery.attempts, "error": delivery.error}
    deliver.abandon(delivery=delivery, at=at)
    record(
        organization=delivery.organization,
        kind=Kind.DELIVERY_GIVEN_UP,
        by=by,
        subject=Subject("delivery", str(delivery.pk), delivery.subject),
        at=at,
        reason=reason,
        details=told,
    )
