"""What a team's lead may hand out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts import access, closures
from accounts.models import Account, Envelope, IAMGroup, IAMUser, Person, Team
from accounts.policy.closure import Closure

ASK = "That is more than a lead may hand out; an owner or admin can decide it."


@dataclass(frozen=True)
class TagRule:
    """A tag that the team's IAM users bear, with one of the values; with any where there are none."""

    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key} = {' or '.join(self.values)}" if self.values else f"{self.key} = any value"

    def is_kept_by(self, tags: Mapping[str, str]) -> bool:
        """Whether the tags have it. In keys of IAM users' tags upper and lower case count as the same."""
        held = next((value for key, value in tags.items() if key.lower() == self.key.lower()), None)
        return held is not None and (held in self.values if self.values else True)


@dataclass(frozen=True)
class Room:
    """How many IAM users a team has, and how many it may have; None for any number."""

    taken: int
    limit: int | None

    def __str__(self) -> str:
        return f"{self.taken} IAM users" if self.limit is None else f"{self.taken} of {self.limit} IAM users"

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.taken >= self.limit


class OutsideEnvelope(ValidationError):
    """The team may not have this; carries the form field that it was asked in."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__({field: message})


def groups_for(*, by: Person, team: Team, account: Account) -> QuerySet[IAMGroup]:
    """The groups of the account that the person may hand out for the team."""
    groups = IAMGroup.objects.present().filter(organization=team.organization, account=account)
    if access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return groups
    return groups.filter(envelopes__team=team)


def require_account(*, by: Person, team: Team, account: Account) -> None:
    """Return when the person may act in this account for the team.

    :raises access.NotThere: when the account is another organization's.
    :raises OutsideEnvelope: when the team's envelope does not name it.
    """
    if account.organization_id != team.organization_id:
        raise access.NotThere
    if not access.accounts_for(by=by, team=team).filter(pk=account.pk).exists():
        raise OutsideEnvelope("account", f"Team {team} has no access to {account}. An owner or admin can add it.")


def require_groups(*, by: Person, team: Team, account: Account, group_names: Collection[str]) -> None:
    """Return when every one of the groups is there and may be handed out.

    :raises OutsideEnvelope: names the first that is not.
    """
    allowed = set(groups_for(by=by, team=team, account=account).values_list("group_name", flat=True))
    for name in group_names:
        if name not in allowed:
            raise OutsideEnvelope("groups", f"{name} is not a group of {account} that team {team} may hand out.")
    if group_names and not access.reaches_beyond_envelopes(by=by, organization=team.organization):
        groups = list(IAMGroup.objects.present().filter(account=account, group_name__in=group_names))
        after = closures.of_groups(account, groups, boundary=boundary_of(team))
        _refuse_escalation(before=closures.of_groups(account, []), after=after)


def require_groups_of_iam_user(*, by: Person, iam_user: IAMUser, group_names: Collection[str]) -> None:
    """Return when the person may put this IAM user into every one of the groups.

    :raises OutsideEnvelope: also for an IAM user without a team, unless the person stands above envelopes.
    """
    for name in group_names:
        if not groups_open_to(by=by, iam_user=iam_user).filter(group_name=name).exists():
            raise OutsideEnvelope("groups", f"{name} is not a group that you may hand out to {iam_user}.")
    if group_names and not access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        groups = IAMGroup.objects.present().filter(account=iam_user.account, group_name__in=group_names)
        after = closures.of_iam_user(iam_user, joining=groups)
        _refuse_escalation(before=closures.of_iam_user(iam_user), after=after)


def _refuse_escalation(*, before: Closure, after: Closure) -> None:
    """A group in the envelope may have been given more since: what it carries counts, and not its name.

    :raises OutsideEnvelope: for administration, and for each known way to more rights that the change would open.
    """
    unread = sorted(set(after.unknown) - set(before.unknown))
    if unread:
        raise OutsideEnvelope("groups", f"{unread[0]} could allow anything: {after.unknown[unread[0]]}. {ASK}")
    ways = closures.opened(before=before, after=after)
    if ways:
        raise OutsideEnvelope("groups", f"{ways[0]} {ASK}")


def groups_open_to(*, by: Person, iam_user: IAMUser) -> QuerySet[IAMGroup]:
    """The groups into which the person may put this IAM user."""
    if iam_user.team is not None:
        return groups_for(by=by, team=iam_user.team, account=iam_user.account)
    groups = IAMGroup.objects.present().filter(account=iam_user.account)
    return groups if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization) else groups.none()


def path_of(team: Team) -> str:
    """The path under which the team's IAM users are made; `/` where no envelope says another."""
    return Envelope.objects.filter(team=team).values_list("path", flat=True).first() or "/"


