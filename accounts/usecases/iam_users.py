"""Deciding about IAM users: create, tag, add to and remove from a group, delete."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access, arns, envelope, limits, quotas
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, GroupGrant, IAMUser, IAMUserRecord, Person, Request, Team
from accounts.models.iam_user_record import as_decided, is_in_for_good
from accounts.quotas import Quota
from accounts.requestable import told_of
from accounts.usecases import console_access as passwords
from accounts.usecases import first_keys
from accounts.usecases.granted import close_grant, is_granted
from accounts.usecases.imports import require_importable
from accounts.usecases.recipients import NO_OWNER
from accounts.usecases.records import about_iam_user, carried_to, record_change, require_reason, tag_list
from accounts.usecases.standing import (
    ALREADY_IN,
    check_addition,
    check_name_is_not_decided,
    check_open,
    check_room,
)
from accounts.usecases.stuck_steps import OF_LEAVERS, let_stuck_steps_give_way
from portal.ledger.models import Delivery
from portal.ledger.record import record


@transaction.atomic
def create_iam_user(  # noqa: PLR0913 -- each is a field of the form, and all are keywords
    *,
    by: Person,
    team: Team,
    account: Account,
    user_name: str,
    kind: str,
    at: datetime,
    owner: Person | None = None,
    purpose: str = "",
    group_names: Collection[str] = (),
    policy_arns: Collection[str] = (),
    tags: dict[str, str] | None = None,
    console_access: bool = False,
    access_key: bool = False,
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
) -> IAMUser:
    """Decide that an IAM user shall exist: in AWS it is made by the delivery, with its tags, groups and policies.

    The path and the permissions boundary are the team's; they are nobody's choice here. Its password and its first key
    are decisions of their own, which are carried after it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field, for a name, tag, owner, group or policy that AWS or the envelope would refuse.
    """
    access.require(by=by, to=Permission.CREATE_IAM_USER, organization=team.organization, team=team)
    _check_place(by=by, team=team, account=account)
    envelope.require_grants(by=by, team=team, account=account, group_names=group_names, policy_arns=policy_arns)
    _check_quotas(account, group_names, policy_arns)
    limits.require_tags(by=by, team=team, tags=tags or {})
    iam_user = IAMUser(
        organization=team.organization, account=account, team=team, user_name=user_name, kind=kind, owner=owner,
        purpose=purpose, tags=checked_tags(tags or {}), decided_at=at,
    )  # fmt: skip
    iam_user.path, iam_user.permissions_boundary_arn = envelope.path_of(team), envelope.boundary_of(team, account)
    iam_user.team_said_by, iam_user.owner_said_by = IAMUser.SaidBy.HAND, IAMUser.SaidBy.HAND if owner else ""
    make(iam_user=iam_user, by=by, group_names=group_names, policy_arns=policy_arns, reason=reason, at=at, queue=queue)
    _give_credentials(iam_user, password=console_access, key=access_key, by=by, reason=reason, at=at)
    return iam_user


@transaction.atomic
def tag_iam_user(
    *,
    by: Person,
    iam_user: IAMUser,
    tags: dict[str, str],
    at: datetime,
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
) -> IAMUser:
    """Decide which tags the IAM user shall have; the portal's own and any unknown to it by then are left alone.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a tag that AWS refuses, or when nothing would change.
    """
    access.require_on_iam_user(by=by, to=Permission.TAG_IAM_USER, iam_user=iam_user)
    check_open(iam_user)
    before, wanted = iam_user.peoples_tags, checked_tags(tags)
    limits.require_tags(by=by, team=iam_user.team, tags=wanted)
    put = {key: value for key, value in wanted.items() if before.get(key) != value}
    removed = sorted(set(before) - set(wanted))
    envelope.require_tags_that_name(by=by, iam_user=iam_user, keys=[*put, *removed])
    if _are_decided(iam_user, put, removed):
        raise ValidationError({"tags": "These are the tags that it has, or will have."})
    details = {"put": tag_list(put), "removed": removed, "before": tag_list(before)}
    kind = Kind.IAM_USER_TAGGED
    record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at, queue=queue)
    return iam_user


@transaction.atomic
def add_iam_user_to_group(
    *,
    by: Person,
    iam_user: IAMUser,
    group_name: str,
    at: datetime,
    reason: str = "",
    request: Request | None = None,
    queue: str = Delivery.Queue.INTERACTIVE,
) -> IAMUser:
    """Decide that the IAM user shall be in a group that the team may hand out, for good.

    `request` is the one that this carries out.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is in the group already, the group is outside the envelope, or ten are reached.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_GROUPS, iam_user=iam_user)
    check_open(iam_user)
    envelope.require_groups_of_iam_user(by=by, iam_user=iam_user, group_names=[group_name])
    is_there = check_addition(iam_user, group_name)
    if is_there and not (is_granted(iam_user, group_name) and not is_in_for_good(iam_user, group_name)):
        raise ValidationError({"groups": ALREADY_IN.format(iam_user=iam_user, group=group_name)})
    kind, details = Kind.IAM_USER_ADDED_TO_GROUP, {"group": group_name, **told_of(request)}
    record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at, queue=queue)
    return iam_user


