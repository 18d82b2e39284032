"""Who may do what to which account, IAM user, key: the only place that decides.

A permission reads `app:thing:verb`. A person has it in an organization through the duty of a membership; a lead's
reaches as far as their team. What a person may not see does not exist for them: NotThere, which pages show as 404.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404

from accounts.models import Account, Duty, IAMUser, Membership, Offboarding, Organization, Person, Team


class Permission(StrEnum):
    """Everything that can be allowed."""

    VIEW_ORGANIZATION = "accounts:organization:view"
    VIEW_IAM_USERS = "accounts:iam_user:view"
    CREATE_IAM_USER = "accounts:iam_user:create"
    TAG_IAM_USER = "accounts:iam_user:tag"
    CHANGE_GROUPS = "accounts:iam_user:change_groups"
    DELETE_IAM_USER = "accounts:iam_user:delete"
    ASSIGN_IAM_USER = "accounts:iam_user:assign"
    CHANGE_OWNERSHIP = "accounts:ownership:change"
    CHANGE_CONSOLE_ACCESS = "accounts:iam_user:change_console_access"
    CREATE_ACCESS_KEY = "accounts:iam_user:create_access_key"
    CHANGE_ACCESS_KEYS = "accounts:iam_user:change_access_keys"
    DECIDE_DRIFT = "accounts:drift:decide"
    VIEW_ACCOUNTS = "accounts:account:view"
    CONNECT_ACCOUNT = "accounts:account:connect"
    REFRESH_ACCOUNT = "accounts:account:refresh"
    KEEP_BOUNDARY = "accounts:boundary:keep"
    CHANGE_BOUNDARY_POLICY = "accounts:boundary:change"
    VIEW_LEDGER = "ledger:entry:view"
    EXPORT_LEDGER = "ledger:entry:export"
    VIEW_DELIVERIES = "ledger:delivery:view"
    CHANGE_DELIVERIES = "ledger:delivery:change"
    VIEW_PEOPLE = "accounts:person:view"
    INVITE_PERSON = "accounts:person:invite"
    CHANGE_DUTIES = "accounts:membership:change"
    CHANGE_TEAMS = "accounts:team:change"
    CHANGE_ENVELOPE = "accounts:envelope:change"
    CHANGE_IAM_USER = "accounts:iam_user:change"
    CHANGE_POLICIES = "accounts:iam_user:change_policies"
    CHANGE_BOUNDARY = "accounts:iam_user:change_boundary"
    EXPORT_IAM_USERS = "accounts:iam_user:export"
    OFFBOARD_PERSON = "accounts:person:offboard"
    MAKE_REQUEST = "accounts:request:make"
    VIEW_REQUESTS = "accounts:request:view"
    DECIDE_REQUEST = "accounts:request:decide"
    CHANGE_ROTATION_RULE = "accounts:rotation_rule:change"


_VIEW = {
    Permission.VIEW_ORGANIZATION,
    Permission.VIEW_IAM_USERS,
    Permission.VIEW_ACCOUNTS,
    Permission.VIEW_PEOPLE,
}
_MANAGE_IAM_USERS = {
    Permission.CREATE_IAM_USER,
    Permission.TAG_IAM_USER,
    Permission.CHANGE_GROUPS,
    Permission.DELETE_IAM_USER,
    Permission.ASSIGN_IAM_USER,
    Permission.CHANGE_CONSOLE_ACCESS,
    Permission.CREATE_ACCESS_KEY,
    Permission.CHANGE_ACCESS_KEYS,
    Permission.DECIDE_DRIFT,
    Permission.CHANGE_IAM_USER,
    Permission.CHANGE_POLICIES,
    Permission.CHANGE_BOUNDARY,
    Permission.MAKE_REQUEST,
    Permission.VIEW_REQUESTS,
}
_RECORDS = {Permission.VIEW_LEDGER, Permission.EXPORT_LEDGER, Permission.VIEW_DELIVERIES}
# What leads may do for their own team besides.
_OF_LEADS_TOO = {Permission.INVITE_PERSON, Permission.EXPORT_IAM_USERS, Permission.OFFBOARD_PERSON}
# What decides who may do what, or widens what a whole team may have: nobody but the owner changes it alone.
_OWNERS_ALONE = {Permission.CHANGE_DUTIES, Permission.CHANGE_ENVELOPE, Permission.CHANGE_BOUNDARY_POLICY}

GRANTS: dict[Duty, frozenset[Permission]] = {
    Duty.OWNER: frozenset(Permission),
    Duty.ADMIN: frozenset(Permission) - _OWNERS_ALONE,
    Duty.LEAD: frozenset(_VIEW | _MANAGE_IAM_USERS | _OF_LEADS_TOO),
    Duty.HELPDESK: frozenset(_VIEW),
    Duty.AUDITOR: frozenset(_VIEW | _RECORDS | {Permission.EXPORT_IAM_USERS, Permission.VIEW_REQUESTS}),
    Duty.MEMBER: frozenset({Permission.VIEW_IAM_USERS}),
}

# A lead's duty reaches as far as the team; the others reach through the organization.
OF_A_TEAM = frozenset({Duty.LEAD})
# Nobody touches somebody of higher rank; duties without one are the same.
RANKS = {Duty.OWNER: 2, Duty.ADMIN: 1}

Row = TypeVar("Row", bound=models.Model)


class NotThere(Http404):
    """It does not exist for this person: another organization's, another team's, or nobody's."""


