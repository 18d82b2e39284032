"""What other use-cases know of grants of groups: whether there are any, and how one ends."""

from __future__ import annotations

from datetime import datetime

from accounts.kinds import Kind
from accounts.models import GroupGrant, IAMUser, Person
from accounts.models.iam_user_record import is_in_for_good
from accounts.usecases.records import about
from portal.ledger.record import record


def is_granted(iam_user: IAMUser, group_name: str) -> bool:
    """Whether a grant of the group runs, whatever else puts the IAM user into it."""
    return GroupGrant.objects.of(iam_user, group_name).running().exists()


def is_for_a_time(iam_user: IAMUser, group_name: str) -> bool:
    """Whether it is in the group, or was, by a grant alone."""
    return GroupGrant.objects.of(iam_user, group_name).exists() and not is_in_for_good(iam_user, group_name)


def close_grant(*, grant: GroupGrant, why: GroupGrant.Why, by: Person | None, at: datetime, reason: str = "") -> bool:
    """Let a grant end and write it down; whether it ran until now. The membership is the caller's to think of."""
    if GroupGrant.objects.running().filter(pk=grant.pk).update(ended_at=at, ended_why=why) != 1:
        return False
    grant.refresh_from_db()
    record(
        organization=grant.organization,
        kind=Kind.GROUP_GRANT_ENDED,
        by=by,
        subject=about(grant),
        at=at,
        reason=reason,
        details={"group": grant.group_name, "iam_user": grant.iam_user.arn, "why": str(why)},
    )
    return True