@transaction.atomic
def remove_iam_user_from_group(
    *,
    by: Person,
    iam_user: IAMUser,
    group_name: str,
    at: datetime,
    reason: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
) -> IAMUser:
    """Decide that the IAM user shall no longer be in a group. Taking away needs no envelope.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is not in the group; for a lead, when the group denies what would be open then.
    """
    access.require_on_iam_user(by=by, to=Permission.CHANGE_GROUPS, iam_user=iam_user)
    check_open(iam_user)
    if group_name not in as_decided(iam_user).group_names:
        raise ValidationError({"groups": f"{iam_user} is not in {group_name}, or on its way out of it."})
    envelope.require_no_way_up(
        by=by, iam_user=iam_user, field="groups", change=lambda holding: holding.leaving(group_name)
    )
    kind, details = Kind.IAM_USER_REMOVED_FROM_GROUP, {"group": group_name}
    record_change(kind=kind, by=by, iam_user=iam_user, details=details, reason=reason, at=at, queue=queue)
    for grant in GroupGrant.objects.of(iam_user, group_name).running():
        close_grant(grant=grant, why=GroupGrant.Why.REMOVED, by=by, reason=reason, at=at)
    return iam_user


@transaction.atomic
def delete_iam_user(
    *, by: Person, iam_user: IAMUser, reason: str, at: datetime, queue: str = Delivery.Queue.INTERACTIVE
) -> IAMUser:
    """Decide that the IAM user shall go, with all that hangs on it. This cannot be undone.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason, or when it is not in AWS, or being deleted already.
    """
    access.require_on_iam_user(by=by, to=Permission.DELETE_IAM_USER, iam_user=iam_user)
    check_open(iam_user)
    require_reason(reason)
    if not iam_user.is_in_aws:
        raise ValidationError("It is not in AWS yet. Wait for it to arrive, or give up its creation under Deliveries.")
    # All of its keys go with it.
    let_stuck_steps_give_way(iam_user=iam_user, by=by, at=at, kinds=OF_LEAVERS, even_in_doubt=True)
    record(
        organization=iam_user.organization,
        kind=Kind.IAM_USER_DELETED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"user_name": iam_user.user_name, "user_id": iam_user.user_id},
        deliver=carried_to(iam_user, queue=queue),
    )
    return iam_user


def make(
    *,
    iam_user: IAMUser,
    by: Person,
    group_names: Collection[str],
    policy_arns: Collection[str],
    reason: str,
    at: datetime,
    instead_of: str = "",
    queue: str = Delivery.Queue.INTERACTIVE,
) -> None:
    """Save the row of a new IAM user and what makes it in AWS, inside a use-case that has asked whether it may be.

    `instead_of` is the unique id of one that is gone, in whose place it is made.

    :raises ValidationError: by field.
    """
    _check_new(iam_user)
    _save_new(iam_user)
    check_name_is_not_decided(iam_user, iam_user.user_name)
    details: dict[str, object] = {"groups": sorted(set(group_names)), "policies": sorted(set(policy_arns))}
    if instead_of:
        details["instead_of"] = instead_of
    _record_creation(iam_user, by=by, reason=reason, at=at, more=details, queue=queue)


def _give_credentials(iam_user: IAMUser, *, password: bool, key: bool, by: Person, reason: str, at: datetime) -> None:
    if iam_user.owner is None and (password or key):
        raise ValidationError({"owner": NO_OWNER})
    if password:
        passwords.create_login_profile(by=by, iam_user=iam_user, reason=reason, at=at)
    if key:
        first_keys.create_access_key(by=by, iam_user=iam_user, reason=reason, at=at)


