"""What a team's lead may hand out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts import access, arns, closures
from accounts.closures import Holding
from accounts.limits import OutsideEnvelope, tag_rules_of
from accounts.models import Account, Envelope, IAMGroup, IAMPolicy, IAMUser, Person, Team
from accounts.models.attributes import Attributes
from accounts.models.iam_user_record import as_it_becomes
from accounts.policy.closure import Closure
from accounts.policy.escalation import escalations

ASK = "That is more than a lead may hand out; an owner or admin can decide it."
DECIDE = "An owner or admin can decide it."
REQUEST = "Request the move instead: an owner or admin decides."


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


def policies_for(*, by: Person, team: Team, account: Account) -> QuerySet[IAMPolicy]:
    """The managed policies of the account that the person may hand out for the team."""
    policies = IAMPolicy.objects.present().filter(organization=team.organization, account=account)
    if access.reaches_beyond_envelopes(by=by, organization=team.organization):
        return policies
    return policies.filter(handing_envelopes__team=team)


def require_grants(
    *, by: Person, team: Team, account: Account, group_names: Collection[str], policy_arns: Collection[str] = ()
) -> None:
    """Return when a new IAM user of the team may have all of these groups and policies.

    What they carry is judged together, within the team's permissions boundary.

    :raises OutsideEnvelope: names the first that is not there or may not be handed out.
    """
    groups = set(groups_for(by=by, team=team, account=account).values_list("group_name", flat=True))
    for name in group_names:
        if name not in groups:
            raise OutsideEnvelope("groups", f"{name} is not a group of {account} that team {team} may hand out.")
    policies = set(policies_for(by=by, team=team, account=account).values_list("arn", flat=True))
    for arn in policy_arns:
        if arn not in policies:
            raise OutsideEnvelope("policies", f"{arn} is not a policy of {account} that team {team} may hand out.")
    wanted = group_names or policy_arns
    if wanted and not access.reaches_beyond_envelopes(by=by, organization=team.organization):
        nothing = Holding(account, boundary_arn=boundary_of(team, account))
        after = nothing.joining(*group_names).attaching(*policy_arns)
        _refuse_escalation("groups" if group_names else "policies", before=nothing.closure(), after=after.closure())


def require_groups_of_iam_user(*, by: Person, iam_user: IAMUser, group_names: Collection[str]) -> None:
    """Return when the person may put this IAM user into every one of the groups.

    :raises OutsideEnvelope: also for an IAM user without a team, unless the person stands above envelopes.
    """
    for name in group_names:
        if not groups_open_to(by=by, iam_user=iam_user).filter(group_name=name).exists():
            raise OutsideEnvelope("groups", f"{name} is not a group that you may hand out to {iam_user}.")
    if group_names:
        require_no_way_up(
            by=by,
            iam_user=iam_user,
            field="groups",
            change=lambda holding: holding.joining(*group_names),
            without=lambda holding: holding.leaving(*group_names),
        )


def require_policies_of_iam_user(*, by: Person, iam_user: IAMUser, policy_arns: Collection[str]) -> None:
    """Return when the person may attach every one of the policies to this IAM user.

    :raises OutsideEnvelope: also for a policy that is not there.
    """
    for arn in policy_arns:
        if not policies_open_to(by=by, iam_user=iam_user).filter(arn=arn).exists():
            raise OutsideEnvelope("policies", f"{arn} is not a policy that you may hand out to {iam_user}. {DECIDE}")
    if policy_arns:
        require_no_way_up(
            by=by,
            iam_user=iam_user,
            field="policies",
            change=lambda holding: holding.attaching(*policy_arns),
            without=lambda holding: holding.detaching(*policy_arns),
        )


def require_boundary_of_iam_user(*, by: Person, iam_user: IAMUser, policy_arn: str) -> None:
    """Return when the person may have this permissions boundary set; empty takes it away, which no lead may.

    :raises OutsideEnvelope: for a policy that is not there; for a lead, for any but the one that the team's must have.
    """
    if policy_arn and not IAMPolicy.objects.present().filter(account=iam_user.account, arn=policy_arn).exists():
        raise OutsideEnvelope("permissions_boundary", f"{policy_arn} is not a policy of {iam_user.account}.")
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    if not policy_arn or iam_user.team is None or policy_arn != boundary_of(iam_user.team, iam_user.account):
        message = "A lead may set the permissions boundary that the team must have, and no other."
        raise OutsideEnvelope("permissions_boundary", f"{message} An owner or admin can decide it.")
    require_no_way_up(
        by=by, iam_user=iam_user, field="permissions_boundary", change=lambda holding: holding.bound_by(policy_arn)
    )


def may_set_a_boundary(*, by: Person, iam_user: IAMUser) -> bool:
    """Whether there is a permissions boundary that the person may set, for a page that offers it."""
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return True
    return iam_user.team is not None and bool(boundary_of(iam_user.team, iam_user.account))


def require_path(*, by: Person, iam_user: IAMUser, path: str) -> None:
    """Return when the person may give this IAM user the path.

    :raises OutsideEnvelope: for a lead, when it lies outside the team's path.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    if iam_user.team is None or not is_inside_path(iam_user.team, path):
        inside = "" if iam_user.team is None else f" Your team's is {path_of(iam_user.team)}."
        raise OutsideEnvelope("path", f"That is outside your team's path.{inside} An owner or admin can decide it.")


