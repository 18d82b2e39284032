"""What lists of IAM users are narrowed by: conditions over a row of IAMUser, for `filter()` and `Count(filter=…)`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BigIntegerField, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact

from accounts import arns
from accounts.models.credentials import UNUSED_AFTER, AccessKey, LoginProfile, MFADevice
from accounts.models.drift import Drift
from accounts.models.iam_user import IAMUserQuerySet
from accounts.models.organization import Organization
from accounts.models.person import Person
from portal.ledger.models import Delivery

# PostgreSQL finds a part of a name by its trigrams; of fewer letters only a name's beginning has one.
SHORTEST_PART = 3
# As many owners as one search follows to their IAM users.
OWNERS_AT_MOST = 50


def has_active_key(*, at: datetime, older_than: int = -1, up_to: int | None = None) -> Exists:
    """An active access key of more than so many days, and of not more than so many."""
    keys = AccessKey.objects.present().filter(iam_user=OuterRef("pk"), status=AccessKey.Status.ACTIVE)
    return Exists(keys.filter(is_of_age(at=at, older_than=older_than, up_to=up_to)))


def is_of_age(*, at: datetime, older_than: int, up_to: int | None) -> Q:
    """Of an access key: made more than so many days ago, and not more than so many."""
    before = Q(create_date__lt=at - timedelta(days=older_than)) if older_than >= 0 else Q()
    return before if up_to is None else before & Q(create_date__gte=at - timedelta(days=up_to))


def has_password() -> Exists:
    """A console password."""
    return Exists(LoginProfile.objects.filter(iam_user=OuterRef("pk")))


def has_mfa() -> Exists:
    """An MFA device."""
    return Exists(MFADevice.objects.filter(iam_user=OuterRef("pk")))


def is_unused(*, at: datetime) -> Q:
    """Neither its password nor a key of it was used lately, and it is no newer than that itself."""
    since = at - UNUSED_AFTER
    keys = AccessKey.objects.filter(iam_user=OuterRef("pk"), last_used_date__gte=since)
    passwords = LoginProfile.objects.filter(iam_user=OuterRef("pk"), password_last_used__gte=since)
    return Q(create_date__lt=since) & ~Q(Exists(keys)) & ~Q(Exists(passwords))


def is_on_its_way(organization: Organization) -> Q:
    """Something decided about it has not reached AWS."""
    return _has_delivery(organization, Delivery.OPEN)


def is_stuck(organization: Organization) -> Q:
    """Something decided about it needs a human."""
    return _has_delivery(organization, (Delivery.State.STUCK,))


def has_open_drift() -> Exists:
    """AWS holds something of it that was not decided here."""
    return Exists(Drift.objects.open().filter(iam_user=OuterRef("pk")))


def searched(rows: IAMUserQuerySet, text: str, organization: Organization) -> IAMUserQuerySet:
    """Those of which a name or purpose has this part, an owner is called so, or that this ARN, key or tag is of.

    On PostgreSQL an index serves each of these, so that no table is read whole.
    """
    text = text.strip()
    if text.startswith("arn:"):
        return rows.filter(_has_arn(text))
    fits = _has_part("user_name", text) | _has_part("purpose", text) | Q(pk__in=_of_key(text))
    if len(text) >= SHORTEST_PART:
        fits |= Q(owner__in=_owners(text, organization))
    if "=" in text:
        fits |= _has_tag(text)
    return rows.filter(fits)


def _has_delivery(organization: Organization, states: tuple[str, ...]) -> Q:
    about = Delivery.objects.of(organization).filter(state__in=states, entry__subject_type="iam_user")
    return Q(pk__in=about.values(iam_user=Cast("entry__subject_id", BigIntegerField())))


def _has_part(field: str, text: str) -> Q:
    return Q(**{f"{field}__icontains" if len(text) >= SHORTEST_PART else f"{field}__istartswith": text})


def _has_arn(arn: str) -> Q:
    """By the account and the name in it; the path between them is seen from the name."""
    parts = arn.split(":")
    if len(parts) < 6 or not arns.ACCOUNT_ID.fullmatch(parts[4]):
        return Q(pk__in=[])
    return Q(account__account_id=parts[4], user_name__iexact=parts[5].rpartition("/")[2])


def _of_key(text: str) -> list[int]:
    """The IAM user of an access key: asked first, so that the list's own question stays one over one table."""
    keys = AccessKey.objects.present().filter(access_key_id=text.upper())
    return list(keys.values_list("iam_user", flat=True))


def _owners(text: str, organization: Organization) -> list[int]:
    people = Person.objects.filter(membership__organization=organization)
    named = people.filter(Q(name__icontains=text) | Q(email__icontains=text)).order_by("pk").distinct()
    return list(named.values_list("pk", flat=True)[:OWNERS_AT_MOST])


def _has_tag(text: str) -> Q:
    key, _, value = (part.strip() for part in text.partition("="))
    if connection.features.supports_json_field_contains:
        return Q(tags__contains={key: value})
    return Q(Exact(KeyTextTransform(key, "tags"), value))
