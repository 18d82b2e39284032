"""Carrying "Disable IAM user" and "Enable IAM user": nothing of it works any more, and what was active works again.

The order is the safe one: the access keys, then a policy that denies everything and so meets older sessions too, then
the console password. A password cannot be given back, so that enabling leaves it to people to make a new one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts.delivery import held, shown
from accounts.models import AccessKey, IAMUser, LoginProfile, OffboardedIAMUser, Source
from accounts.policy.denial import DENY_ALL, DENY_ALL_TEXT, POLICY_NAME
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata, AccessKeyStatus
from portal.ledger.deliver import keep_baseline
from portal.ledger.models import Delivery, Entry


@dataclass(frozen=True)
class Changed:
    """The IAM user as AWS shows it after the change; `before` is what was active before the first attempt."""

    held: held.Held
    keys: tuple[AccessKeyMetadata, ...]
    before: dict[str, Any]


def carry_disabling(entry: Entry, delivery: Delivery) -> Changed | None:
    """Let nothing of the very user that was decided about work; None where AWS holds it no longer.

    :raises errors.Conflict: when another user bears its name, or a policy of our name says something else. What else
        can be disabled is, before that is told.
    :raises errors.Refused: when there is no room for the policy.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    if held.is_gone(iam, iam_user):
        return None
    before = _remembered(iam, iam_user.user_name, delivery)
    disable_access_keys(iam, iam_user.user_name)
    refusal = _denied_all(iam, iam_user.user_name)
    delete_login_profile(iam, iam_user.user_name)
    # Once more: a session that worked until the policy did may have made another one.
    disable_access_keys(iam, iam_user.user_name)
    if refusal is not None:
        raise refusal
    return _shown(iam, delivery, iam_user.user_name, before, is_disabled=True, active=[])


def settle_disabling(entry: Entry, answer: Changed | None, at: datetime) -> None:
    """From now on the rows say what AWS holds, and the offboarding what was active before."""
    if answer is None:
        return
    _keep(entry, answer.before)
    inline_policies = {**held.locked(entry).inline_policies, POLICY_NAME: DENY_ALL}
    _write_down(entry, answer, inline_policies)
    LoginProfile.objects.filter(iam_user=int(entry.subject_id), read_at__lte=answer.held.read_at).delete()