def boundary_of(team: Team) -> str:
    """The ARN of the permissions boundary that the team's IAM users must have, or nothing."""
    arns = Envelope.objects.filter(team=team).values_list("permissions_boundary__arn", flat=True)
    return arns.first() or ""


def require_change(*, by: Person, iam_user: IAMUser, attribute: str, before: Any, after: Any) -> None:
    """Return when the person may have an attribute of this IAM user changed so, outside the forms that offer it.

    :raises OutsideEnvelope: when a lead would hand out more than the envelope allows: a group that is not in it, a
        policy, another path, less of a permissions boundary, or would lose a tag. Taking away else needs no envelope.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    if attribute == "group_names":
        there = {name.lower() for name in before}
        gained = [name for name in after if name.lower() not in there]
        require_groups_of_iam_user(by=by, iam_user=iam_user, group_names=gained)
    elif attribute == "tags":
        _require_tags_kept(iam_user, before, after)
    elif not _is_inside(iam_user.team, attribute, before, after):
        raise OutsideEnvelope(
            "__all__", f"{iam_user}: this is more than you may hand out. An owner or admin can decide it."
        )


def _require_tags_kept(iam_user: IAMUser, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """As `require_tags`, but what lacked a tag before may go on lacking it."""
    for rule in [] if iam_user.team is None else tag_rules_of(iam_user.team):
        if rule.is_kept_by(before) and not rule.is_kept_by(after):
            raise OutsideEnvelope("__all__", f"{iam_user} would lose the tag {rule}, which its team's IAM users bear.")


def _is_inside(team: Team | None, attribute: str, before: Any, after: Any) -> bool:
    if attribute == "attached_policy_arns":
        return set(after) <= set(before)
    if attribute == "inline_policies":
        return all(before.get(name) == document for name, document in after.items())
    if attribute == "path":
        return team is not None and after == path_of(team)
    if attribute == "permissions_boundary_arn":
        # A first boundary only ever takes away; the team's own is what the envelope asks for.
        return not before or (team is not None and after != "" and after == boundary_of(team))
    return True


def require_frame(*, by: Person, team: Team, path: str, permissions_boundary_arn: str) -> None:
    """Return when the person may have an IAM user made for the team under this path and boundary.

    :raises OutsideEnvelope: when they are not those that the team's IAM users are made with.
    """
    is_the_teams = (path, permissions_boundary_arn) == (path_of(team), boundary_of(team))
    if not is_the_teams and not access.reaches_beyond_envelopes(by=by, organization=team.organization):
        raise OutsideEnvelope(
            "__all__", "Its path or permissions boundary is not your team's. An owner or admin can decide it."
        )


def tag_rules_of(team: Team) -> list[TagRule]:
    """The tags that the team's IAM users bear."""
    rules = Envelope.objects.filter(team=team).values_list("tag_rules", flat=True).first() or []
    return [TagRule(rule["key"], tuple(rule["values"])) for rule in rules]


def asked_tags(team: Team) -> str:
    """The tags that the team's IAM users bear, as a sentence; nothing where any will do."""
    rules = tag_rules_of(team)
    return f"IAM users of team {team} bear {'; '.join(str(rule) for rule in rules)}." if rules else ""


def room_of(team: Team) -> Room:
    """How many IAM users the team has in AWS or on their way there, and how many it may have."""
    limit = Envelope.objects.filter(team=team).values_list("iam_user_limit", flat=True).first()
    return Room(IAMUser.objects.present().filter(team=team).count(), limit)


def require_tags(*, by: Person, team: Team | None, tags: Mapping[str, str]) -> None:
    """Return when the person may leave an IAM user of the team with these tags.

    :raises OutsideEnvelope: at the tags, when a lead would leave out one that the envelope asks for.
    """
    if team is None or access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return
    for rule in tag_rules_of(team):
        if not rule.is_kept_by(tags):
            raise OutsideEnvelope("tags", f"IAM users of team {team} bear the tag {rule}. An owner can change that.")


def require_room(*, by: Person, team: Team) -> None:
    """Return when the person may have one more IAM user made for the team; inside the transaction that makes it.

    :raises OutsideEnvelope: when the team has as many as it may.
    """
    if access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return
    # Locked until the commit: of two who make the last one that there is room for, the second counts the first one's.
    list(Envelope.objects.select_for_update(no_key=True).filter(team=team))
    room = room_of(team)
    if room.is_full:
        raise OutsideEnvelope("team", f"Team {team} has {room}, which is all it may have. An owner can change that.")
