"""Carrying "Attach policy" and "Detach policy": what else is attached meanwhile stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from accounts.delivery import held, shown
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.users import User
from portal.ledger.models import Delivery, Entry


def carry_attachment(entry: Entry, delivery: Delivery) -> held.Held:
    """Attaching a policy again is no error in IAM, so this may run twice.

    :raises errors.Refused: when the policy is not there.
    """
    iam_user, policy_arn = held.subject_of(entry), entry.details["policy"]
    iam = held.iam_of(iam_user.account)
    attach(iam, held.require_same(iam, iam_user), policy_arn=policy_arn)
    answer = held.read(iam, user_name=iam_user.user_name)
    return with_attached(iam, delivery, answer, shows=lambda attached: policy_arn in attached)


def carry_detachment(entry: Entry, delivery: Delivery) -> held.Held:
    """A policy that is not attached, or that is gone, is what was wanted.

    The call is made without looking first: a list that is behind would hide an attachment of a moment ago.
    """
    iam_user, policy_arn = held.subject_of(entry), entry.details["policy"]
    iam = held.iam_of(iam_user.account)
    held.require_same(iam, iam_user)
    with suppress(errors.NotFound):
        iam.detach_user_policy(user_name=iam_user.user_name, policy_arn=policy_arn)
    answer = held.read(iam, user_name=iam_user.user_name)
    return with_attached(iam, delivery, answer, shows=lambda attached: policy_arn not in attached)


def settle(entry: Entry, answer: held.Held, at: datetime) -> None:
    """From now on the row says what AWS holds."""
    held.write_down(entry, answer)


def attach(iam: IAM, user: User, *, policy_arn: str) -> None:
    """Attach, and tell apart the two things that AttachUserPolicy may not find.

    :raises errors.Refused: when the policy is not there: a human must choose another.
    :raises errors.TryLater: when the user is not there yet.
    """
    try:
        iam.attach_user_policy(user_name=user.user_name, policy_arn=policy_arn)
    except errors.NotFound as error:
        if _exists(iam, user.user_name):
            raise policy_is_not_there(error, f"the policy {policy_arn}") from None
        raise held.may_not_be_seen_yet(user.create_date, error) from None


def attached_to(iam: IAM, user_name: str) -> list[str]:
    """The ARNs of the policies that AWS shows attached to the user."""
    return sorted(policy.policy_arn for policy in iam.list_attached_user_policies(user_name=user_name))


def with_attached(iam: IAM, delivery: Delivery, answer: held.Held, *, shows: Callable[[list[str]], bool]) -> held.Held:
    """What was read of the user with what is attached to it, once AWS `shows` what was done.

    :raises portal.aws.errors.TryLater: while AWS does not show it yet.
    :raises portal.aws.errors.Conflict: when it was done again and again and is never shown.
    :raises portal.aws.errors.NotFound: when AWS does not hold the user, or not yet.
    """
    attached = attached_to(iam, answer.user.user_name)
    if not shows(attached):
        raise shown.not_shown(delivery, answer.user.user_name)
    return replace(answer, policies={"attached_policy_arns": attached})


def policy_is_not_there(error: errors.NotFound, what: str) -> errors.Refused:
    """The same, for a human: nobody but them can make the policy or choose another."""
    return errors.Refused(
        operation=error.operation,
        code=error.code,
        message=f"{what} is not there. Make it in AWS and try again, or give this up.",
        request_id=error.request_id,
    )


def _exists(iam: IAM, user_name: str) -> bool:
    try:
        iam.get_user(user_name=user_name)
    except errors.NotFound:
        return False
    return True
