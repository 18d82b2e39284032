"""Deciding what an IAM user is called, where it is, what bounds it and which policies hang on it."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, arns, envelope, quotas
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, IAMUser, Person, Request
from accounts.models.iam_user_record import as_decided
from accounts.requestable import told_of
from accounts.usecases.records import record_change
from accounts.usecases.standing import check_name_is_free, check_open, check_room

PATH_FORM = "A path begins and ends with a slash and has at most 512 characters, none of them a space."


@transaction.atomic
def rename_iam_user(*, by: Person, iam_user: IAMUser, user_name: str, at: datetime, reason: str = "") -> IAMUser:
    """Decide that the IAM user shall have another name. Its ARN changes with it; its unique ID stays.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a name that AWS refuses, that it has already, or that another one has or will have.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_IAM_USER, iam_user=iam_user)
    # Locked against another who gives somebody else the same name: no constraint holds a name that is on its way.
    Account.objects.select_for_update(no_key=True).get(pk=iam_user.account_id)
    check_open(iam_user)
    if not arns.NEW_USER_NAME.fullmatch(user_name):
        raise ValidationError(
            {"user_name": "An IAM user's name has 1 to 64 letters, digits or any of + = , . @ - _ and no spaces."}
        )
    before = as_decided(iam_user).user_name
    if user_name.lower() == before.lower():
        raise ValidationError({"user_name": "That is its name already; upper and lower case count as the same."})
    check_name_is_free(iam_user, user_name)
    details = {"user_name": user_name, "before": before}
    record_change(kind=Kind.IAM_USER_RENAMED, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return iam_user


@transaction.atomic
def change_path(
    *, by: Person, iam_user: IAMUser, path: str, at: datetime, reason: str = "", request: Request | None = None
) -> IAMUser:
    """Decide that the IAM user shall be under another path. Its ARN changes with it.

    `request` is the one that this carries out.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a path that AWS refuses or that it has already, and for a lead one outside the team's.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_IAM_USER, iam_user=iam_user)
    check_open(iam_user)
    if not arns.PATH.fullmatch(path):
        raise ValidationError({"path": PATH_FORM})
    envelope.require_path(by=by, iam_user=iam_user, path=path)
    before = as_decided(iam_user).path
    if path == before:
        raise ValidationError({"path": "That is its path, or will be."})
    details = {"path": path, "before": before, **told_of(request)}
    record_change(kind=Kind.IAM_USER_PATH_CHANGED, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return iam_user


@transaction.atomic
def change_boundary(
    *, by: Person, iam_user: IAMUser, policy_arn: str, at: datetime, reason: str = "", request: Request | None = None
) -> IAMUser:
    """Decide which policy bounds what the IAM user may do; an empty ARN takes its permissions boundary away.

    `request` is the one that this carries out.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a policy that is not there, or when nothing would change; for a lead, for any but the
        one that the team's IAM users must have.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_BOUNDARY, iam_user=iam_user)
    check_open(iam_user)
    envelope.require_boundary_of_iam_user(by=by, iam_user=iam_user, policy_arn=policy_arn)
    before = as_decided(iam_user).permissions_boundary_arn
    if policy_arn == before:
        words = "That is its permissions boundary, or will be." if before else "It has no permissions boundary."
        raise ValidationError({"permissions_boundary": words})
    details = {"permissions_boundary": policy_arn, "before": before, **told_of(request)}
    record_change(kind=Kind.IAM_USER_BOUNDARY_CHANGED, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return iam_user


@transaction.atomic
def attach_policy(
    *, by: Person, iam_user: IAMUser, policy_arn: str, at: datetime, reason: str = "", request: Request | None = None
) -> IAMUser:
    """Decide that a managed policy that the team may hand out shall be attached to the IAM user.

    `request` is the one that this carries out.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is attached already, is not there, lies outside the envelope, carries a way to more
        rights, or as many are attached as AWS allows.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_POLICIES, iam_user=iam_user)
    check_open(iam_user)
    envelope.require_policies_of_iam_user(by=by, iam_user=iam_user, policy_arns=[policy_arn])
    decided = as_decided(iam_user).attached_policy_arns
    if policy_arn in decided:
        raise ValidationError({"policies": f"{_name(policy_arn)} is attached to {iam_user} already, or on its way."})
    check_room(quotas.attached_policies(iam_user.account, [*decided, policy_arn]), field="policies")
    kind, details = Kind.IAM_USER_POLICY_ATTACHED, {"policy": policy_arn, **told_of(request)}
    record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return iam_user


@transaction.atomic
def detach_policy(*, by: Person, iam_user: IAMUser, policy_arn: str, at: datetime, reason: str = "") -> IAMUser:
    """Decide that a policy shall no longer be attached to the IAM user. Taking away needs no envelope.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is not attached; for a lead, when it denies what would be open then.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_POLICIES, iam_user=iam_user)
    check_open(iam_user)
    if policy_arn not in as_decided(iam_user).attached_policy_arns:
        raise ValidationError({"policies": f"{_name(policy_arn)} is not attached to {iam_user}, or on its way off."})
    envelope.require_no_way_up(
        by=by, iam_user=iam_user, field="policies", change=lambda holding: holding.detaching(policy_arn)
    )
    kind, details = Kind.IAM_USER_POLICY_DETACHED, {"policy": policy_arn}
    record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at)
    return iam_user


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
