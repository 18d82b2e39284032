"""The calendar of what is due: making its secret address, taking it back, and what stands in it."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from accounts import access
from accounts.kinds import Kind
from accounts.models import AccessKey, CalendarFeed, Membership, Organization, Person
from accounts.models.invitation import hash_of
from accounts.usecases.records import about
from portal.ledger.record import record

TOKEN_BYTES = 32


@transaction.atomic
def make_feed(*, by: Person, organization: Organization, at: datetime) -> str:
    """Make the address of one's own calendar anew and return its token, which is kept nowhere. An older one ends.

    :raises access.NotThere: for whoever does not belong to the organization.
    """
    _require_member(by, organization)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed, _ = CalendarFeed.objects.update_or_create(
        organization=organization, person=by, defaults={"token_hash": hash_of(token), "created_at": at}
    )
    record(organization=organization, kind=Kind.CALENDAR_FEED_MADE, by=by, subject=about(feed), at=at)
    return token


@transaction.atomic
def end_feed(*, by: Person, organization: Organization, at: datetime) -> None:
    """Let the address of one's own calendar lead nowhere.

    :raises access.NotThere: for whoever has none there.
    """
    _require_member(by, organization)
    feed = CalendarFeed.objects.visible_to(by).filter(organization=organization).first()
    if feed is None:
        raise access.NotThere
    record(organization=organization, kind=Kind.CALENDAR_FEED_ENDED, by=by, subject=about(feed), at=at)
    feed.delete()


def feed_of(*, token: str) -> CalendarFeed:
    """The calendar at this address, as long as its person belongs to the organization.

    :raises access.NotThere: where there is none, or none any more.
    """
    feed = CalendarFeed.objects.select_related("person", "organization").filter(token_hash=hash_of(token)).first()
    if feed is None or not feed.person.belongs_to(feed.organization):
        raise access.NotThere
    return feed


def keys_in(feed: CalendarFeed) -> QuerySet[AccessKey]:
    """The active keys that are the person's own to rotate, the first that is due first."""
    keys = AccessKey.objects.present().filter(
        organization=feed.organization,
        iam_user__owner=feed.person,
        iam_user__gone_at__isnull=True,
        status=AccessKey.Status.ACTIVE,
    )
    return keys.select_related("iam_user", "account").order_by("create_date", "pk")


def _require_member(by: Person, organization: Organization) -> None:
    if not Membership.objects.active().of(by).in_organization(organization).exists():
        raise access.NotThere
