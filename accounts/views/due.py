"""When an access key is to be rotated by its organization's rule, as pages say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.template.defaultfilters import pluralize
from django.utils import timezone

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
    return Due(due_at, _words(due_at, at), due_at - at < SOON, due_at < at)


def _words(due_at: datetime, at: datetime) -> str:
    """By the days of the calendar, as people count them."""
    days = (timezone.localtime(due_at).date() - timezone.localtime(at).date()).days
    if due_at < at:
        return f"overdue by {-days} day{pluralize(-days)}" if days else "overdue since today"
    return f"due in {days} day{pluralize(days)}" if days else "due today"
