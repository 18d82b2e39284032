"""Who may ask for what: of each kind of request, what cannot be asked for, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError

from accounts import access, arns, envelope, limits
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.limits import OutsideEnvelope
from accounts.models import Account, Envelope, IAMGroup, IAMPolicy, IAMUser, Membership, Organization, Person, Team
from accounts.models.iam_user_record import as_decided, is_in_for_good
from accounts.usecases import envelopes, group_grants, memberships
from accounts.usecases.envelopes import Content
from accounts.usecases.granted import is_granted
from accounts.usecases.iam_users_changes import PATH_FORM
from accounts.usecases.records import about, about_iam_user
from accounts.usecases.standing import ALREADY_IN, check_addition, check_open
from portal.ledger.record import Subject

MAY_DECIDE = "You may decide this yourself: nobody else needs to."


@dataclass(frozen=True)
class Asked:
    """What somebody asks for: about what, in which account, for which team; after `latest` it makes no sense."""

    organization: Organization
    subject: Subject
    change: Mapping[str, object]
    account: Account | None = None
    team: Team | None = None
    latest: datetime | None = None


def _require_open(by: Person, iam_user: IAMUser, what: str) -> None:
    """Held by the lock on its row; what is not in AWS has no unique id yet, to which an approval is bound."""
    access.require_on_iam_user(by=by, to=Permission.MAKE_REQUEST, iam_user=iam_user)
    check_open(iam_user)
    if not iam_user.is_in_aws:
        raise ValidationError(f"It is not in AWS yet: ask for {what} once it is.")


def _refuse_own_decision(by: Person, iam_user: IAMUser, to: Permission, field: str, ask: Callable[[], None]) -> None:
    """What the person's duty and the envelope allow needs nobody else: `ask` asks the envelope."""
    if not access.may(by=by, to=to, organization=iam_user.organization, team=iam_user.team):
        return
    try:
        ask()
    except OutsideEnvelope:
        return
    raise ValidationError({field: MAY_DECIDE})


def _about(iam_user: IAMUser, change: Mapping[str, object], *, latest: datetime | None = None) -> Asked:
    return Asked(
        organization=iam_user.organization,
        subject=about_iam_user(iam_user),
        change=change,
        account=iam_user.account,
        team=iam_user.team,
        latest=latest,
    )


def _ask_to_add(by: Person, iam_user: IAMUser, change: Mapping[str, Any], at: datetime) -> Asked:
    """To be added to a group outside the envelope; `change` is its name, and until when or nothing."""
    group_name, until = change["group"], change["until"]
    _require_open(by, iam_user, "the group")
    if until is not None:
        group_grants.check_until(until, at=at)
    if not IAMGroup.objects.present().filter(account=iam_user.account, group_name=group_name).exists():
        raise ValidationError({"groups": f"{iam_user.account} has no group of the name {group_name}."})
    _refuse_what_is_there(iam_user, group_name)
    ask = partial(envelope.require_groups_of_iam_user, by=by, iam_user=iam_user, group_names=[group_name])
    _refuse_own_decision(by, iam_user, Permission.CHANGE_GROUPS, "groups", ask)
    asked = {"group": group_name, "until": until.isoformat() if until is not None else ""}
    return _about(iam_user, asked, latest=until)


def _refuse_what_is_there(iam_user: IAMUser, group_name: str) -> None:
    is_there = check_addition(iam_user, group_name)
    if is_there and (not is_granted(iam_user, group_name) or is_in_for_good(iam_user, group_name)):
        raise ValidationError({"groups": ALREADY_IN.format(iam_user=iam_user, group=group_name)})


def _ask_to_attach(by: Person, iam_user: IAMUser, change: Mapping[str, Any], _at: datetime) -> Asked:
    """To have a managed policy outside the envelope attached; `change` is its ARN."""
    policy_arn = change["policy"]
    _require_open(by, iam_user, "the policy")
    if not IAMPolicy.objects.present().filter(account=iam_user.account, arn=policy_arn).exists():
        raise ValidationError({"policies": f"{iam_user.account} has no policy {policy_arn}."})
    if policy_arn in as_decided(iam_user).attached_policy_arns:
        raise ValidationError({"policies": f"It is attached to {iam_user} already, or on its way."})
    ask = partial(envelope.require_policies_of_iam_user, by=by, iam_user=iam_user, policy_arns=[policy_arn])
    _refuse_own_decision(by, iam_user, Permission.CHANGE_POLICIES, "policies", ask)
    return _about(iam_user, {"policy": policy_arn})


def _ask_for_boundary(by: Person, iam_user: IAMUser, change: Mapping[str, Any], _at: datetime) -> Asked:
    """To have a permissions boundary that a lead may not set; `change` is its ARN, empty for none."""
    policy_arn = change["permissions_boundary"]
    _require_open(by, iam_user, "the permissions boundary")
    policies = IAMPolicy.objects.present().filter(account=iam_user.account, arn=policy_arn)
    if policy_arn and not policies.exists():
        raise ValidationError({"permissions_boundary": f"{iam_user.account} has no policy {policy_arn}."})
    before = as_decided(iam_user).permissions_boundary_arn
    if policy_arn == before:
        words = "That is its permissions boundary, or will be." if before else "It has no permissions boundary."
        raise ValidationError({"permissions_boundary": words})
    ask = partial(envelope.require_boundary_of_iam_user, by=by, iam_user=iam_user, policy_arn=policy_arn)
    _refuse_own_decision(by, iam_user, Permission.CHANGE_BOUNDARY, "permissions_boundary", ask)
    return _about(iam_user, {"permissions_boundary": policy_arn, "before": before})


