"""What an IAM user is, attribute by attribute: as AWS holds it, and as the entries about it decided. No queries.

A record is what its IAM user's entries make of it, one after another; `replayed` makes it from them anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from accounts.kinds import Kind
from accounts.policy.denial import DENY_ALL

if TYPE_CHECKING:
    from accounts.models.iam_user import IAMUser
    from portal.ledger.models import Entry

# In an entry's details: what AWS held when the portal began to manage the IAM user.
BEGINNING = "managed_from"


@dataclass(frozen=True)
class Attributes:
    """`tags` are people's tags alone, `inline_policies` maps names to documents; the names are `Drift.Attribute`'s."""

    user_name: str
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    group_names: Collection[str] = ()
    permissions_boundary_arn: str = ""
    attached_policy_arns: Collection[str] = ()
    inline_policies: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def held(cls, iam_user: IAMUser, group_names: Iterable[str]) -> Attributes:
        """What AWS held of the IAM user when its row was written; its groups are rows of their own."""
        return cls(
            user_name=iam_user.user_name,
            path=iam_user.path,
            tags=iam_user.peoples_tags,
            group_names=sorted(group_names),
            permissions_boundary_arn=iam_user.permissions_boundary_arn,
            attached_policy_arns=sorted(iam_user.attached_policy_arns),
            inline_policies=iam_user.inline_policies,
        )

    @classmethod
    def told(cls, details: Mapping[str, Any]) -> Attributes:
        """What `tell` made of them."""
        return cls(**{name: heard(name, details[name]) for name in NAMES})

    def tell(self) -> dict[str, object]:
        """In the form of an entry's details."""
        return {name: told(name, value) for name, value in self.stored().items()}

    def stored(self) -> dict[str, Any]:
        """In the form of a record's fields."""
        lists = ("group_names", "attached_policy_arns")
        return asdict(self) | {name: sorted(getattr(self, name)) for name in lists}

    def after(self, kind: str, details: Mapping[str, Any]) -> Attributes:
        """What they are once this was decided; a kind that decides nothing of them changes nothing."""
        follow = _FOLLOWING.get(Kind(kind)) if kind in set(Kind) else None
        return self if follow is None else follow(self, details)

    def is_in(self, group_name: str) -> bool:
        """Whether it is in the group, whose name ignores case."""
        return group_name.lower() in {name.lower() for name in self.group_names}

    def differences(self, other: Attributes) -> dict[str, tuple[Any, Any]]:
        """Each attribute in which the other differs, with both values."""
        ours, theirs = self.stored(), other.stored()
        return {name: (ours[name], theirs[name]) for name in NAMES if not are_same(name, ours[name], theirs[name])}


NAMES = tuple(one.name for one in fields(Attributes))


def are_same(name: str, one: Any, other: Any) -> bool:
    """Whether AWS takes both for the same: names and users' tag keys ignore case, and lists have no order.

    IAM User Guide, "Names and path limits" and "Tagging IAM resources".
    """
    plain = _PLAIN.get(name, lambda value: value)
    return bool(plain(one) == plain(other))


def told(name: str, value: Any) -> Any:
    """A value in the form of an entry's details, whose keys are no people's words: those may look like a secret's."""
    if name == "tags":
        return [{"key": key, "value": text} for key, text in sorted(value.items())]
    if name == "inline_policies":
        return [{"name": key, "document": json.dumps(value[key], sort_keys=True)} for key in sorted(value)]
    return value


def heard(name: str, value: Any) -> Any:
    """The value that `told` put into the details."""
    if name == "tags":
        return {tag["key"]: tag["value"] for tag in value}
    if name == "inline_policies":
        return {policy["name"]: json.loads(policy["document"]) for policy in value}
    return value


def replayed(entries: Iterable[tuple[Entry, bool]]) -> Attributes | None:
    """What the entries about one IAM user, in order, decided of it; None where no decision of theirs stands.

    Each comes with whether it was given up, and then it decided nothing.
    """
    attributes, stands = None, False
    for entry, is_given_up in entries:
        if BEGINNING in entry.details:
            attributes, stands = Attributes.told(entry.details[BEGINNING]), False
        if is_given_up:
            continue
        if entry.kind == Kind.IAM_USER_CREATED:
            attributes = made(entry.details)
        if attributes is not None:
            attributes, stands = attributes.after(entry.kind, entry.details), True
    return attributes if stands else None


