"""Grants of groups: that an IAM user shall be in a group until a time."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet
from accounts.models.request import Request


class GroupGrantQuerySet(OfAnIAMUserQuerySet["GroupGrant"]):
    """Reading grants."""

    def running(self) -> Self:
        """Those that have not ended; also those whose time is over and that nobody has ended yet."""
        return self.filter(ended_at__isnull=True)

    def due(self, at: datetime) -> Self:
        """Those whose time is over."""
        return self.running().filter(until__lte=at)

    def of(self, iam_user: IAMUser, group_name: str) -> Self:
        """Those of one IAM user and group, whose names ignore case."""
        return self.filter(iam_user=iam_user, group_name__iexact=group_name)


class GroupGrant(TenantRow):
    """Time-bound membership of a group. It ends once, and the membership with the last grant that needs it."""

    class Why(models.TextChoices):
        TIME = "time", "Its time was over"
        GIVEN_BACK = "given_back", "Given back"
        REMOVED = "removed", "Removed from the group"
        LAPSED = "lapsed", "Its approval no longer held"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="group_grants")
    group_name = models.CharField(max_length=128)
    until = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    request = models.ForeignKey(Request, on_delete=models.PROTECT, null=True, blank=True, related_name="group_grants")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=10, choices=Why.choices, blank=True, default="")

    objects = GroupGrantQuerySet.as_manager()

    class Meta:
        verbose_name = "grant of a group"
        verbose_name_plural = "grants of groups"
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("made_at")),
                name="group_grant_until_later",
                violation_error_message="Choose a time that is still to come.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | (Q(ended_at__isnull=False) & ~Q(ended_why="")),
                name="group_grant_ended_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_why__in=["", "time", "given_back", "removed", "lapsed"]),
                name="group_grant_why_known",
            ),
        ]
        indexes = [
            models.Index(fields=["until"], condition=Q(ended_at__isnull=True), name="group_grant_running"),
        ]

    def __str__(self) -> str:
        return f"{self.iam_user} in {self.group_name}"
