"""What a team's lead may hand out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts import access, closures
from accounts.models import Account, Envelope, IAMGroup, IAMUser, Person, Team
from accounts.models.attributes import Attributes
from accounts.models.iam_user_record import as_it_becomes
from accounts.policy.closure import Closure
from accounts.policy.escalation import escalations

ASK = "That is more than a lead may hand out; an owner or admin can decide it."


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
        policy, another path, or less of a permissions boundary. Taking away needs no envelope.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    if attribute == "group_names":
        there = {name.lower() for name in before}
        gained = [name for name in after if name.lower() not in there]
        require_groups_of_iam_user(by=by, iam_user=iam_user, group_names=gained)
    elif not _is_inside(iam_user.team, attribute, before, after):
        raise OutsideEnvelope(
            "__all__", f"{iam_user}: this is more than you may hand out. An owner or admin can decide it."
        )


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


def require_within(*, by: Person, iam_user: IAMUser) -> None:
    """Return when all that the IAM user can do, now and by what is on its way, is the team's to hand out.

    Whoever holds its password or key does what it can do: without this a lead would reach, by having one sealed for
    themselves, what an admin gave to one IAM user. Owners and admins stand above.

    :raises OutsideEnvelope: names the first thing that is not.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    envelope = Envelope.objects.filter(team=iam_user.team_id, accounts=iam_user.account_id).first()
    if envelope is None:
        raise OutsideEnvelope(
            "__all__", f"Your team has no access to {iam_user.account}. An owner or admin can add it."
        )
    for attributes in as_it_becomes(iam_user):
        for breach in _beyond(envelope, iam_user.account, attributes):
            raise OutsideEnvelope("__all__", f"{iam_user}: {breach} {ASK}")


def _beyond(envelope: Envelope, account: Account, attributes: Attributes) -> Iterator[str]:
    """What of it the envelope does not hold, as sentences."""
    groups = IAMGroup.objects.present().filter(envelopes=envelope, account=account)
    names = {name.lower() for name in groups.values_list("group_name", flat=True)}
    policies = set(envelope.policies.filter(account=account).values_list("arn", flat=True))
    boundary = boundary_of(envelope.team)
    yield from (
        f"it is in {name}, or on its way there." for name in attributes.group_names if name.lower() not in names
    )
    yield from (f"{arn} is attached to it." for arn in sorted(set(attributes.attached_policy_arns) - policies))
    yield from (f"it has an inline policy, {name}." for name in attributes.inline_policies)
    if boundary and attributes.permissions_boundary_arn != boundary:
        yield "its permissions boundary is not your team's."
    closure = closures.of_attributes(account, attributes)
    yield from (f"{name} could allow anything: {why}." for name, why in closure.unknown.items())
    yield from map(str, escalations(closure))
