"""Deciding who has which duty in an organization."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Duty, Membership, Organization, Person, Team
from accounts.models.membership import MembershipQuerySet
from accounts.usecases.records import about
from portal.ledger.record import record

# Duties that may be for a team; the others reach through the organization.
MAY_HAVE_A_TEAM = frozenset({Duty.LEAD, Duty.MEMBER})


@transaction.atomic
def grant_duty(
    *,
    by: Person,
    organization: Organization,
    person: Person,
    duty: str,
    at: datetime,
    team: Team | None = None,
    reason: str = "",
) -> Membership:
    """Give somebody who belongs to the organization one more duty in it.

    :raises access.NotThere: also for somebody who does not belong to it, or a team of another organization.
    :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for oneself, for a duty that they have, or one that does not go with the team.
    """
    access.require(by=by, to=Permission.CHANGE_DUTIES, organization=organization)
    lock(organization)
    if by == person:
        raise ValidationError("Nobody gives themselves a duty: another owner can.")
    if not person.belongs_to(organization):
        raise access.NotThere
    membership = give(organization=organization, person=person, duty=duty, team=team, at=at)
    _record(Kind.MEMBERSHIP_GRANTED, membership, by=by, reason=reason, at=at)
    return membership


@transaction.atomic
def end_membership(*, by: Person, membership: Membership, at: datetime, reason: str = "") -> Membership:
    """Take one duty from somebody. It counts at their next request: what they may is read from the rows each time.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it has ended already, or the organization would be left without an owner.
    """
    if not Membership.objects.visible_to(by).filter(pk=membership.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CHANGE_DUTIES, organization=membership.organization)
    end(membership=membership, by=by, reason=reason, at=at)
    return membership


def give(
    *, organization: Organization, person: Person, duty: str, at: datetime, team: Team | None = None
) -> Membership:
    """Save a membership, inside a use-case that has asked whether it may be and records it.

    :raises access.NotThere: for a team of another organization. :raises ValidationError: by field.
    """
    check_duty(organization=organization, duty=duty, team=team)
    membership = Membership(organization=organization, person=person, duty=duty, team=team, created_at=at)
    membership.full_clean(exclude=["organization", "person"])
    membership.validate_constraints()
    membership.save(force_insert=True)
    return membership


def end(*, membership: Membership, by: Person, reason: str, at: datetime) -> None:
    """End a membership, inside a use-case that has asked whether it may be.

    :raises ValidationError: as for `end_membership`.
    """
    lock(membership.organization)
    membership.refresh_from_db()
    if membership.ended_at is not None:
        raise ValidationError("This duty has ended already.")
    if membership.duty == Duty.OWNER and not _other_owners(membership).exists():
        raise ValidationError(
            f"{membership.person} is the last owner of {membership.organization}. Make somebody else an owner first."
        )
    membership.ended_at = at
    membership.save(update_fields=["ended_at"])
    _record(Kind.MEMBERSHIP_ENDED, membership, by=by, reason=reason, at=at)


def check_duty(*, organization: Organization, duty: str, team: Team | None) -> None:
    """Return when a membership there may have this duty with this team.

    :raises access.NotThere: for a team of another organization. :raises ValidationError: by field.
    """
    if team is not None and team.organization_id != organization.pk:
        raise access.NotThere
    if duty not in Duty.values:
        raise ValidationError({"duty": "Choose one of the duties."})
    if duty == Duty.LEAD and team is None:
        raise ValidationError({"team": "A lead leads a team: choose one."})
    if team is not None and duty not in MAY_HAVE_A_TEAM:
        raise ValidationError({"team": f"{Duty(duty).label} is a duty for the whole organization: choose no team."})


def lock(organization: Organization) -> None:
    """Let one at a time change who belongs to the organization: of its last two owners, each may end the other."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def in_words(duty: str, team: Team | None) -> str:
    """`Lead of Payments`, or `Admin`."""
    return Duty(duty).label if team is None else f"{Duty(duty).label} of {team}"


def _other_owners(membership: Membership) -> MembershipQuerySet:
    owners = Membership.objects.active().in_organization(membership.organization_id).filter(duty=Duty.OWNER)
    return owners.exclude(pk=membership.pk)


def _record(kind: Kind, membership: Membership, *, by: Person, reason: str, at: datetime) -> None:
    team = membership.team
    record(
        organization=membership.organization,
        kind=kind,
        by=by,
        subject=about(membership.person),
        at=at,
        reason=reason,
        details={
            "e-mail": membership.person.email,
            "duty": membership.duty,
            "team": "" if team is None else team.name,
        },
    )
