"""Carrying "Create IAM user": CreateUser with the entry's tag, then its groups and policies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts import arns
from accounts.delivery import held, policies, shown
from accounts.delivery.groups import add_to_group
from accounts.models import IAMUserRecord
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.users import User
from portal.ledger.clock import database_now
from portal.ledger.deliver import keep_baseline
from portal.ledger.models import Delivery, Entry


def carry(entry: Entry, delivery: Delivery) -> held.Held:
    """Make the user, or find the one that an earlier attempt made; give it its groups and policies; read it back.

    :raises errors.Conflict: when AWS has a user of this name that this entry did not make.
    :raises errors.Refused: when its boundary, a group or a policy is not there.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    user = _make_or_adopt(iam, entry, delivery)
    groups = entry.details["groups"]
    for group_name in groups:
        add_to_group(iam, user, group_name=group_name)
    # Entries of before policies could be part of a creation have none.
    policy_arns = entry.details.get("policies", [])
    for policy_arn in policy_arns:
        policies.attach(iam, user, policy_arn=policy_arn)
    try:
        answer = shown.read(
            iam, delivery, user_name=user.user_name, shows=lambda user: shown.is_in_groups(user, groups)
        )
        if not policy_arns:
            return answer
        return policies.with_attached(iam, delivery, answer, shows=set(policy_arns).issubset)
    except errors.NotFound as error:
        raise held.may_not_be_seen_yet(user.create_date, error) from None


def settle(entry: Entry, answer: held.Held, at: datetime) -> None:
    """From now on the row says what AWS holds."""
    held.write_down(entry, answer)


def abandon(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Given up: the row stands for nothing in AWS, and its name is free again."""
    iam_user = held.subject_of(entry)
    iam_user.gone_at = at
    iam_user.save(update_fields=["gone_at"])
    IAMUserRecord.objects.end(iam_user)


def _make_or_adopt(iam: IAM, entry: Entry, delivery: Delivery) -> User:
    details: dict[str, Any] = entry.details
    tags = {tag["key"]: tag["value"] for tag in details["tags"]} | held.entry_tag(entry)
    try:
        return iam.create_user(
            user_name=details["user_name"],
            path=details["path"],
            tags=tags,
            permissions_boundary=details["permissions_boundary"] or None,
        )
    except errors.Conflict as conflict:
        return _adopt(iam, entry, delivery, conflict)
    except errors.NotFound as error:
        raise errors.Refused(
            operation=error.operation,
            code=error.code,
            message=f"the permissions boundary {details['permissions_boundary']} is not there.",
            request_id=error.request_id,
        ) from None


def _adopt(iam: IAM, entry: Entry, delivery: Delivery, conflict: errors.Conflict) -> User:
    """The user that is in the way, where an earlier attempt of this very entry made it."""
    try:
        user = iam.get_user(user_name=entry.details["user_name"])
    except errors.NotFound as error:
        later = held.may_not_be_seen_yet(_taken_since(delivery), error)
        raise (later if isinstance(later, errors.TryLater) else conflict) from None
    if not _is_made_by(entry, user):
        raise conflict
    return user


def _is_made_by(entry: Entry, user: User) -> bool:
    """Whether this very entry made the user. Its tag alone does not say so: whoever may tag in AWS can write it."""
    details: dict[str, Any] = entry.details
    # AWS's clock and the database's differ by less than the quiet time.
    is_younger = user.create_date > entry.at - held.QUIET_TIME
    is_as_decided = (user.path, user.permissions_boundary or "") == (details["path"], details["permissions_boundary"])
    return user.tags.get(arns.ENTRY_TAG) == str(entry.pk) and is_younger and is_as_decided


def _taken_since(delivery: Delivery) -> datetime:
    """When AWS first said both that the name is taken and that nobody bears it.

    Its reads are behind its writes, and our own user will be seen; or the name is another's in other letters.
    """
    if delivery.baseline is None:
        keep_baseline(delivery=delivery, baseline=database_now().isoformat())
    return datetime.fromisoformat(str(delivery.baseline))