def _ask_for_path(by: Person, iam_user: IAMUser, change: Mapping[str, Any], _at: datetime) -> Asked:
    """To be under a path that is not the team's; `change` is the path."""
    path = change["path"]
    _require_open(by, iam_user, "the path")
    if not arns.PATH.fullmatch(path):
        raise ValidationError({"path": PATH_FORM})
    before = as_decided(iam_user).path
    if path == before:
        raise ValidationError({"path": "That is its path, or will be."})
    ask = partial(envelope.require_path, by=by, iam_user=iam_user, path=path)
    _refuse_own_decision(by, iam_user, Permission.CHANGE_IAM_USER, "path", ask)
    return _about(iam_user, {"path": path, "before": before})


def _ask_to_move(by: Person, iam_user: IAMUser, change: Mapping[str, Any], _at: datetime) -> Asked:
    """To be another team's; `change` is that team, whether the person leads it or not."""
    team = change["team"]
    _require_open(by, iam_user, "the move")
    if team.organization_id != iam_user.organization_id:
        raise access.NotThere
    if team == iam_user.team:
        raise ValidationError({"team": f"It is an IAM user of team {team} already."})
    # Who does not lead the other team may not move anything there, whatever fits.
    if access.may(by=by, to=Permission.ASSIGN_IAM_USER, organization=team.organization, team=team):
        _refuse_own_decision(by, iam_user, Permission.ASSIGN_IAM_USER, "team", partial(_fit, by, iam_user, team))
    return _about(iam_user, {"to_team": str(team.pk), "to": team.name, "from": str(iam_user.team or "")})


def _fit(by: Person, iam_user: IAMUser, team: Team) -> None:
    limits.require_room(by=by, team=team)
    envelope.require_fits(by=by, iam_user=iam_user, team=team)


def _ask_for_duty(by: Person, membership: Membership, change: Mapping[str, Any], _at: datetime) -> Asked:
    """That somebody shall have one more duty; `membership` is one that they have, `change` the duty and its team."""
    organization, person, team = membership.organization, membership.person, change["team"]
    if not Membership.objects.visible_to(by).active().filter(pk=membership.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.MAKE_REQUEST, organization=organization, team=team)
    memberships.lock(organization)
    if access.may(by=by, to=Permission.CHANGE_DUTIES, organization=organization):
        raise ValidationError(MAY_DECIDE)
    if by == person:
        raise ValidationError("Nobody asks for a duty of their own: somebody else can.")
    memberships.check_duty(organization=organization, duty=change["duty"], team=team)
    duties = Membership.objects.active().of(person).in_organization(organization)
    if duties.filter(duty=change["duty"], team=team).exists():
        raise ValidationError({"duty": f"{person} has this duty already."})
    details = {"duty": str(change["duty"]), "team": "" if team is None else str(team.pk)}
    return Asked(organization=organization, subject=about(person), change=details, team=team)


def _ask_for_envelope(by: Person, team: Team, change: Mapping[str, Any], _at: datetime) -> Asked:
    """That a team's envelope shall say something else: `content`, which they chose looking at its `version`."""
    content: Content = change["content"]
    if not Team.objects.visible_to(by).filter(pk=team.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.MAKE_REQUEST, organization=team.organization, team=team)
    if access.may(by=by, to=Permission.CHANGE_ENVELOPE, organization=team.organization):
        raise ValidationError(MAY_DECIDE)
    # Locked, so that a form that is sent twice makes one request.
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    own = Envelope.objects.filter(team=team).select_related("permissions_boundary").first()
    envelopes.check(team=team, content=content)
    before = envelopes.check_change(envelope=own, content=content, version=change["version"])
    version = envelopes.FIRST_VERSION if own is None else own.version
    asked = {"content": content.told(), "version": version, **envelopes.differences(before=before, after=content)}
    return Asked(organization=team.organization, subject=about(team), change=asked, team=team)


ASKED: dict[Kind, Callable[[Person, Any, Mapping[str, Any], datetime], Asked]] = {
    Kind.IAM_USER_ADDED_TO_GROUP: _ask_to_add,
    Kind.IAM_USER_POLICY_ATTACHED: _ask_to_attach,
    Kind.IAM_USER_BOUNDARY_CHANGED: _ask_for_boundary,
    Kind.IAM_USER_PATH_CHANGED: _ask_for_path,
    Kind.IAM_USER_ASSIGNED: _ask_to_move,
    Kind.MEMBERSHIP_GRANTED: _ask_for_duty,
    Kind.ENVELOPE_CHANGED: _ask_for_envelope,
}
