"""Reminding people of access keys that are due: the owner in time, then the leads of the team.

Each person is told once of each key at each stage; of what became due while nobody looked only the latest stage is
told. One mail names all that is new to a person.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import (
    AccessKey,
    Duty,
    KeyReminder,
    KeySnooze,
    Membership,
    Organization,
    Person,
    Rotation,
)
from accounts.usecases.records import about_iam_user, require_reason
from portal.ledger.record import record

logger = logging.getLogger(__name__)

LONGEST_SNOOZE = timedelta(days=30)
# Longer than any task may run: until then nobody else sends the same mail.
LEASE = timedelta(minutes=3)
# A mail server that would not take it is asked again after this.
RETRY = timedelta(minutes=15)
# What one run of beat decides for each stage of each organization, and how many mails it sends; the next goes on.
DECIDED_AT_ONCE = 500
SENT_AT_ONCE = 100

Stage = KeyReminder.Stage


@dataclass(frozen=True)
class Window:
    """When a stage is told: from `begins` before the key is due until `ends` before it; None is for ever."""

    stage: KeyReminder.Stage
    begins: timedelta
    ends: timedelta | None


WINDOWS = (
    Window(Stage.FORTNIGHT, timedelta(days=14), timedelta(days=7)),
    Window(Stage.WEEK, timedelta(days=7), timedelta(days=1)),
    Window(Stage.DAY, timedelta(days=1), timedelta(0)),
    Window(Stage.OVERDUE, timedelta(0), None),
    # Whoever did not act in a week has somebody else look.
    Window(Stage.LEAD, timedelta(days=-7), None),
)


@transaction.atomic
def snooze_reminders(*, by: Person, access_key: AccessKey, until: datetime, reason: str, at: datetime) -> KeySnooze:
    """Let nobody be reminded of the key until then. It is due all the same.

    :raises access.NotThere: :raises access.NotAllowed: for anybody but the owner and whoever may change access keys.
    :raises ValidationError: without a reason, for a key that is gone, and for more than 30 days.
    """
    iam_user = access_key.iam_user
    access.require_on_own_or(by=by, to=Permission.CHANGE_ACCESS_KEYS, iam_user=iam_user)
    require_reason(reason)
    if access_key.gone_at is not None:
        raise ValidationError(f"AWS no longer holds {access_key}.")
    if not at < until <= at + LONGEST_SNOOZE:
        raise ValidationError({"until": f"Choose a time within the next {LONGEST_SNOOZE.days} days."})
    snooze = KeySnooze.objects.create(
        organization=access_key.organization, access_key=access_key, by=by, reason=reason, at=at, until=until
    )
    record(
        organization=access_key.organization,
        kind=Kind.KEY_REMINDERS_SNOOZED,
        by=by,
        subject=about_iam_user(iam_user),
        at=at,
        reason=reason,
        details={"access_key_id": access_key.access_key_id, "until": until.isoformat()},
    )
    return snooze


def remind(*, by: Person | None, at: datetime) -> int:
    """Decide who is to be reminded of what, then send it; the number of mails.

    :raises access.NotThere: for whoever is a person: the portal does this by itself.
    """
    access.require_operator(by=by)
    for organization in Organization.objects.order_by("pk"):
        for window in WINDOWS:
            _decide(organization, window, at)
    return _send_unsent(at)


def _decide(organization: Organization, window: Window, at: datetime) -> None:
    keys = _due(organization, window, at).select_related("iam_user")[:DECIDED_AT_ONCE]
    KeyReminder.objects.bulk_create(
        (
            KeyReminder(
                organization=organization, access_key=key, person_id=person_id, stage=window.stage, created_at=at,
                lease_until=at,
            )
            for key in keys
            for person_id in _told(key, window)
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def _due(organization: Organization, window: Window, at: datetime) -> QuerySet[AccessKey]:
    """The keys at this stage of which nobody has been told though somebody can be, nobody snoozed, nobody rotates."""
    due_now = at - timedelta(days=organization.rotate_after_days)
    told = KeyReminder.objects.filter(access_key=OuterRef("pk"), stage=window.stage)
    snoozed = KeySnooze.objects.running(at=at).filter(access_key=OuterRef("pk"))
    rotated = Rotation.objects.open().filter(old_key=OuterRef("pk"))
    keys = AccessKey.objects.present().filter(
        organization=organization,
        status=AccessKey.Status.ACTIVE,
        create_date__lte=due_now + window.begins,
        iam_user__gone_at__isnull=True,
    )
    if window.ends is not None:
        keys = keys.filter(create_date__gt=due_now + window.ends)
    keys = keys.filter(Exists(_duties_told(organization, window)))
    return keys.filter(~Exists(told), ~Exists(snoozed), ~Exists(rotated)).order_by("create_date", "pk")


def _duties_told(organization: Organization, window: Window) -> QuerySet[Membership]:
    """The memberships of whoever is told of the key in the outer query."""
    here = Membership.objects.active().in_organization(organization)
    if window.stage == Stage.LEAD:
        return here.filter(duty=Duty.LEAD, team=OuterRef("iam_user__team"))
    return here.filter(person=OuterRef("iam_user__owner"))


def _told(key: AccessKey, window: Window) -> list[int]:
    if window.stage != Stage.LEAD:
        return [key.iam_user.owner_id] if key.iam_user.owner_id else []
    leading = Membership.objects.active().filter(duty=Duty.LEAD, team=key.iam_user.team_id)
    return list(leading.order_by("person").values_list("person", flat=True).distinct())


def _send_unsent(at: datetime) -> int:
    unsent = KeyReminder.objects.unsent(at=at).order_by("person", "organization")
    pairs = unsent.values_list("person", "organization").distinct()[:SENT_AT_ONCE]
    return sum(_send(person_id, organization_id, at) for person_id, organization_id in list(pairs))


def _send(person_id: int, organization_id: int, at: datetime) -> bool:
    """One mail with all that is new to a person in one organization; False where another worker sends it."""
    unsent = KeyReminder.objects.unsent(at=at).filter(person=person_id, organization=organization_id)
    ids = list(unsent.values_list("pk", flat=True))
    claimed = KeyReminder.objects.unsent(at=at).filter(pk__in=ids)
    if claimed.update(lease_until=at + LEASE) != len(ids):
        return False
    reminders = list(
        KeyReminder.objects.filter(pk__in=ids)
        .select_related("access_key__iam_user__account", "person", "organization")
        .order_by("access_key__create_date", "pk")
    )
    try:
        _mail(reminders)
    except (SMTPException, OSError) as error:
        logger.warning("A mail of %s reminders was not taken: %s", len(ids), type(error).__name__)
        KeyReminder.objects.filter(pk__in=ids).update(lease_until=at + RETRY)
        return False
    KeyReminder.objects.filter(pk__in=ids).update(sent_at=at)
    return True


def _mail(reminders: list[KeyReminder]) -> None:
    person, organization = reminders[0].person, reminders[0].organization
    rule = timedelta(days=organization.rotate_after_days)
    context = {
        "person": person,
        "organization": organization,
        "reminders": [(reminder, reminder.access_key.create_date + rule) for reminder in reminders],
        "address": settings.PORTAL_URL + reverse("my_access"),
    }
    count = len(reminders)
    keys = "an access key is due" if count == 1 else f"{count} access keys are due"
    subject = " ".join(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{keys} in {organization}".split())
    send_mail(
        subject, render_to_string("accounts/mails/key_reminder.txt", context), settings.DEFAULT_FROM_EMAIL,
        [person.email],
    )  # fmt: skip
