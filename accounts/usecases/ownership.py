"""Deciding whose IAM users are: by hand, one or many, or by having tags and rules say it now."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, envelope, limits
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import IAMUser, Organization, Person, Team
from accounts.ownership import READ_AT_ONCE, Owners, unassigned_of
from accounts.usecases.records import about, about_iam_user
from portal.ledger.record import record

# Each has an entry of its own, and all are written in one transaction.
ASSIGNED_AT_ONCE = 200
# As many IAM users as one entry of the rules lists.
LISTED_IN_AN_ENTRY = 500
SAVED = ("team_id", "owner_id", "team_said_by", "owner_said_by")


@transaction.atomic
def assign_iam_users(
    *,
    by: Person,
    iam_users: Collection[IAMUser],
    at: datetime,
    team: Team | None = None,
    owner: Person | None = None,
    kind: str = "",
    purpose: str = "",
    reason: str = "",
) -> list[IAMUser]:
    """Say whose IAM users are; what is not given stays as each has it, and imports no longer change what is.

    A lead names the owner among the people of the team, for what can do no more than the team may have, and moves
    only from one team of theirs to another that may have it as it is.

    :raises access.NotThere: also for a team of another organization. :raises access.NotAllowed: as everywhere.
    :raises limits.OutsideEnvelope: when a lead names an owner of what can do more than the team may have, or moves
        what the other team may not have.
    :raises ValidationError: when nothing was chosen or would change, for an owner who is not theirs to name, for an
        application without a purpose, or for an IAM user that is gone.
    """
    rows = _held(by=by, iam_users=iam_users)
    organization = rows[0].organization
    if team is not None:
        _check_team(by=by, organization=organization, team=team, rows=rows)
    if owner is not None:
        _check_owner(by=by, organization=organization, owner=owner, rows=rows, team=team)
    wanted = {"team": team, "owner": owner, "kind": kind, "purpose": purpose.strip()}
    wanted = {name: value for name, value in wanted.items() if value}
    if not wanted:
        raise ValidationError("Choose a team or an owner, or say what it is for.")
    changed = [row for row in rows if _assign(row, wanted, by=by, reason=reason, at=at)]
    if not changed:
        raise ValidationError("This is whose they are already.")
    return changed


@transaction.atomic
def apply_ownership_rules(*, by: Person, organization: Organization, at: datetime, reason: str = "") -> list[IAMUser]:
    """Have tags and rules say now whose the unassigned IAM users are, as the next import of each account would.

    Nobody decides about each of them, so the ledger has them as lists and not one by one. Returns those that changed,
    out of the first `READ_AT_ONCE`.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when neither tags nor rules say anything.
    """
    access.require(by=by, to=Permission.CHANGE_OWNERSHIP, organization=organization)
    # Locked against an import and a person who assign the same rows: what they say must not be written over.
    rows = unassigned_of(organization).select_for_update(of=("self",), no_key=True).select_related("account")
    owners = Owners(organization)
    changed = [row for row in rows[:READ_AT_ONCE] if owners.refresh(row, row)]
    if not changed:
        raise ValidationError("Neither tags nor rules say whose the unassigned IAM users are.")
    _save(changed)
    for listed in _lists(changed):
        record(
            organization=organization,
            kind=Kind.OWNERSHIP_RULES_APPLIED,
            by=by,
            subject=about(organization),
            at=at,
            reason=reason,
            details={"iam_users": listed},
        )
    return changed


def _held(*, by: Person, iam_users: Collection[IAMUser]) -> list[IAMUser]:
    """The rows as they are now, locked against an import and others who assign them, if the person may assign each."""
    ids = {iam_user.pk for iam_user in iam_users}
    if not ids:
        raise ValidationError("Select at least one IAM user.")
    if len(ids) > ASSIGNED_AT_ONCE:
        raise ValidationError(f"Assign at most {ASSIGNED_AT_ONCE} IAM users at once.")
    seen = IAMUser.objects.visible_to(by).filter(pk__in=ids).select_for_update(of=("self",), no_key=True)
    rows = list(seen.select_related("organization", "account", "team", "owner").order_by("pk"))
    if len(rows) != len(ids) or len({row.organization_id for row in rows}) != 1:
        raise access.NotThere
    for team in {row.team for row in rows}:
        access.require(by=by, to=Permission.ASSIGN_IAM_USER, organization=rows[0].organization, team=team)
    gone = [str(row) for row in rows if row.gone_at is not None]
    if gone:
        raise ValidationError(f"AWS no longer holds {', '.join(gone)}.")
    return rows


def _check_team(*, by: Person, organization: Organization, team: Team, rows: Collection[IAMUser]) -> None:
    if team.organization_id != organization.pk:
        raise access.NotThere
    # Of what a lead does not lead, `_held` has let nothing through.
    moving = [row for row in rows if row.team_id != team.pk]
    if moving:
        access.require(by=by, to=Permission.ASSIGN_IAM_USER, organization=organization, team=team)
        limits.require_room(by=by, team=team, more=len(moving))
    for row in moving:
        envelope.require_fits(by=by, iam_user=row, team=team)


def _check_owner(
    *, by: Person, organization: Organization, owner: Person, rows: Collection[IAMUser], team: Team | None
) -> None:
    teams = {team} if team is not None else {row.team for row in rows if row.team is not None}
    if not access.owners_open_to(by=by, organization=organization, teams=teams).filter(pk=owner.pk).exists():
        raise ValidationError({"owner": "Choose somebody of your organization; a lead, somebody of the team."})
    # Passwords and keys are sealed for the owner. What moves was asked about for the team that it comes to.
    for row in rows:
        if row.owner_id != owner.pk and (team is None or row.team_id == team.pk):
            envelope.require_within(by=by, iam_user=row)


def _assign(row: IAMUser, wanted: dict[str, Any], *, by: Person, reason: str, at: datetime) -> bool:
    """Change one row and record it; whether anything changed."""
    said_by = {f"{name}_said_by": IAMUser.SaidBy.HAND for name in ("team", "owner") if name in wanted}
    changes = {name: value for name, value in (wanted | said_by).items() if getattr(row, name) != value}
    if not changes:
        return False
    before = _ownership_of(row)
    for name, value in changes.items():
        setattr(row, name, value)
    if row.kind == IAMUser.Kind.APPLICATION and "kind" in changes and not row.purpose:
        raise ValidationError({"purpose": "Say what the application does: whoever finds its key will want to know."})
    row.clean_fields(exclude={"organization", "account", "team", "owner", "user_name", "path"})
    row.save(update_fields=list(changes))
    record(
        organization=row.organization,
        kind=Kind.IAM_USER_ASSIGNED,
        by=by,
        subject=about_iam_user(row),
        at=at,
        reason=reason,
        details={**_ownership_of(row), "before": before},
    )
    return True


def _ownership_of(row: IAMUser) -> dict[str, str]:
    return {
        "team": "" if row.team is None else row.team.name,
        "owner": "" if row.owner is None else row.owner.email,
        "kind": row.kind,
        "purpose": row.purpose,
    }


def _save(rows: list[IAMUser]) -> None:
    """Write those alike together: there are few teams and owners, and a bulk_update of thousands takes seconds."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        alike.setdefault(tuple(getattr(row, name) for name in SAVED), []).append(row.pk)
    for values, ids in alike.items():
        IAMUser.objects.filter(pk__in=ids).update(**dict(zip(SAVED, values, strict=True)))


def _lists(rows: list[IAMUser]) -> Iterator[list[dict[str, str]]]:
    teams = Team.objects.in_bulk({row.team_id for row in rows if row.team_id is not None})
    people = Person.objects.in_bulk({row.owner_id for row in rows if row.owner_id is not None})
    for start in range(0, len(rows), LISTED_IN_AN_ENTRY):
        yield [
            {
                "arn": row.arn,
                "team": "" if row.team_id is None else teams[row.team_id].name,
                "owner": "" if row.owner_id is None else people[row.owner_id].email,
            }
            for row in rows[start : start + LISTED_IN_AN_ENTRY]
        ]
