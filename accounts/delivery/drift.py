"""Carrying "Revert": AWS follows what was decided of one attribute of an IAM user.

Whatever AWS has there besides goes, also what came after the decision. Lists of a moment ago may be behind, so what
the decision saw is taken away without looking, and what was decided is put there without looking.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts import arns
from accounts.delivery import held, shown
from accounts.delivery.groups import add_to_group
from accounts.delivery.policies import attach, attached_to, policy_is_not_there
from accounts.models import Drift, IAMUser
from accounts.models.attributes import are_same, heard
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.users import User
from portal.ledger.models import Delivery, Entry

Attribute = Drift.Attribute


@dataclass(frozen=True)
class Change:
    """One attribute: what it shall be, and what AWS held when that was decided."""

    attribute: str
    decided: Any
    held: Any

    @classmethod
    def of(cls, entry: Entry) -> Change:
        """What the entry decided."""
        name = entry.details["attribute"]
        return cls(name, heard(name, entry.details["decided"]), heard(name, entry.details["held"]))


def carry(entry: Entry, delivery: Delivery) -> held.Held:
    """Bring back what was decided."""
    return make_so(held.subject_of(entry), Change.of(entry), delivery)


def make_so(iam_user: IAMUser, change: Change, delivery: Delivery) -> held.Held:
    """Make the attribute of the very user that was decided about what was decided, and read it back.

    :raises errors.Conflict: when another user bears its name now, or the name that it shall have.
    :raises errors.Refused: when a group, policy or boundary that it shall have is not there.
    """
    iam = held.iam_of(iam_user.account)
    user = _find(iam, iam_user, change)
    STEPS[change.attribute](iam, user, change)
    user_name = change.decided if change.attribute == Attribute.USER_NAME else user.user_name
    try:
        answer = shown.read(iam, delivery, user_name=user_name, shows=lambda read: _is_as_decided(iam, read, change))
    except errors.NotFound:
        raise shown.not_shown(delivery, user_name) from None
    # Shown to be what was decided, so that is what AWS holds.
    is_told = change.attribute not in (Attribute.ATTACHED_POLICIES, Attribute.INLINE_POLICIES)
    return answer if is_told else replace(answer, policies={change.attribute: change.decided})


def settle(entry: Entry, answer: held.Held, at: datetime) -> None:
    """From now on the row says what AWS holds."""
    held.write_down(entry, answer)


def abandon(entry: Entry, delivery: Delivery, at: datetime) -> None:
    """Given up: AWS still differs from the record, and somebody has to decide about it."""
    iam_user = held.locked(entry)
    drift = Drift.objects.get(pk=entry.details["drift"])
    same = Drift.objects.open().filter(iam_user=iam_user, attribute=drift.attribute)
    if iam_user.gone_at is None and not same.exists():
        drift.open_again()
    Drift.objects.look_again(iam_user, at=at)


def _find(iam: IAM, iam_user: IAMUser, change: Change) -> User:
    """The user in AWS: under its name, or under the one that an earlier attempt gave back to it."""
    if change.attribute != Attribute.USER_NAME:
        return held.require_same(iam, iam_user)
    _require_free_here(iam_user, change.decided)
    for user_name in (iam_user.user_name, change.decided):
        with suppress(errors.NotFound):
            user = iam.get_user(user_name=user_name)
            if user.user_id == iam_user.user_id:
                return user
    return held.require_same(iam, iam_user)


def _require_free_here(iam_user: IAMUser, user_name: str) -> None:
    """The portal's rows hold each name once: whoever has it here must be read anew first."""
    others = IAMUser.objects.present().filter(account=iam_user.account, user_name__iexact=user_name)
    if others.exclude(pk=iam_user.pk).exists():
        raise errors.Conflict(
            operation="UpdateUser",
            code="NameTakenHere",
            message=f"{user_name} is another IAM user's name. Refresh the account, then try again or give this up.",
        )


def _rename(iam: IAM, user: User, change: Change) -> None:
    if user.user_name != change.decided:
        _update(iam, user, new_user_name=change.decided)


def _move(iam: IAM, user: User, change: Change) -> None:
    _update(iam, user, new_path=change.decided)


def _update(iam: IAM, user: User, **to: str) -> None:
    try:
        iam.update_user(user_name=user.user_name, **to)
    except errors.NotFound as error:
        # It was seen a moment ago, so AWS's reads are behind what an earlier attempt did.
        raise held.later(error) from None