def stays_in_group(entries: Iterable[tuple[Entry, bool]], group_name: str) -> bool:
    """Whether the entries about one IAM user put it into the group without saying until when; as for `replayed`."""
    attributes, stays = None, False
    for entry, is_given_up in entries:
        if BEGINNING in entry.details:
            attributes = Attributes.told(entry.details[BEGINNING])
            stays = attributes.is_in(group_name)
        if is_given_up or (attributes is None and entry.kind != Kind.IAM_USER_CREATED):
            continue
        before = attributes
        attributes = made(entry.details) if before is None else before.after(entry.kind, entry.details)
        is_new = before is None or not before.is_in(group_name) or entry.kind == Kind.IAM_USER_ADDED_TO_GROUP
        is_about_it = entry.details.get("group", group_name).lower() == group_name.lower()
        gained = is_new and is_about_it and "until" not in entry.details
        stays = attributes.is_in(group_name) and (stays or gained)
    return stays


def made(details: Mapping[str, Any]) -> Attributes:
    """What a creation decided."""
    return Attributes(
        user_name=details["user_name"],
        path=details["path"],
        tags=heard("tags", details["tags"]),
        group_names=details["groups"],
        permissions_boundary_arn=details["permissions_boundary"],
        attached_policy_arns=details.get("policies", ()),
    )


def _tagged(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    put = heard("tags", details["put"])
    going = {key.lower() for key in (*put, *details["removed"])}
    kept = {key: value for key, value in attributes.tags.items() if key.lower() not in going}
    return replace(attributes, tags=kept | put)


def _added(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    group_names = {*_removed(attributes, details).group_names, details["group"]}
    return replace(attributes, group_names=sorted(group_names))


def _removed(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    group_name = details["group"].lower()
    return replace(attributes, group_names=[name for name in attributes.group_names if name.lower() != group_name])


def _renamed(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, user_name=details["user_name"])


def _moved(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, path=details["path"])


def _bound(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, permissions_boundary_arn=details["permissions_boundary"])


def _attached(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, attached_policy_arns=sorted({*attributes.attached_policy_arns, details["policy"]}))


def _detached(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, attached_policy_arns=sorted({*attributes.attached_policy_arns} - {details["policy"]}))


def _adopted(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return _with(attributes, details["attribute"], details.get("held"))


def _reverted(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return _with(attributes, details["attribute"], details.get("decided"))


def _disabled(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    return replace(attributes, inline_policies={**attributes.inline_policies, details["policy"]: DENY_ALL})


def _enabled(attributes: Attributes, details: Mapping[str, Any]) -> Attributes:
    kept = {name: document for name, document in attributes.inline_policies.items() if name != details["policy"]}
    return replace(attributes, inline_policies=kept)


def _with(attributes: Attributes, name: str, value: Any) -> Attributes:
    # Without a name it is about the whole of an IAM user that is gone: its record ends, and nothing in it changes.
    return replace(attributes, **{name: heard(name, value)}) if name else attributes


_FOLLOWING: dict[Kind, Callable[[Attributes, Mapping[str, Any]], Attributes]] = {
    Kind.IAM_USER_TAGGED: _tagged,
    Kind.IAM_USER_ADDED_TO_GROUP: _added,
    Kind.IAM_USER_REMOVED_FROM_GROUP: _removed,
    Kind.DRIFT_ADOPTED: _adopted,
    Kind.DRIFT_REVERTED: _reverted,
    Kind.IAM_USER_RENAMED: _renamed,
    Kind.IAM_USER_PATH_CHANGED: _moved,
    Kind.IAM_USER_BOUNDARY_CHANGED: _bound,
    Kind.IAM_USER_POLICY_ATTACHED: _attached,
    Kind.IAM_USER_POLICY_DETACHED: _detached,
    Kind.IAM_USER_DISABLED: _disabled,
    Kind.IAM_USER_ENABLED: _enabled,
}


def _by_lower_name(value: Mapping[str, object]) -> dict[str, object]:
    return {key.lower(): inner for key, inner in value.items()}


_PLAIN: dict[str, Callable[[Any], object]] = {
    "user_name": str.lower,
    "tags": _by_lower_name,
    "group_names": lambda names: {name.lower() for name in names},
    "attached_policy_arns": set,
    "inline_policies": _by_lower_name,
}