def abandon_disabling(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Given up, perhaps half-way: undoing the offboarding restores what was active before the first attempt."""
    _keep(entry, delivery.baseline)
    held.take_back(entry, delivery, at)


def carry_enabling(entry: Entry, delivery: Delivery) -> Changed | None:
    """Let those keys work again that were active before and are still there; last, take the policy off.

    None where AWS no longer holds the user.

    :raises errors.Conflict: when another user bears its name, or a policy of our name says something else.
    """
    iam_user = held.subject_of(entry)
    iam = held.iam_of(iam_user.account)
    if held.is_gone(iam, iam_user):
        return None
    _require_ours(iam, iam_user.user_name)
    active = OffboardedIAMUser.objects.get(enabled=entry).active_access_key_ids
    for access_key_id in active:
        with suppress(errors.NotFound):
            iam.update_access_key(
                user_name=iam_user.user_name, access_key_id=access_key_id, status=AccessKeyStatus.ACTIVE
            )
    with suppress(errors.NotFound):
        iam.delete_user_policy(user_name=iam_user.user_name, policy_name=POLICY_NAME)
    return _shown(iam, delivery, iam_user.user_name, {}, is_disabled=False, active=active)


def settle_enabling(entry: Entry, answer: Changed | None, at: datetime) -> None:
    """From now on the rows say what AWS holds."""
    if answer is None:
        return
    kept = {name: text for name, text in held.locked(entry).inline_policies.items() if name != POLICY_NAME}
    _write_down(entry, answer, kept)


def disable_access_keys(iam: IAM, user_name: str) -> None:
    """All of them, whatever they were before."""
    for key in iam.list_access_keys(user_name=user_name):
        with suppress(errors.NotFound):
            iam.update_access_key(user_name=user_name, access_key_id=key.access_key_id, status=AccessKeyStatus.INACTIVE)


def deny_all(iam: IAM, user_name: str) -> None:
    """Put the policy that denies everything.

    :raises errors.TryLater: when AWS's reads are behind: the user was seen a moment ago.
    :raises errors.Refused: when the user's inline policies would become too long.
    """
    try:
        iam.put_user_policy(user_name=user_name, policy_name=POLICY_NAME, policy_document=DENY_ALL_TEXT)
    except errors.NotFound as error:
        raise held.later(error) from None


def delete_login_profile(iam: IAM, user_name: str) -> None:
    """The console password; there may be none."""
    with suppress(errors.NotFound):
        iam.delete_login_profile(user_name=user_name)


def _denied_all(iam: IAM, user_name: str) -> errors.AWSError | None:
    """Put the policy; what keeps it out is told after all else is done, for a key must not outlive a full quota."""
    try:
        _require_ours(iam, user_name)
        deny_all(iam, user_name)
    except (errors.Conflict, errors.Refused) as error:
        return error
    return None


def _require_ours(iam: IAM, user_name: str) -> None:
    """A policy of our name that says something else is not ours to replace or to take off.

    :raises errors.Conflict: when there is one.
    """
    document = _our_policy(iam, user_name)
    if document is not None and document != DENY_ALL:
        raise errors.Conflict(
            operation="PutUserPolicy",
            code="AnotherPolicy",
            message=f"{user_name} has an inline policy {POLICY_NAME} that the portal did not write. "
            "Take it off in AWS, then try again.",
        )


def _our_policy(iam: IAM, user_name: str) -> object:
    try:
        return iam.get_user_policy(user_name=user_name, policy_name=POLICY_NAME)
    except errors.NotFound:
        return None


def _remembered(iam: IAM, user_name: str, delivery: Delivery) -> dict[str, Any]:
    """What was active before the first attempt: a later one finds what this delivery has left of it."""
    if delivery.baseline is None:
        keys = iam.list_access_keys(user_name=user_name)
        active = sorted(key.access_key_id for key in keys if key.status == AccessKeyStatus.ACTIVE)
        has_password = _has_login_profile(iam, user_name)
        keep_baseline(delivery=delivery, baseline={"access_keys": active, "has_login_profile": has_password})
    return dict(delivery.baseline or {})


def _has_login_profile(iam: IAM, user_name: str) -> bool:
    try:
        iam.get_login_profile(user_name=user_name)
    except errors.NotFound:
        return False
    return True


def _shown(
    iam: IAM, delivery: Delivery, user_name: str, before: dict[str, Any], *, is_disabled: bool, active: list[str]
) -> Changed:
    """Read it back, once AWS shows the policy, the keys and the password as they shall be.

    :raises errors.TryLater: while it does not. :raises errors.Conflict: when it never does.
    """
    answer = held.read(iam, user_name=user_name)
    keys = iam.list_access_keys(user_name=user_name)
    works = {key.access_key_id for key in keys if key.status == AccessKeyStatus.ACTIVE}
    there = {key.access_key_id for key in keys}
    is_denied = _our_policy(iam, user_name) == DENY_ALL
    if is_disabled:
        is_shown = is_denied and not works and not _has_login_profile(iam, user_name)
    else:
        is_shown = not is_denied and set(active) & there <= works
    if not is_shown:
        raise shown.not_shown(delivery, user_name)
    return Changed(held=answer, keys=keys, before=before)


def _keep(entry: Entry, before: dict[str, Any] | None) -> None:
    if before:
        OffboardedIAMUser.objects.filter(disabled=entry).update(
            active_access_key_ids=before["access_keys"], had_login_profile=before["has_login_profile"]
        )


def _write_down(entry: Entry, answer: Changed, inline_policies: dict[str, object]) -> None:
    held.write_down(entry, replace(answer.held, policies={"inline_policies": inline_policies}))
    _write_access_keys(held.locked(entry), answer)


def _write_access_keys(iam_user: IAMUser, answer: Changed) -> None:
    """The list is whole, so that a key which is not in it is gone; a row that was read later stays."""
    read_at = answer.held.read_at
    rows = {row.access_key_id: row for row in AccessKey.objects.filter(iam_user=iam_user)}
    reading = {"source": Source.LIST_ACCESS_KEYS, "read_at": read_at}
    for key in answer.keys:
        row = rows.pop(key.access_key_id, None)
        if row is None:
            AccessKey.objects.create(
                organization_id=iam_user.organization_id,
                account_id=iam_user.account_id,
                iam_user=iam_user,
                access_key_id=key.access_key_id,
                status=key.status,
                create_date=key.create_date,
                **reading,
            )
        elif row.read_at is None or row.read_at <= read_at:
            AccessKey.objects.filter(pk=row.pk).update(status=key.status, gone_at=None, **reading)
    gone = AccessKey.objects.present().filter(pk__in=[row.pk for row in rows.values()], read_at__lte=read_at)
    gone.update(gone_at=read_at)
