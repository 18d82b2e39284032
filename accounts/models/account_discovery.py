"""Discoveries: each reading of the accounts that AWS Organizations knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.organization import Organization

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models.person import Person


class AccountDiscoveryQuerySet(models.QuerySet["AccountDiscovery"]):
    """Finding discoveries that are going on, or that were left."""

    def visible_to(self, person: Person) -> AccountDiscoveryQuerySet:
        """All of the organizations that the person sees whole."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))

    def open(self) -> AccountDiscoveryQuerySet:
        """Those that have no outcome yet."""
        return self.filter(state__in=AccountDiscovery.OPEN)

    def stranded(self, *, at: datetime) -> AccountDiscoveryQuerySet:
        """Open ones whose worker has been silent for too long."""
        return self.open().filter(lease_until__lt=at)


class AccountDiscovery(TenantRow):
    """One reading of ListAccounts through one connected account: applied whole or not at all."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READING = "reading", "Reading"
        APPLIED = "applied", "Applied"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.READING)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="discoveries")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField()
    error = models.TextField(blank=True, default="")
    # As DescribeOrganization tells them.
    aws_organization_id = models.CharField("AWS organization ID", max_length=34, blank=True, default="")
    management_account_id = models.CharField("management account ID", max_length=12, blank=True, default="")

    objects = AccountDiscoveryQuerySet.as_manager()

    class Meta:
        verbose_name = "discovery"
        verbose_name_plural = "discoveries"
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["waiting", "reading"]),
                name="account_discovery_one_at_a_time",
                violation_error_message="Its accounts are being read already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "reading", "applied", "failed"]), name="account_discovery_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Discovery through {self.account} ({self.get_state_display()})"
