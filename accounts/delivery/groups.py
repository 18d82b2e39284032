"""Carrying "Add to group" and "Remove from group"."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from accounts.delivery import held, shown
from accounts.models import GroupGrant, IAMUser
from accounts.models.iam_user_record import is_in_for_good
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.users import User
from portal.ledger.clock import database_now
from portal.ledger.models import Delivery, Entry


def carry_addition(entry: Entry, delivery: Delivery) -> held.Held:
    """Adding a member again is no error in IAM, so this may run twice. What was to end meanwhile is not begun.

    :raises errors.Refused: when the group is not there.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    user, group_name = held.require_same(iam, iam_user), entry.details["group"]
    if "until" in entry.details and not _is_still_wanted(iam_user, group_name):
        return held.read(iam, user_name=iam_user.user_name)
    add_to_group(iam, user, group_name=group_name)
    return shown.read(
        iam, delivery, user_name=iam_user.user_name, shows=lambda user: shown.is_in_groups(user, [group_name])
    )


def carry_removal(entry: Entry, delivery: Delivery) -> held.Held:
    """A group that the user is not in, or that is gone, is what was wanted.

    The call is made without looking first: a list that is behind would hide a membership of a moment ago.
    """
    iam_user, group_name = held.subject_of(entry), entry.details["group"]
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    with suppress(errors.NotFound):
        iam.remove_user_from_group(user_name=iam_user.user_name, group_name=group_name)
    return shown.read(
        iam, delivery, user_name=iam_user.user_name, shows=lambda user: not shown.is_in_groups(user, [group_name])
    )


def _is_still_wanted(iam_user: IAMUser, group_name: str) -> bool:
    """Whether its time is not over, by this grant or another."""
    grants = GroupGrant.objects.of(iam_user, group_name).running()
    return grants.filter(until__gt=database_now()).exists() or is_in_for_good(iam_user, group_name)


def settle(entry: Entry, answer: held.Held, at: datetime) -> None:
    """From now on the row says what AWS holds."""
    held.write_down(entry, answer)


def add_to_group(iam: IAM, user: User, *, group_name: str) -> None:
    """Add, and tell apart the two things that AddUserToGroup may not find.

    :raises errors.Refused: when the group is not there: a human must choose another.
    :raises errors.TryLater: when the user is not there yet.
    """
    try:
        iam.add_user_to_group(user_name=user.user_name, group_name=group_name)
    except errors.NotFound as error:
        if _exists(iam, group_name):
            raise held.may_not_be_seen_yet(user.create_date, error) from None
        raise errors.Refused(
            operation=error.operation,
            code=error.code,
            message=f"the group {group_name} is not there. Make it in AWS and try again, or give this up.",
            request_id=error.request_id,
        ) from None


def _exists(iam: IAM, group_name: str) -> bool:
    try:
        iam.get_group(group_name=group_name)
    except errors.NotFound:
        return False
    return True