class NotAllowed(PermissionDenied):
    """The person sees the thing and has no duty that allows this; pages show it as 403.

    :ivar permission: what was missing.
    """

    def __init__(self, permission: Permission) -> None:
        super().__init__("Your duty does not include this. Ask an owner or an admin of your organization.")
        self.permission = permission


def require(*, by: Person, to: Permission, organization: Organization, team: Team | None = None) -> None:
    """Return when the person may do this there.

    :raises NotThere: when the person does not belong to the organization.
    :raises NotAllowed: when none of their duties there allows it.
    """
    if not by.active_duties_in(organization):
        raise NotThere
    if not may(by=by, to=to, organization=organization, team=team):
        raise NotAllowed(to)


def require_anywhere(*, by: Person, to: Permission, organization: Organization) -> None:
    """Return when the person may do this for at least one team: for pages whose rows are narrowed further.

    :raises NotAllowed: when no duty of theirs allows it anywhere.
    """
    if not may_anywhere(by=by, to=to, organization=organization):
        raise NotAllowed(to)


def require_on_iam_user(*, by: Person, to: Permission, iam_user: IAMUser) -> None:
    """Return when the person may do this to this IAM user.

    :raises NotThere: when they do not see it.
    :raises NotAllowed: when they see it and may not do this to it.
    """
    if not IAMUser.objects.visible_to(by).filter(pk=iam_user.pk).exists():
        raise NotThere
    require(by=by, to=to, organization=iam_user.organization, team=iam_user.team)


def require_to_offboard(*, by: Person, organization: Organization, person: Person) -> None:
    """Return when the person who decides may have the other one leave the organization.

    :raises NotThere: when they see no duty there that the other one has or had.
    :raises NotAllowed: for themselves, for somebody of higher rank, and for a lead of whoever is more than a member of
        a team of theirs.
    """
    if (
        not by.active_duties_in(organization)
        or not Membership.objects.visible_to(by).in_organization(organization).of(person).exists()
    ):
        raise NotThere
    if not may_offboard(by=by, organization=organization, person=person):
        raise NotAllowed(Permission.OFFBOARD_PERSON)


def require_on_offboarding(*, by: Person, offboarding: Offboarding) -> None:
    """Return when the person may have what this offboarding took given back, or read.

    :raises NotThere: when they do not see it.
    :raises NotAllowed: as for having them leave, by the duties that they had.
    """
    if not Offboarding.objects.visible_to(by).filter(pk=offboarding.pk).exists():
        raise NotThere
    duties = [*offboarding.memberships.all(), *_duties(offboarding.person, offboarding.organization)]
    if not _stands_above(by, offboarding.organization, offboarding.person, duties):
        raise NotAllowed(Permission.OFFBOARD_PERSON)


def require_on_own_or(*, by: Person, to: Permission, iam_user: IAMUser) -> None:
    """Return for the owner of this IAM user, and for whoever may do this to it.

    :raises NotThere: :raises NotAllowed: as for `require_on_iam_user`.
    """
    is_own = iam_user.owner_id == by.pk and by.belongs_to(iam_user.organization)
    if not is_own:
        require_on_iam_user(by=by, to=to, iam_user=iam_user)


def require_own(*, by: Person, iam_user: IAMUser) -> None:
    """Return for the owner of this IAM user alone: what is done here would be somebody else's with any other.

    :raises NotThere: when they do not see it.
    :raises NotAllowed: when they see it, whatever their duties.
    """
    if iam_user.owner_id == by.pk and by.belongs_to(iam_user.organization):
        return
    if not IAMUser.objects.visible_to(by).filter(pk=iam_user.pk).exists():
        raise NotThere
    raise NotAllowed(Permission.CHANGE_CONSOLE_ACCESS)


def require_operator(*, by: Person | None) -> None:
    """Return for whoever runs commands on the server, who is no person of the portal.

    :raises NotThere: for everybody else: no duty reaches beyond an organization.
    """
    if by is not None:
        raise NotThere


def may(*, by: Person, to: Permission, organization: Organization, team: Team | None = None) -> bool:
    """Whether a duty of the person allows it there; without a team, a lead's duty does not count."""
    return any(
        to in GRANTS[Duty(membership.duty)] and (membership.duty not in OF_A_TEAM or membership.team_id == _id(team))
        for membership in by.active_duties_in(organization)
    )


