"""When an access key is to be rotated by its organization's rule, as pages say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import pluralize

from accounts.models import AccessKey, Organization

# From here on a page speaks of it before all else.
SOON = timedelta(days=14)


@dataclass(frozen=True)
class Due:
    """`words` are "due in 12 days" or "overdue by 30 days"."""

    at: datetime
    words: str
    is_soon: bool
    is_overdue: bool

    @property
    def tone(self) -> str:
        """One of the badge's."""
        return "waiting" if self.is_soon else "neutral"


def due_of(access_key: AccessKey, *, organization: Organization, at: datetime) -> Due | None:
    """When the key is due; an inactive one never is, since nothing works with it."""
    if access_key.status != AccessKey.Status.ACTIVE:
        return None
    due_at = access_key.create_date + timedelta(days=organization.rotate_after_days)
    return Due(due_at, _words(due_at - at), due_at - at < SOON, due_at < at)


def first_due(access_keys: Iterable[AccessKey], *, organization: Organization, at: datetime) -> Due | None:
    """Of several keys the one that is due first."""
    found = [due_of(access_key, organization=organization, at=at) for access_key in access_keys]
    return min((due for due in found if due is not None), key=lambda due: due.at, default=None)


def _words(left: timedelta) -> str:
    days = abs(left).days
    if not days:
        return "overdue since today" if left < timedelta() else "due within a day"
    told = f"{days} day{pluralize(days)}"
    return f"overdue by {told}" if left < timedelta() else f"due in {told}"
