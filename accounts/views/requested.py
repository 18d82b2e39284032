"""What the page of a request shows of it: what would change, in words, and what an approval would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

from accounts import access, closures, requestable
from accounts.closures import Holding
from accounts.kinds import Kind
from accounts.models import Envelope, IAMGroup, IAMUser, Person, Request
from accounts.models.iam_user_record import as_decided
from accounts.policy.words import difference
from accounts.usecases import envelopes

# As many ways to more rights as the page lists at once; administration alone opens all of them.
LISTED = 4
NONE = "none"


@dataclass(frozen=True)
class Line:
    """What would change: `label` from `before` to `after`; or, of a list, what is `added` and `removed`."""

    label: str
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def shown(row: Request, *, by: Person) -> dict[str, Any]:
    """All that the page shows besides the row's own fields; `iam_user` is None for whoever does not see it."""
    iam_user = requestable.iam_user_of(row)
    is_seen = iam_user is not None and IAMUser.objects.visible_to(by).filter(pk=iam_user.pk).exists()
    lines = LINES.get(Kind(row.kind))
    return {
        "is_about_iam_user": row.subject_type == "iam_user",
        "iam_user": iam_user if is_seen else None,
        "is_about_team": row.subject_type == "team",
        "warnings": warnings_of(row),
        "lines": lines(row) if lines is not None else [],
        "until": parse_datetime(row.change.get("until") or ""),
        **(_opened(row, iam_user) if iam_user is not None else {}),
    }


def _boundary(row: Request) -> list[Line]:
    before, after = row.change["before"], row.change["permissions_boundary"]
    return [Line("Permissions boundary", before=before or NONE, after=after or NONE)]


def _path(row: Request) -> list[Line]:
    return [Line("Path", before=row.change["before"], after=row.change["path"])]


def _team(row: Request) -> list[Line]:
    return [Line("Team", before=row.change["from"] or NONE, after=row.change["to"])]


def _envelope(row: Request) -> list[Line]:
    before, after = row.change["before"], row.change["after"]
    return [_of_envelope(LABELS.get(name, name), before[name], after[name]) for name in LABELS if name in after]


def _of_envelope(label: str, before: Any, after: Any) -> Line:
    if isinstance(after, list):
        added = tuple(one for one in after if one not in before)
        return Line(label, added=added, removed=tuple(one for one in before if one not in after))
    return Line(label, before=before, after=after)


def warnings_of(row: Request) -> list[str]:
    """What an approver must have read: the sentences that the envelope's own form would show."""
    if row.kind != Kind.ENVELOPE_CHANGED or row.team is None or not row.is_open:
        return []
    own = Envelope.objects.filter(team=row.team).first()
    try:
        after = envelopes.of_told(row.change["content"], team=row.team)
    except access.NotThere:
        # It lapses as soon as somebody decides about it.
        return []
    return envelopes.warnings(before=envelopes.content_of(own), after=after)


# As the form calls what the ledger's words name.
LABELS = {
    "accounts": "AWS accounts",
    "groups": "Groups",
    "policies": "Managed policies",
    "permissions_boundary": "Permissions boundary",
    "path": "Path",
    "tags": "Required tags",
    "IAM users": "IAM users at most",
}
LINES: dict[Kind, Callable[[Request], list[Line]]] = {
    Kind.IAM_USER_BOUNDARY_CHANGED: _boundary,
    Kind.IAM_USER_PATH_CHANGED: _path,
    Kind.IAM_USER_ASSIGNED: _team,
    Kind.ENVELOPE_CHANGED: _envelope,
}


def _opened(row: Request, iam_user: IAMUser) -> dict[str, Any]:
    """What the group carries, and the known ways to more rights that the change would open."""
    holding = Holding.of(iam_user.account, as_decided(iam_user))
    if row.kind == Kind.IAM_USER_POLICY_ATTACHED:
        return _ways(row, holding.detaching(row.change["policy"]), holding.attaching(row.change["policy"]))
    if row.kind == Kind.IAM_USER_BOUNDARY_CHANGED:
        before, after = holding, holding.bound_by(row.change["permissions_boundary"])
        told = difference(before=before.closure(), after=after.closure()) if row.is_open else None
        return {"difference": told, **_ways(row, before, after)}
    if row.kind == Kind.IAM_USER_ADDED_TO_GROUP:
        group_name = row.change["group"]
        ways = _ways(row, holding.leaving(group_name), holding.joining(group_name))
        return {"policies": _carried(iam_user, group_name), **ways}
    return {}


def _carried(iam_user: IAMUser, group_name: str) -> list[str]:
    groups = list(IAMGroup.objects.present().filter(account=iam_user.account, group_name=group_name))
    names = [arn.rsplit("/", 1)[-1] for group in groups for arn in group.attached_policy_arns]
    inline = [name for group in groups for name in group.inline_policies]
    return sorted(names) + [f"{name} (inline)" for name in sorted(inline)]


def _ways(row: Request, before: Holding, after: Holding) -> dict[str, list[str]]:
    opened = closures.opened(before=before.closure(), after=after.closure()) if row.is_open else []
    ways = [str(way) for way in opened]
    return {"ways": ways[:LISTED], "more_ways": ways[LISTED:]}
