"""Groups until a time: give, extend, give back, and end what is over.

The membership of a group ends with the last grant that needs it, and stays where it was decided for good besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import GroupGrant, IAMUser, Person, Request
from accounts.models.iam_user_record import is_in_for_good
from accounts.requestable import told_of
from accounts.usecases import iam_users
from accounts.usecases.granted import close_grant, is_granted
from accounts.usecases.records import about, record_change
from accounts.usecases.standing import ALREADY_IN, check_addition, check_open, is_going, is_in_group
from accounts.usecases.stuck_steps import give_way
from portal.ledger.models import Delivery
from portal.ledger.record import record

LONGEST = timedelta(days=366)
# What one run of beat ends; the next ends what is left.
ENDED_AT_ONCE = 200


@transaction.atomic
def grant_group(
    *,
    by: Person,
    iam_user: IAMUser,
    group_name: str,
    until: datetime,
    at: datetime,
    reason: str = "",
    request: Request | None = None,
) -> GroupGrant:
    """Decide that the IAM user shall be in a group that the team may hand out, until a time.

    `request` is the one that this carries out.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is in the group for good, the group is outside the envelope, ten are reached, or
        the time is over or more than a year away.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_GROUPS, iam_user=iam_user)
    check_until(until, at=at)
    check_open(iam_user)
    envelope.require_groups_of_iam_user(by=by, iam_user=iam_user, group_names=[group_name])
    is_there = check_addition(iam_user, group_name)
    if is_there and (not is_granted(iam_user, group_name) or is_in_for_good(iam_user, group_name)):
        raise ValidationError({"groups": ALREADY_IN.format(iam_user=iam_user, group=group_name)})
    grant = GroupGrant.objects.create(
        organization=iam_user.organization, account=iam_user.account, iam_user=iam_user, group_name=group_name,
        until=until, made_by=by, made_at=at, request=request,
    )  # fmt: skip
    details = {"group": group_name, "until": until.isoformat(), **told_of(request)}
    _record(Kind.GROUP_GRANT_MADE, grant, by=by, at=at, reason=reason, details=details)
    if not is_there:
        kind = Kind.IAM_USER_ADDED_TO_GROUP
        record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return grant


def put_into_group(
    *, by: Person, iam_user: IAMUser, group_name: str, until: datetime | None, at: datetime, reason: str = ""
) -> IAMUser | GroupGrant:
    """Decide that the IAM user shall be in a group: until a time where one is given, else for good.

    :raises ValidationError: and others, as `grant_group` and `add_iam_user_to_group` do.
    """
    what: dict[str, Any] = {"by": by, "iam_user": iam_user, "group_name": group_name, "at": at, "reason": reason}
    return iam_users.add_iam_user_to_group(**what) if until is None else grant_group(**what, until=until)


@transaction.atomic
def extend_grant(*, by: Person, grant: GroupGrant, until: datetime, at: datetime, reason: str = "") -> GroupGrant:
    """Let a grant end later. For a lead the group must lie in the envelope, as if it were handed out now.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it has ended, or the time is no later one.
    """
    iam_user = grant.iam_user
    access.require_on_iam_user(by=by, to=Permission.CHANGE_GROUPS, iam_user=iam_user)
    check_until(until, at=at)
    check_open(iam_user)
    envelope.require_groups_of_iam_user(by=by, iam_user=iam_user, group_names=[grant.group_name])
    grant.refresh_from_db()
    _require_running(grant, at=at)
    before = grant.until
    if until <= before:
        raise ValidationError({"until": "Choose a later time than it has. To end it earlier, give it back."})
    grant.until = until
    grant.save(update_fields=["until"])
    details = {"group": grant.group_name, "before": before.isoformat(), "until": until.isoformat()}
    _record(Kind.GROUP_GRANT_EXTENDED, grant, by=by, at=at, reason=reason, details=details)
    return grant