def require_no_way_up(
    *,
    by: Person,
    iam_user: IAMUser,
    field: str,
    change: Callable[[Holding], Holding],
    without: Callable[[Holding], Holding] = lambda holding: holding,
) -> None:
    """Return when the change opens this IAM user no known way to more rights, or the person may decide that too.

    What AWS holds already and the person now says shall be so is compared with what would be `without` it.

    :raises OutsideEnvelope: at the field.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    for holding in closures.holdings_of(iam_user):
        _refuse_escalation(field, before=without(holding).closure(), after=change(holding).closure())


def _refuse_escalation(field: str, *, before: Closure, after: Closure) -> None:
    """A group in the envelope may have been given more since: what it carries counts, and not its name.

    :raises OutsideEnvelope: for administration, and for each known way to more rights that the change would open.
    """
    unread = sorted(set(after.unknown) - set(before.unknown))
    if unread:
        raise OutsideEnvelope(field, f"{unread[0]} could allow anything: {after.unknown[unread[0]]} {ASK}")
    ways = closures.opened(before=before, after=after)
    if ways:
        raise OutsideEnvelope(field, f"{ways[0]} {ASK}")


def groups_open_to(*, by: Person, iam_user: IAMUser) -> QuerySet[IAMGroup]:
    """The groups into which the person may put this IAM user."""
    if iam_user.team is not None:
        return groups_for(by=by, team=iam_user.team, account=iam_user.account)
    groups = IAMGroup.objects.present().filter(account=iam_user.account)
    return groups if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization) else groups.none()


def policies_open_to(*, by: Person, iam_user: IAMUser) -> QuerySet[IAMPolicy]:
    """The managed policies that the person may attach to this IAM user."""
    if iam_user.team is not None:
        return policies_for(by=by, team=iam_user.team, account=iam_user.account)
    policies = IAMPolicy.objects.present().filter(account=iam_user.account)
    return policies if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization) else policies.none()


def is_inside_path(team: Team, path: str) -> bool:
    """Whether the path is the team's or below it, and not that of another team below it."""
    return _is_inside_own(path_of(team), team, path)


def _is_inside_own(own: str, team: Team, path: str) -> bool:
    others = Envelope.objects.filter(organization=team.organization_id).exclude(team=team)
    below = others.filter(path__startswith=own).exclude(path=own).values_list("path", flat=True)
    return path.startswith(own) and not any(path.startswith(other) for other in below)


def path_of(team: Team) -> str:
    """The path under which the team's IAM users are made; `/` where no envelope says another."""
    return Envelope.objects.filter(team=team).values_list("path", flat=True).first() or "/"


