"""Deciding which teams there are."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Envelope, Organization, Person, Team
from accounts.usecases import memberships
from accounts.usecases.names import checked_name
from accounts.usecases.records import about
from portal.ledger.record import record

NAME_LENGTH = 120
SLUG_LENGTH = 60


@transaction.atomic
def create_team(*, by: Person, organization: Organization, name: str, at: datetime, reason: str = "") -> Team:
    """Make a team. Its envelope has a path of its own and nothing else: until an owner changes it, it gives nothing.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: at the name, for none, or one that a team has, upper and lower case being the same.
    """
    access.require(by=by, to=Permission.CHANGE_TEAMS, organization=organization)
    memberships.lock(organization)
    name = _checked(name, organization)
    team = Team.objects.create(organization=organization, name=name, slug=_free_slug(name, organization))
    Envelope.objects.create(organization=organization, team=team, path=f"/portal/{organization.slug}/{team.slug}/")
    record(
        organization=organization,
        kind=Kind.TEAM_CREATED,
        by=by,
        subject=about(team),
        at=at,
        reason=reason,
        details={"name": name},
    )
    return team


@transaction.atomic
def rename_team(*, by: Person, team: Team, name: str, at: datetime, reason: str = "") -> Team:
    """Call a team something else. The path of its IAM users stays as it is.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: at the name, as for a new one, or when it is its name already.
    """
    access.require(by=by, to=Permission.CHANGE_TEAMS, organization=team.organization)
    memberships.lock(team.organization)
    team.refresh_from_db()
    before, name = team.name, _checked(name, team.organization, team=team)
    if name == before:
        raise ValidationError({"name": "This is its name already."})
    team.name = name
    team.save(update_fields=["name"])
    record(
        organization=team.organization,
        kind=Kind.TEAM_RENAMED,
        by=by,
        subject=about(team),
        at=at,
        reason=reason,
        details={"name": name, "before": before},
    )
    return team


def _checked(name: str, organization: Organization, *, team: Team | None = None) -> str:
    name = checked_name(name, field="name", longest=NAME_LENGTH)
    others = Team.objects.filter(organization=organization, name__iexact=name)
    if any(other != team for other in others):
        raise ValidationError({"name": "A team has this name already; upper and lower case count as the same."})
    return name


def _free_slug(name: str, organization: Organization) -> str:
    # A name without any Latin letter has no slug of its own, and two names may have one.
    slug = slugify(name)[: SLUG_LENGTH - 9]
    if not slug or Team.objects.filter(organization=organization, slug=slug).exists():
        return f"{slug or 'team'}-{secrets.token_hex(4)}"
    return slug
