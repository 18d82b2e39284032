"""Deciding about the permissions boundary that the portal makes in an account and keeps there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, arns
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, Boundary, Person
from accounts.policy.boundary import TooLong, boundary_document
from accounts.usecases.imports import require_importable
from accounts.usecases.records import about, require_reason
from portal.ledger.models import Delivery
from portal.ledger.record import Target, record


@transaction.atomic
def create_boundary(*, by: Person, account: Account, at: datetime, reason: str = "") -> Boundary:
    """Decide that the account shall have the portal's boundary, which lets through nothing that leads to more rights.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when the account has one, or its connection was not tested, or is refused.
    """
    access.require(by=by, to=Permission.KEEP_BOUNDARY, organization=account.organization)
    require_importable(account=account)
    # Locked, so that of two at once one is refused here and not by the database.
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if Boundary.objects.filter(account=account).exists():
        raise ValidationError("The portal keeps a boundary in this account already.")
    boundary = Boundary(organization=account.organization, account=account, state_at=at)
    boundary.document = _document(boundary)
    boundary.save(force_insert=True)
    _record(Kind.BOUNDARY_CREATED, by=by, boundary=boundary, at=at, reason=reason)
    return boundary


@transaction.atomic
def change_boundary_policy(
    *,
    by: Person,
    boundary: Boundary,
    accepted: Collection[str],
    protected_roles: Collection[str],
    reason: str,
    at: datetime,
) -> Boundary:
    """Decide which ways into running code it lets through, and which roles nobody within it may assume.

    `accepted` are of `policy.boundary.INTO_COMPUTE`, `protected_roles` are ARNs of roles of the account, in which `*`
    may stand; the portal's own is protected always.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but an owner.
    :raises ValidationError: by field; without a reason; when nothing would change, or AWS has not the last change yet.
    """
    access.require(by=by, to=Permission.CHANGE_BOUNDARY_POLICY, organization=boundary.organization)
    _lock(boundary)
    require_reason(reason)
    before = {"accepted": boundary.accepted, "protected_roles": boundary.protected_roles}
    boundary.accepted, boundary.protected_roles = sorted(set(accepted)), sorted(set(protected_roles))
    _check_roles(boundary)
    boundary.document = _document(boundary)
    if before == {"accepted": boundary.accepted, "protected_roles": boundary.protected_roles}:
        raise ValidationError("It says this already.")
    boundary.save(update_fields=["accepted", "protected_roles", "document"])
    boundary.tell(Boundary.State.PENDING, at=at)
    _record(Kind.BOUNDARY_CHANGED, by=by, boundary=boundary, at=at, reason=reason, before=before)
    return boundary


@transaction.atomic
def restore_boundary(*, by: Person, boundary: Boundary, at: datetime, reason: str = "") -> Boundary:
    """Decide that AWS shall hold it as it was decided again, whoever altered or deleted it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is as it was decided, or on its way there.
    """
    access.require(by=by, to=Permission.KEEP_BOUNDARY, organization=boundary.organization)
    _lock(boundary)
    if not boundary.is_alarming:
        raise ValidationError("It is as it was decided: there is nothing to restore.")
    boundary.document = _document(boundary)
    boundary.save(update_fields=["document"])
    boundary.tell(Boundary.State.PENDING, at=at)
    _record(Kind.BOUNDARY_RESTORED, by=by, boundary=boundary, at=at, reason=reason)
    return boundary


def _lock(boundary: Boundary) -> None:
    # Locked against an import or another decision that writes the same row, and read again.
    boundary.refresh_from_db(from_queryset=Boundary.objects.select_for_update(of=("self",), no_key=True))
    deliveries = Delivery.objects.of(boundary.organization).open()
    if deliveries.about(about(boundary).type, boundary.pk).exists():
        raise ValidationError("What was decided before is on its way to AWS. Wait for it, or give it up.")


def _document(boundary: Boundary) -> dict[str, object]:
    roles = [boundary.account.role_arn, *boundary.protected_roles]
    try:
        return boundary_document(protected_roles=roles, accepted=boundary.accepted)
    except TooLong as error:
        raise ValidationError({"protected_roles": str(error)}) from None
    except ValueError as error:
        raise ValidationError({"accepted": str(error)}) from None


def _check_roles(boundary: Boundary) -> None:
    for role_arn in boundary.protected_roles:
        match = arns.ROLE_ARN.fullmatch(role_arn)
        if match is None or match.group(2) != boundary.account.account_id:
            raise ValidationError({"protected_roles": f"{role_arn} is no ARN of a role of {boundary.account}."})


def _record(
    kind: Kind,
    *,
    by: Person,
    boundary: Boundary,
    at: datetime,
    reason: str,
    before: dict[str, list[str]] | None = None,
) -> None:
    details: dict[str, object] = {
        "policy": boundary.arn,
        "accepted": boundary.accepted,
        "protected_roles": boundary.protected_roles,
        "document": boundary.document,
    }
    record(
        organization=boundary.organization,
        kind=kind,
        by=by,
        subject=about(boundary),
        at=at,
        reason=reason,
        details=details | ({"before": before} if before is not None else {}),
        deliver=(Target(lane=boundary.account.account_id, subject=boundary.arn),),
    )
