"""The mails to those who are asked to rotate access keys: one for all keys of theirs that were asked for at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Organization, Person, RotationAsk

logger = logging.getLogger(__name__)

# Longer than any task may run: until then nobody else sends the same mail.
LEASE = timedelta(minutes=3)
# A mail server that would not take it is asked again after this.
RETRY = timedelta(minutes=15)
# What one run mails; the next goes on.
PEOPLE_AT_ONCE = 200


def send_rotation_asks(*, at: datetime) -> None:
    """Mail everybody who was asked and has no mail of it."""
    people = RotationAsk.objects.unsent(at=at).order_by("organization", "recipient")
    for organization_id, recipient_id in list(people.values_list("organization", "recipient").distinct())[
        :PEOPLE_AT_ONCE
    ]:
        _send(organization_id, recipient_id, at)


def _send(organization_id: int, recipient_id: int, at: datetime) -> None:
    unsent = RotationAsk.objects.unsent(at=at).filter(organization=organization_id, recipient=recipient_id)
    ids = list(unsent.values_list("pk", flat=True))
    # Claimed all together; where another worker has taken one, the rest waits until its lease is over.
    if not ids or RotationAsk.objects.unsent(at=at).filter(pk__in=ids).update(lease_until=at + LEASE) != len(ids):
        return
    claimed = RotationAsk.objects.filter(pk__in=ids)
    try:
        _mail(Organization.objects.get(pk=organization_id), Person.objects.get(pk=recipient_id), ids, at)
    except (SMTPException, OSError) as error:
        # By its kind alone: what a mail server says may have the mail in it.
        logger.warning("The mail of %s asks to rotate was not taken: %s", len(ids), type(error).__name__)
        claimed.update(lease_until=at + RETRY)
        return
    claimed.update(sent_at=at)


def _mail(organization: Organization, person: Person, ids: list[int], at: datetime) -> None:
    """Nothing is sent about a key that was rotated meanwhile, nor to whoever has left."""
    asks = RotationAsk.objects.open().filter(pk__in=ids).select_related("access_key", "iam_user__account")
    asks = asks.select_related("bulk_change__by").order_by("iam_user__user_name", "pk")
    if not asks or not person.belongs_to(organization):
        return
    rows = [(ask, ask.access_key.age_days(at=at)) for ask in asks]
    context = {
        "person": person,
        "organization": organization,
        "rows": rows,
        "address": settings.PORTAL_URL + reverse("home"),
    }
    count = len(rows)
    subject = f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}rotate {count} access key{'' if count == 1 else 's'}"
    body = render_to_string("accounts/mails/rotation_ask.txt", context)
    send_mail(" ".join(subject.split()), body, None, [person.email])