def may_offboard(*, by: Person, organization: Organization, person: Person) -> bool:
    """Whether a duty of theirs allows it, and the other one does not stand above them."""
    return _stands_above(by, organization, person, list(_duties(person, organization)))


def may_anywhere(*, by: Person, to: Permission, organization: Organization) -> bool:
    """Whether they may do it for at least one team: what decides whether a page offers it at all."""
    return to in permissions_in(by=by, organization=organization)


def teams_for(*, by: Person, to: Permission, organization: Organization) -> models.QuerySet[Team]:
    """The teams for which the person may do it."""
    able = [membership for membership in by.active_duties_in(organization) if to in GRANTS[Duty(membership.duty)]]
    teams = Team.objects.filter(organization=organization)
    if any(membership.duty not in OF_A_TEAM for membership in able):
        return teams
    return teams.filter(pk__in=[membership.team_id for membership in able])


def accounts_for(*, by: Person, team: Team) -> models.QuerySet[Account]:
    """The AWS accounts in which the person may act for this team."""
    accounts = Account.objects.filter(organization=team.organization)
    if reaches_beyond_envelopes(by=by, organization=team.organization):
        return accounts
    return accounts.filter(envelopes__team=team)


def owners_open_to(*, by: Person, organization: Organization, teams: Iterable[Team]) -> models.QuerySet[Person]:
    """Whom the person may make the owner of IAM users of all these teams: a lead's own people, else anybody here."""
    people = Person.objects.members_of(organization)
    if may(by=by, to=Permission.ASSIGN_IAM_USER, organization=organization):
        return people
    for team in teams:
        members = Membership.objects.active().in_organization(organization).filter(team=team)
        people = people.filter(pk__in=members.values("person"))
    return people


def owners_open_to_any(*, by: Person, organization: Organization, teams: Iterable[Team]) -> models.QuerySet[Person]:
    """Whom the person may make the owner of IAM users of one of these teams or another."""
    people = Person.objects.members_of(organization)
    if may(by=by, to=Permission.ASSIGN_IAM_USER, organization=organization):
        return people
    members = Membership.objects.active().in_organization(organization).filter(team__in=teams)
    return people.filter(pk__in=members.values("person"))


def duties_open_to(*, by: Person, organization: Organization) -> list[Duty]:
    """The duties with which the person may invite somebody: none above their own."""
    if may(by=by, to=Permission.CHANGE_DUTIES, organization=organization):
        return list(Duty)
    return [Duty.MEMBER] if may_anywhere(by=by, to=Permission.INVITE_PERSON, organization=organization) else []


def reaches_beyond_envelopes(*, by: Person, organization: Organization) -> bool:
    """Owners and admins are not held by a team's envelope: they set it."""
    return any(membership.duty in (Duty.OWNER, Duty.ADMIN) for membership in by.active_duties_in(organization))


def permissions_in(*, by: Person, organization: Organization) -> frozenset[Permission]:
    """All that a duty of theirs allows them for at least one team of the organization."""
    return frozenset().union(*(GRANTS[Duty(membership.duty)] for membership in by.active_duties_in(organization)))


def permissions_anywhere(person: Person) -> frozenset[Permission]:
    """All that a duty of theirs allows them in at least one place."""
    return frozenset().union(*(GRANTS[Duty(membership.duty)] for membership in person.active_duties()))


def organizations_where(*, by: Person, to: Permission) -> models.QuerySet[Organization]:
    """The organizations in which a duty of the person's allows it, for all of it or for a team."""
    able = [duty for duty in Duty if to in GRANTS[duty]]
    memberships = Membership.objects.active().of(by).filter(duty__in=able)
    return Organization.objects.filter(pk__in=memberships.values("organization"))


def may_enter_records_room(person: Person | AnonymousUser) -> bool:
    """Whether they have any duty beyond being a member."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    return any(membership.duty != Duty.MEMBER for membership in person.active_duties())


def _duties(person: Person, organization: Organization) -> models.QuerySet[Membership]:
    """Those that have not ended, of whoever is disabled too: their keys are not."""
    return Membership.objects.of(person).in_organization(organization).filter(ended_at__isnull=True)


def _stands_above(by: Person, organization: Organization, person: Person, duties: Collection[Membership]) -> bool:
    if by == person:
        return False
    if may(by=by, to=Permission.OFFBOARD_PERSON, organization=organization):
        return _rank(by.active_duties_in(organization)) >= _rank(duties)
    led = set(teams_for(by=by, to=Permission.OFFBOARD_PERSON, organization=organization).values_list("pk", flat=True))
    return bool(duties) and all(one.duty == Duty.MEMBER and one.team_id in led for one in duties)


def _rank(memberships: Iterable[Membership]) -> int:
    return max((RANKS.get(Duty(membership.duty), 0) for membership in memberships), default=0)


def _id(row: models.Model | None) -> int | None:
    return None if row is None else row.pk