def boundary_of(team: Team, account: Account) -> str:
    """The ARN of the permissions boundary that the team's IAM users in the account must have, or nothing.

    The envelope names a policy of one account; in the others it is the one of the same path and name, and where there
    is none AWS refuses.
    """
    envelope = Envelope.objects.filter(team=team).select_related("permissions_boundary").first()
    return _boundary_in(envelope.permissions_boundary if envelope else None, account)


def _boundary_in(named: IAMPolicy | None, account: Account) -> str:
    return arns.in_account(named.arn, account_id=account.account_id) if named else ""


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
    elif attribute == "attached_policy_arns":
        require_policies_of_iam_user(by=by, iam_user=iam_user, policy_arns=sorted(set(after) - set(before)))
    elif attribute == "tags":
        _require_tags_kept(iam_user, before, after)
    elif not _is_inside(iam_user, attribute, before, after):
        raise OutsideEnvelope(
            "__all__", f"{iam_user}: this is more than you may hand out. An owner or admin can decide it."
        )


def _require_tags_kept(iam_user: IAMUser, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """As `limits.require_tags`, but what lacked a tag before may go on lacking it."""
    for rule in [] if iam_user.team is None else tag_rules_of(iam_user.team):
        if rule.is_kept_by(before) and not rule.is_kept_by(after):
            raise OutsideEnvelope("__all__", f"{iam_user} would lose the tag {rule}, which its team's IAM users bear.")


def _is_inside(iam_user: IAMUser, attribute: str, before: Any, after: Any) -> bool:
    team = iam_user.team
    if attribute == "inline_policies":
        return all(before.get(name) == document for name, document in after.items())
    if attribute == "path":
        return team is not None and is_inside_path(team, after)
    if attribute == "permissions_boundary_arn":
        # A first boundary only ever takes away; the team's own is what the envelope asks for.
        return not before or (team is not None and after != "" and after == boundary_of(team, iam_user.account))
    return True


def require_frame(*, by: Person, team: Team, account: Account, path: str, permissions_boundary_arn: str) -> None:
    """Return when the person may have an IAM user made for the team under this path and boundary.

    :raises OutsideEnvelope: when they are not those that the team's IAM users are made with.
    """
    is_the_teams = (path, permissions_boundary_arn) == (path_of(team), boundary_of(team, account))
    if not is_the_teams and not access.reaches_beyond_envelopes(by=by, organization=team.organization):
        raise OutsideEnvelope(
            "__all__", "Its path or permissions boundary is not your team's. An owner or admin can decide it."
        )


@dataclass(frozen=True)
class Outside:
    """What an IAM user has that its team's envelope does not hold; an admin gave it, or it came with another team."""

    group_names: frozenset[str] = frozenset()
    policy_arns: frozenset[str] = frozenset()
    account: bool = False
    path: bool = False
    boundary: bool = False


def outside(iam_user: IAMUser) -> Outside:
    """What of an IAM user lies outside the envelope of its team; nothing where there is no team or no envelope."""
    envelopes = Envelope.objects.filter(team=iam_user.team_id).select_related("team", "permissions_boundary")
    envelope = envelopes.first()
    if envelope is None:
        return Outside()
    boundary = _boundary_in(envelope.permissions_boundary, iam_user.account)
    groups = iam_user.group_memberships.exclude(iam_group__in=envelope.groups.all())
    policies = envelope.policies.filter(account=iam_user.account).values_list("arn", flat=True)
    return Outside(
        group_names=frozenset(groups.values_list("iam_group__group_name", flat=True)),
        policy_arns=frozenset(iam_user.attached_policy_arns) - frozenset(policies),
        account=not envelope.accounts.filter(pk=iam_user.account_id).exists(),
        path=not _is_inside_own(envelope.path, envelope.team, iam_user.path),
        boundary=bool(boundary) and boundary != iam_user.permissions_boundary_arn,
    )


def require_within(*, by: Person, iam_user: IAMUser) -> None:
    """Return when all that the IAM user can do, now and by what is on its way, is the team's to hand out.

    Whoever holds its password or key does what it can do: without this a lead would reach, by having one sealed for
    themselves, what an admin gave to one IAM user. Owners and admins stand above.

    :raises OutsideEnvelope: names the first thing that is not.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    envelopes = Envelope.objects.select_related("permissions_boundary")
    envelope = envelopes.filter(team=iam_user.team_id, accounts=iam_user.account_id).first()
    if envelope is None:
        raise OutsideEnvelope(
            "__all__", f"Your team has no access to {iam_user.account}. An owner or admin can add it."
        )
    for attributes in as_it_becomes(iam_user):
        for breach in _beyond(envelope, iam_user.account, attributes):
            raise OutsideEnvelope("__all__", f"{iam_user}: {breach} {ASK}")


def require_fits(*, by: Person, iam_user: IAMUser, team: Team) -> None:
    """Return when the person may have the IAM user become this team's: it could have been made there as it is.

    By its account, path, tags and boundary, and by all that it can do, now and by what is on its way: else whoever
    leads two teams would reach by one what only the other may have.

    :raises OutsideEnvelope: at the team; names the first thing that the team may not have.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    envelope = Envelope.objects.filter(team=team, accounts=iam_user.account_id).first()
    if envelope is None:
        raise OutsideEnvelope("team", f"Team {team} has no access to {iam_user.account}. {REQUEST}")
    for attributes in as_it_becomes(iam_user):
        for breach in (*_out_of_frame(team, attributes), *_beyond(envelope, iam_user.account, attributes)):
            raise OutsideEnvelope("team", f"{iam_user} does not fit team {team}: {breach} {REQUEST}")


def require_tags_that_name(*, by: Person, iam_user: IAMUser, keys: Collection[str]) -> None:
    """Return when the person may change these tags, although the next import may read from them whose it is.

    :raises OutsideEnvelope: at the tags, for a lead: for the tag of the team, and for the owner's as `require_within`.
    """
    if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
        return
    named, hand = {key.lower() for key in keys}, IAMUser.SaidBy.HAND
    if iam_user.organization.team_tag.lower() in named and iam_user.team_said_by != hand:
        raise OutsideEnvelope("tags", f"The tag {iam_user.organization.team_tag} says which team it is of. {DECIDE}")
    if iam_user.organization.owner_tag.lower() in named and iam_user.owner_said_by != hand:
        require_within(by=by, iam_user=iam_user)


def _out_of_frame(team: Team, attributes: Attributes) -> Iterator[str]:
    """What the team's IAM users are made with and this one is not, as sentences."""
    if not is_inside_path(team, attributes.path):
        yield f"its path is {attributes.path}, and the team's {path_of(team)}."
    yield from (f"it lacks the tag {rule}." for rule in tag_rules_of(team) if not rule.is_kept_by(attributes.tags))


def _beyond(envelope: Envelope, account: Account, attributes: Attributes) -> Iterator[str]:
    """What of it the envelope does not hold, as sentences."""
    boundary = _boundary_in(envelope.permissions_boundary, account)
    if attributes.group_names:
        groups = IAMGroup.objects.present().filter(envelopes=envelope, account=account)
        names = {name.lower() for name in groups.values_list("group_name", flat=True)}
        outside = (name for name in attributes.group_names if name.lower() not in names)
        yield from (f"it is in {name}, or on its way there." for name in outside)
    if attributes.attached_policy_arns:
        policies = set(envelope.policies.filter(account=account).values_list("arn", flat=True))
        yield from (f"{arn} is attached to it." for arn in sorted(set(attributes.attached_policy_arns) - policies))
    yield from (f"it has an inline policy, {name}." for name in attributes.inline_policies)
    if boundary and attributes.permissions_boundary_arn != boundary:
        yield "its permissions boundary is not the team's."
    closure = Holding.of(account, attributes).closure()
    yield from (f"{name} could allow anything: {why}." for name, why in closure.unknown.items())
    yield from map(str, escalations(closure))
