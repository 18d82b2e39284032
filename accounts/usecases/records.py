"""How this app's use-cases say in the ledger what they are about and where it must be carried."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Model

from accounts.kinds import Kind
from accounts.models import Account, IAMUser, IAMUserRecord, Person
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import Subject, Target, record


def record_change(
    *,
    kind: Kind,
    by: Person | None,
    iam_user: IAMUser,
    details: Mapping[str, object],
    reason: str,
    at: datetime,
    queue: str = Delivery.Queue.INTERACTIVE,
) -> Entry:
    """Write down a decision about an IAM user, let its record follow, and have it carried to AWS.

    The caller holds the row of the IAM user. Where this is the first decision about it, the entry says what AWS held.
    """
    records = IAMUserRecord.objects
    entry = record(
        organization=iam_user.organization,
        kind=kind,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={**details, **records.beginning(iam_user)},
        deliver=carried_to(iam_user, queue=queue),
    )
    records.follow(iam_user, entry)
    return entry


def require_reason(reason: str) -> None:
    """Return when there is one.

    :raises ValidationError: at the reason.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why: the ledger keeps it."})


def about_iam_user(iam_user: IAMUser) -> Subject:
    """The IAM user as a subject: its row's id, and its ARN as the name that outlives it."""
    return Subject("iam_user", str(iam_user.pk), iam_user.arn)


def about(row: Model) -> Subject:
    """Any other row as a subject: its model's name, its id, what it is called."""
    return Subject(row._meta.model_name or "", str(row.pk), str(row))


def carried_to(iam_user: IAMUser, *, queue: str = Delivery.Queue.INTERACTIVE) -> tuple[Target, ...]:
    """The one delivery about an IAM user: to its account's lane, in the order of its ARN.

    While something is on its way under the ARN that it had before it got another name or path, it queues behind that.
    """
    ahead = Delivery.objects.of(iam_user.organization).open().about("iam_user", iam_user.pk).order_by("-sequence")
    subject = ahead.values_list("subject", flat=True).first() or iam_user.arn
    return (Target(lane=iam_user.account.account_id, subject=subject, queue=queue),)


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags in AWS's own form. Their keys are people's words, so they stand in values and not in keys of the details."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())]


def door_of(account: Account) -> dict[str, str]:
    """What an entry says of how the portal enters an account. The external id is no secret, but it is not needed."""
    return {"account_id": account.account_id, "role_arn": account.role_arn}