def _record_creation(
    iam_user: IAMUser, *, by: Person, reason: str, at: datetime, more: dict[str, object], queue: str
) -> None:
    details = {
        "user_name": iam_user.user_name,
        "path": iam_user.path,
        "permissions_boundary": iam_user.permissions_boundary_arn,
        "kind": iam_user.kind,
        "owner": "" if iam_user.owner is None else iam_user.owner.email,
        "team": "" if iam_user.team is None else iam_user.team.name,
        "purpose": iam_user.purpose,
        "tags": tag_list(iam_user.tags),
        **more,
    }
    entry = record(
        organization=iam_user.organization,
        kind=Kind.IAM_USER_CREATED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details=details,
        deliver=carried_to(iam_user, queue=queue),
    )
    IAMUserRecord.objects.begin(iam_user, entry)


def _check_place(*, by: Person, team: Team, account: Account) -> None:
    envelope.require_account(by=by, team=team, account=account)
    _check_connected(account)
    limits.require_room(by=by, team=team)


def _check_quotas(account: Account, group_names: Collection[str], policy_arns: Collection[str]) -> None:
    check_room(quotas.groups(account, group_names), field="groups")
    check_room(quotas.attached_policies(account, policy_arns), field="policies")


def _check_connected(account: Account) -> None:
    try:
        require_importable(account=account)
    except ValidationError as refusal:
        raise ValidationError({"account": refusal.messages}) from None


def _check_new(iam_user: IAMUser) -> None:
    if not arns.NEW_USER_NAME.fullmatch(iam_user.user_name):
        raise ValidationError(
            {"user_name": "A new IAM user's name has 1 to 64 letters, digits or any of + = , . @ - _ and no spaces."}
        )
    if iam_user.kind == IAMUser.Kind.APPLICATION and not iam_user.purpose.strip():
        raise ValidationError({"purpose": "Say what the application does: whoever finds its key will want to know."})
    if iam_user.owner is not None and not iam_user.owner.belongs_to(iam_user.organization):
        raise ValidationError({"owner": "Choose somebody of your organization."})
    check_room(_with_one_more(quotas.iam_users(iam_user.account)), field="account")
    try:
        # Not without the account: Django leaves a constraint out when one of its fields is.
        iam_user.full_clean(exclude=["organization", "team", "owner"])
    except ValidationError as error:
        raise _at_the_name(error) from None


def _with_one_more(quota: Quota) -> Quota:
    return replace(quota, used=quota.used + 1)


def _at_the_name(error: ValidationError) -> ValidationError:
    """A constraint over an expression belongs to no field in Django; ours are all about the name."""
    by_field = dict(error.message_dict)
    if "__all__" in by_field:
        by_field["user_name"] = by_field.pop("__all__")
    return ValidationError(by_field)


def _save_new(iam_user: IAMUser) -> None:
    # Two people may ask for the same name in the same second: both pass the check, one of them passes here.
    try:
        with transaction.atomic():
            iam_user.save(force_insert=True)
    except IntegrityError:
        if IAMUser.objects.present().filter(account=iam_user.account, user_name__iexact=iam_user.user_name).exists():
            raise ValidationError({"user_name": "Somebody has just made an IAM user of this name."}) from None
        raise


def _are_decided(iam_user: IAMUser, put: dict[str, str], removed: Collection[str]) -> bool:
    """Whether its tags, as what is on its way will change them, are so already."""
    tags = as_decided(iam_user).tags
    return {**tags, **put} == tags and not set(removed) & set(tags)


def checked_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags, if people may set them and AWS takes them.

    :raises ValidationError: names the first that it does not.
    """
    # One place is kept for the portal's own tag.
    if len(tags) >= arns.TAGS_PER_USER:
        raise ValidationError({"tags": f"AWS allows {arns.TAGS_PER_USER} tags; one of them is the portal's."})
    for key, value in tags.items():
        if arns.is_reserved_tag(key):
            raise ValidationError({"tags": f"{key}: tags that begin so are not people's to set."})
        if not arns.TAG_KEY.fullmatch(key) or not arns.TAG_VALUE.fullmatch(value):
            raise ValidationError(
                {"tags": f"{key}: letters, digits, spaces and . : / = + - @ _ only, 128 and 256 long."}
            )
    if len({key.lower() for key in tags}) != len(tags):
        raise ValidationError({"tags": "Two tags differ only in upper and lower case; AWS takes them for one."})
    return dict(tags)
