"""What every change of an IAM user begins with: its row as it is now, and whether anything may still be changed."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts.kinds import Kind
from accounts.models import IAMUser, IAMUserRecord, Offboarding
from accounts.models.iam_user_record import as_decided, on_their_way
from accounts.quotas import Quota, groups

ALREADY_IN = "{iam_user} is in {group} already, or on its way there."


def check_open(iam_user: IAMUser) -> None:
    """Lock the IAM user's row and read it again.

    :raises ValidationError: when AWS no longer holds it, or it is being deleted.
    """
    # Locked and read again: of two who decide at once, the second must see what the first decided.
    iam_user.refresh_from_db(from_queryset=IAMUser.objects.locked())
    if iam_user.gone_at is not None:
        raise ValidationError("AWS no longer holds this IAM user.")
    if is_going(iam_user):
        raise ValidationError("This IAM user is being deleted.")


def check_stays(iam_user: IAMUser) -> None:
    """Return when nobody offboards whose it is: what lets it in again would undo that behind its back.

    :raises ValidationError: while that is so.
    """
    if Offboarding.objects.open().filter(iam_users__iam_user=iam_user).exists():
        raise ValidationError(f"{iam_user} is being offboarded. Undo that first.")


def is_going(iam_user: IAMUser) -> bool:
    """Whether AWS no longer holds it, or it is being deleted."""
    on_its_way = on_their_way(iam_user)
    return iam_user.gone_at is not None or any(entry.kind == Kind.IAM_USER_DELETED for entry in on_its_way)


def check_addition(iam_user: IAMUser, group_name: str) -> bool:
    """Whether it is in the group already, by all that was decided.

    :raises ValidationError: when it would be in more groups than AWS allows.
    """
    decided = as_decided(iam_user).group_names
    check_room(groups(iam_user.account, [*decided, group_name]), field="groups")
    return group_name in decided


def is_in_group(iam_user: IAMUser, group_name: str) -> bool:
    """Whether it is, or will be, by all that was decided."""
    return as_decided(iam_user).is_in(group_name)


def check_name_is_free(iam_user: IAMUser, user_name: str) -> None:
    """Return when no other IAM user of the account has the name or was decided to get it, whatever the case.

    :raises ValidationError: at the name.
    """
    others = IAMUser.objects.present().filter(account=iam_user.account).exclude(pk=iam_user.pk)
    if others.filter(user_name__iexact=user_name).exists():
        raise ValidationError(
            {"user_name": "This account has an IAM user of this name already; upper and lower case count as the same."}
        )
    check_name_is_not_decided(iam_user, user_name)


def check_name_is_not_decided(iam_user: IAMUser, user_name: str) -> None:
    """Return when no other IAM user of the account was decided to get the name.

    :raises ValidationError: at the name.
    """
    others = IAMUser.objects.present().filter(account=iam_user.account).exclude(pk=iam_user.pk)
    if IAMUserRecord.objects.filter(iam_user__in=others, user_name__iexact=user_name).exists():
        raise ValidationError({"user_name": "It was decided that another IAM user of this account gets this name."})


def check_room(quota: Quota, *, field: str) -> None:
    """Return when AWS has room for this.

    :raises ValidationError: at the field.
    """
    if quota.is_exceeded:
        raise ValidationError({field: f"AWS allows at most {quota.most:,} {quota.what} here, by {quota.source}."})
