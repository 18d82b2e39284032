"""Reading a user back after a change: believed once AWS shows it, since AWS's reads are behind its writes."""

from __future__ import annotations

from collections.abc import Callable

from accounts.delivery import held
from portal.aws import errors
from portal.aws.iam import IAM
from portal.ledger.models import Delivery

# The lag is a matter of seconds, and each attempt makes the change anew: what is still not shown after a minute is
# being undone by somebody.
ATTEMPTS_UNTIL_SHOWN = 6


def read(iam: IAM, delivery: Delivery, *, user_name: str, shows: Callable[[held.Held], bool]) -> held.Held:
    """The user as AWS holds it, once that `shows` what was done to it.

    :raises portal.aws.errors.TryLater: while AWS does not show it yet.
    :raises portal.aws.errors.Conflict: when it was done again and again and is never shown.
    :raises portal.aws.errors.NotFound: when AWS does not hold the user, or not yet.
    """
    answer = held.read(iam, user_name=user_name)
    if not shows(answer):
        raise not_shown(delivery, user_name)
    return answer


def is_in_groups(answer: held.Held, group_names: list[str]) -> bool:
    """Whether AWS shows the user in all of these."""
    return set(group_names) <= {group.group_name for group in answer.groups}


def has_tags(answer: held.Held, put: dict[str, str], removed: list[str]) -> bool:
    """Whether AWS shows these tags and none of those; IAM ignores the case of users' tag keys."""
    shown = {key.lower(): value for key, value in answer.user.tags.items()}
    wanted = {key.lower(): value for key, value in put.items()}
    gone = {key.lower() for key in removed} - set(wanted)
    return wanted.items() <= shown.items() and not gone & set(shown)


def not_shown(delivery: Delivery, name: str, *, operation: str = "GetUser") -> errors.AWSError:
    """AWS's reads are behind; or, after many attempts, somebody is undoing what was done."""
    if delivery.attempts < ATTEMPTS_UNTIL_SHOWN:
        message = "it does not show the change yet."
        return errors.TryLater(operation=operation, code="NotShownYet", message=message)
    message = f"{name} does not show the change, however often it is made. Somebody else may be undoing it."
    return errors.Conflict(operation=operation, code="NeverShown", message=message)
