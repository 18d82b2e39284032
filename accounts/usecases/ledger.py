"""Deciding to take the ledger, or a list of IAM users, out of the portal: that too stands in the ledger."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Organization, Person
from accounts.usecases.records import about
from portal.ledger.models import Entry
from portal.ledger.record import record


@transaction.atomic
def export_ledger(*, by: Person, organization: Organization, form: str, filters: dict[str, str], at: datetime) -> Entry:
    """Note down who exports what; the entry's own number bounds the export, so that it does not contain itself.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    """
    access.require(by=by, to=Permission.EXPORT_LEDGER, organization=organization)
    narrowed = [{"key": name, "value": value} for name, value in sorted(filters.items()) if value]
    return record(
        organization=organization,
        kind=Kind.LEDGER_EXPORTED,
        by=by,
        subject=about(organization),
        at=at,
        details={"form": form, "filters": narrowed},
    )


@transaction.atomic
def export_iam_users(*, by: Person, organization: Organization, filters: dict[str, str], at: datetime) -> Entry:
    """Note down who takes which list of IAM users out of the portal.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    """
    access.require_anywhere(by=by, to=Permission.EXPORT_IAM_USERS, organization=organization)
    narrowed = [{"key": name, "value": value} for name, value in sorted(filters.items()) if value]
    return record(
        organization=organization,
        kind=Kind.IAM_USERS_EXPORTED,
        by=by,
        subject=about(organization),
        at=at,
        details={"filters": narrowed},
    )
