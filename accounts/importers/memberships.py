"""Applying which groups IAM users are in, for many of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.importers.staging import batches
from accounts.importers.writing import create
from accounts.models import GroupMembership, IAMGroup

# The names of the groups before and now, in order.
Change = tuple[list[str], list[str]]


def write(wanted: Mapping[int, set[int]], reading: Mapping[str, Any]) -> dict[int, Change]:
    """Make the users be in these groups and no others; both are primary keys. Those whose groups changed, by user."""
    rows = GroupMembership.objects.filter(iam_user__in=list(wanted))
    held: dict[int, dict[int, int]] = {pk: {} for pk in wanted}
    for pk, iam_user, iam_group in rows.values_list("pk", "iam_user", "iam_group"):
        held[iam_user][iam_group] = pk
    leaving = [pk for user, groups in held.items() for group, pk in groups.items() if group not in wanted[user]]
    joining = [(user, group) for user, groups in wanted.items() for group in sorted(groups) if group not in held[user]]
    for batch in batches(leaving):
        GroupMembership.objects.filter(pk__in=batch).delete()
    create(GroupMembership, [GroupMembership(iam_user_id=u, iam_group_id=g, **reading) for u, g in joining])
    return _named({user: (set(held[user]), groups) for user, groups in wanted.items() if set(held[user]) != groups})


def _named(changed: Mapping[int, tuple[set[int], set[int]]]) -> dict[int, Change]:
    groups = {pk for before, now in changed.values() for pk in before | now}
    names = dict(IAMGroup.objects.filter(pk__in=groups).values_list("pk", "group_name"))
    return {
        user: (sorted(names[pk] for pk in before), sorted(names[pk] for pk in now))
        for user, (before, now) in changed.items()
    }
