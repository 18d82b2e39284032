"""Deciding how old an organization's access keys may become."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Organization, Person
from accounts.models.organization import ROTATE_AFTER_AT_LEAST, ROTATE_AFTER_AT_MOST, ROTATE_AFTER_BOUNDS
from accounts.usecases.records import about
from portal.ledger.record import record


@transaction.atomic
def set_rotation_rule(
    *, by: Person, organization: Organization, rotate_after_days: int, at: datetime, reason: str = ""
) -> Organization:
    """Say after how many days access keys are to be rotated. What is overdue follows at once; no key changes.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: at the number, for one below 1 or above 365, or the one that holds already.
    """
    access.require(by=by, to=Permission.CHANGE_ROTATION_RULE, organization=organization)
    held = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if not ROTATE_AFTER_AT_LEAST <= rotate_after_days <= ROTATE_AFTER_AT_MOST:
        raise ValidationError({"rotate_after_days": ROTATE_AFTER_BOUNDS})
    before = held.rotate_after_days
    if rotate_after_days == before:
        raise ValidationError({"rotate_after_days": "This is the rule already."})
    held.rotate_after_days = rotate_after_days
    held.save(update_fields=["rotate_after_days"])
    record(
        organization=held,
        kind=Kind.ROTATION_RULE_SET,
        by=by,
        subject=about(held),
        at=at,
        reason=reason,
        details={"rotate_after_days": rotate_after_days, "before": before},
    )
    return held