def _put_tags(iam: IAM, user: User, change: Change) -> None:
    # In AWS's spelling of the key: users' tag keys ignore case, and only one of the two stays.
    spelled = {key.lower(): key for key in user.tags}
    put = {spelled.get(key.lower(), key): value for key, value in change.decided.items()}
    there = {**change.held, **arns.peoples_tags(dict(user.tags))}
    if removed := _besides(change.decided, there):
        iam.untag_user(user_name=user.user_name, tag_keys=removed)
    if put:
        iam.tag_user(user_name=user.user_name, tags=put)


def _put_groups(iam: IAM, user: User, change: Change) -> None:
    there = [group.group_name for group in iam.list_groups_for_user(user_name=user.user_name)]
    # First out, then in: there is room for ten.
    for group_name in _besides(change.decided, [*change.held, *there]):
        with suppress(errors.NotFound):
            iam.remove_user_from_group(user_name=user.user_name, group_name=group_name)
    for group_name in change.decided:
        add_to_group(iam, user, group_name=group_name)


def _put_boundary(iam: IAM, user: User, change: Change) -> None:
    if not change.decided:
        with suppress(errors.NotFound):
            iam.delete_user_permissions_boundary(user_name=user.user_name)
        return
    try:
        iam.put_user_permissions_boundary(user_name=user.user_name, permissions_boundary=change.decided)
    except errors.NotFound as error:
        raise policy_is_not_there(error, f"the permissions boundary {change.decided}") from None


def _put_attached_policies(iam: IAM, user: User, change: Change) -> None:
    there = attached_to(iam, user.user_name)
    for policy_arn in sorted({*change.held, *there} - set(change.decided)):
        with suppress(errors.NotFound):
            iam.detach_user_policy(user_name=user.user_name, policy_arn=policy_arn)
    for policy_arn in change.decided:
        attach(iam, user, policy_arn=policy_arn)


def _put_inline_policies(iam: IAM, user: User, change: Change) -> None:
    there = iam.list_user_policies(user_name=user.user_name)
    for policy_name in _besides(change.decided, [*change.held, *there]):
        with suppress(errors.NotFound):
            iam.delete_user_policy(user_name=user.user_name, policy_name=policy_name)
    for policy_name, document in change.decided.items():
        iam.put_user_policy(user_name=user.user_name, policy_name=policy_name, policy_document=_as_text(document))


STEPS: dict[str, Callable[[IAM, User, Change], None]] = {
    Attribute.USER_NAME: _rename,
    Attribute.PATH: _move,
    Attribute.TAGS: _put_tags,
    Attribute.GROUPS: _put_groups,
    Attribute.PERMISSIONS_BOUNDARY: _put_boundary,
    Attribute.ATTACHED_POLICIES: _put_attached_policies,
    Attribute.INLINE_POLICIES: _put_inline_policies,
}


def _besides(decided: Iterable[str], there: Iterable[str]) -> list[str]:
    """The names that are there and were not decided; upper and lower case count as the same."""
    wanted = {name.lower() for name in decided}
    return sorted({name for name in there if name.lower() not in wanted})


def _is_as_decided(iam: IAM, answer: held.Held, change: Change) -> bool:
    return are_same(change.attribute, _held_of(iam, answer, change.attribute), change.decided)


def _held_of(iam: IAM, answer: held.Held, attribute: str) -> object:
    user = answer.user
    told: dict[str, Callable[[], object]] = {
        Attribute.USER_NAME: lambda: user.user_name,
        Attribute.PATH: lambda: user.path,
        Attribute.TAGS: lambda: arns.peoples_tags(dict(user.tags)),
        Attribute.GROUPS: lambda: [group.group_name for group in answer.groups],
        Attribute.PERMISSIONS_BOUNDARY: lambda: user.permissions_boundary or "",
        Attribute.ATTACHED_POLICIES: lambda: attached_to(iam, user.user_name),
        Attribute.INLINE_POLICIES: lambda: _inline_policies(iam, user.user_name),
    }
    return told[attribute]()


def _inline_policies(iam: IAM, user_name: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for policy_name in iam.list_user_policies(user_name=user_name):
        with suppress(errors.NotFound):
            found[policy_name] = iam.get_user_policy(user_name=user_name, policy_name=policy_name)
    return found


def _as_text(document: object) -> str:
    """What was no JSON object in AWS is the text that it was."""
    return document if isinstance(document, str) else json.dumps(document)