@transaction.atomic
def give_back_grant(*, by: Person, grant: GroupGrant, at: datetime, reason: str = "") -> GroupGrant:
    """Let a grant end now: by whoever may change its groups, or by the IAM user's owner.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it has ended.
    """
    access.require_on_own_or(by=by, to=Permission.CHANGE_GROUPS, iam_user=grant.iam_user)
    if not _end(grant, why=GroupGrant.Why.GIVEN_BACK, by=by, at=at, reason=reason):
        raise ValidationError("This has ended already.")
    return grant


def end_due_grants(*, at: datetime) -> int:
    """End the grants whose time is over, each in a transaction of its own; how many ended."""
    due = GroupGrant.objects.due(at).select_related("iam_user__account", "iam_user__organization", "organization")
    return sum(_end_due(grant, at) for grant in due.order_by("until", "pk")[:ENDED_AT_ONCE])


def check_until(until: datetime, *, at: datetime) -> None:
    """Return where a grant may run until then.

    :raises ValidationError: when it is over, or more than a year away.
    """
    if until <= at:
        raise ValidationError({"until": "Choose a time that is still to come."})
    if until > at + LONGEST:
        raise ValidationError({"until": "Choose a time within a year, or leave it empty for no end."})


@transaction.atomic
def _end_due(grant: GroupGrant, at: datetime) -> bool:
    return _end(grant, why=GroupGrant.Why.TIME, by=None, at=at)


def _end(grant: GroupGrant, *, why: GroupGrant.Why, by: Person | None, at: datetime, reason: str = "") -> bool:
    """Locks the IAM user first: of two workers, or of two grants that end at once, the second sees the first."""
    iam_user = grant.iam_user
    iam_user.refresh_from_db(from_queryset=IAMUser.objects.select_for_update(no_key=True))
    grant.refresh_from_db()
    # It may have been extended while this waited.
    if why == GroupGrant.Why.TIME and grant.until > at:
        return False
    if not close_grant(grant=grant, why=why, by=by, at=at, reason=reason):
        return False
    if not _is_needed(grant, at=at) and not is_going(iam_user):
        _take_out(grant, by=by, at=at, reason=reason)
    return True


def _is_needed(grant: GroupGrant, *, at: datetime) -> bool:
    others = GroupGrant.objects.of(grant.iam_user, grant.group_name).running().filter(until__gt=at)
    return others.exists() or is_in_for_good(grant.iam_user, grant.group_name)


def _take_out(grant: GroupGrant, *, by: Person | None, at: datetime, reason: str) -> None:
    """An addition that nobody has carried yet is given up; after any attempt AWS may hold it, whatever was heard."""
    iam_user, is_doubtful = grant.iam_user, False
    for delivery in _additions(grant):
        is_doubtful = is_doubtful or delivery.attempts > 0 or delivery.error != ""
        if delivery.state != Delivery.State.CALLING:
            give_way(delivery=delivery, by=by, at=at, reason=reason)
    if is_doubtful or is_in_group(iam_user, grant.group_name):
        details = {"group": grant.group_name, "grant": grant.pk}
        kind = Kind.IAM_USER_REMOVED_FROM_GROUP
        record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at)


def _additions(grant: GroupGrant) -> list[Delivery]:
    """What would still put it into the group, locked against workers that would claim it."""
    rows = Delivery.objects.of(grant.organization).open().about("iam_user", grant.iam_user_id)
    coming = rows.filter(entry__kind=Kind.IAM_USER_ADDED_TO_GROUP).select_for_update(of=("self",))
    names = {grant.group_name.lower()}
    return [delivery for delivery in coming.select_related("entry") if _group_of(delivery) in names]


def _group_of(delivery: Delivery) -> str:
    return str(delivery.entry.details["group"]).lower()


def _require_running(grant: GroupGrant, *, at: datetime) -> None:
    if grant.ended_at is not None or grant.until <= at:
        raise ValidationError("This has ended already.")


def _record(
    kind: Kind, grant: GroupGrant, *, by: Person, at: datetime, reason: str, details: Mapping[str, object]
) -> None:
    told = {**details, "iam_user": grant.iam_user.arn}
    record(organization=grant.organization, kind=kind, by=by, subject=about(grant), at=at, reason=reason, details=told)
