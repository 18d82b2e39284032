"""Reminders that an access key is due, snoozing them, and the calendar in which the same stands."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.credentials import AccessKey
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.invitation import HASH_LENGTH
from accounts.models.person import Person


class OfAKeyQuerySet(models.QuerySet["KeySnooze"]):
    """What is said of an access key is seen by those who see its IAM user."""

    def visible_to(self, person: Person) -> Self:
        """Those of the IAM users that the person sees."""
        return self.filter(access_key__iam_user__in=IAMUser.objects.visible_to(person))

    def running(self, *, at: datetime) -> Self:
        """Those whose time is not over."""
        return self.filter(until__gt=at)


class KeyReminderQuerySet(models.QuerySet["KeyReminder"]):
    """Which reminders were told to whom, and which must still be."""

    def visible_to(self, person: Person) -> Self:
        """Those of the IAM users that the person sees."""
        return self.filter(access_key__iam_user__in=IAMUser.objects.visible_to(person))

    def unsent(self, *, at: datetime) -> Self:
        """Those whose mail nobody has sent, or is sending just now."""
        return self.filter(sent_at__isnull=True, lease_until__lte=at)


class KeyReminder(TenantRow):
    """That one person is reminded, once, that an access key is due; `lease_until` is until when the mail is a worker's.

    A key that was rotated is another key, so that its reminders begin anew.
    """

    class Stage(models.TextChoices):
        FORTNIGHT = "14", "Due in 14 days"
        WEEK = "7", "Due in 7 days"
        DAY = "1", "Due tomorrow"
        OVERDUE = "0", "Overdue"
        LEAD = "lead", "Overdue for a week"

    access_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="reminders")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    stage = models.CharField(max_length=4, choices=Stage.choices)
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = KeyReminderQuerySet.as_manager()

    class Meta:
        verbose_name = "reminder of an access key"
        verbose_name_plural = "reminders of access keys"
        constraints = [
            models.UniqueConstraint(fields=["access_key", "stage", "person"], name="key_reminder_once"),
            models.CheckConstraint(condition=Q(stage__in=["14", "7", "1", "0", "lead"]), name="key_reminder_stage"),
        ]
        indexes = [models.Index(fields=["lease_until"], condition=Q(sent_at=None), name="key_reminder_unsent")]

    def __str__(self) -> str:
        return f"{self.access_key}: {self.get_stage_display()}"


class KeySnooze(TenantRow):
    """That nobody is reminded of an access key until a time, and why. The key is due all the same."""

    access_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="snoozes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=2000)
    at = models.DateTimeField()
    until = models.DateTimeField()

    objects = OfAKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "snoozed reminder"
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("at")), name="key_snooze_until_later"),
            models.CheckConstraint(condition=~Q(reason=""), name="key_snooze_has_a_reason"),
        ]
        indexes = [models.Index(fields=["access_key", "until"], name="key_snooze_running")]

    def __str__(self) -> str:
        return f"{self.access_key} until {self.until:%d %B %Y}"


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    """One's own."""

    def visible_to(self, person: Person) -> Self:
        """The person's own: nobody needs to know of another's."""
        return self.filter(person=person)


class CalendarFeed(TenantRow):
    """The secret address at which a calendar program reads what is due for one person in one organization.

    Only its hash is kept: the address is shown once, when it is made.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feeds")
    token_hash = models.CharField(max_length=HASH_LENGTH, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "person"], name="calendar_feed_once")]

    def __str__(self) -> str:
        return f"Calendar of {self.person}"
