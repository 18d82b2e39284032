"""Imports: each reading of one AWS account into the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models.person import Person


class AccountImportQuerySet(models.QuerySet["AccountImport"]):
    """Finding imports that are going on, or that were left."""

    def visible_to(self, person: Person) -> AccountImportQuerySet:
        """Those of the accounts that the person sees."""
        return self.filter(account__in=Account.objects.visible_to(person))

    def of_whole_accounts(self) -> AccountImportQuerySet:
        """Without those of one IAM user."""
        return self.filter(iam_user__isnull=True)

    def open(self) -> AccountImportQuerySet:
        """Those that have no outcome yet."""
        return self.filter(state__in=AccountImport.OPEN)

    def stranded(self, *, at: datetime) -> AccountImportQuerySet:
        """Open ones whose worker has been silent for too long."""
        return self.open().filter(lease_until__lt=at)


class AccountImport(TenantRow):
    """One reading of an account or of one IAM user: applied whole or not at all; a failed one has concluded nothing."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        READING = "reading", "Reading"
        APPLIED = "applied", "Applied"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.READING)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="imports")
    # Empty for the whole account; else the one IAM user that is read.
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, null=True, blank=True, related_name="imports")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField()
    error = models.TextField(blank=True, default="")
    # What it does now and how far it is ("doing", "done"), while it is read; and what it found, afterwards.
    progress = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)

    objects = AccountImportQuerySet.as_manager()

    class Meta:
        verbose_name = "import"
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["waiting", "reading"], iam_user__isnull=True),
                name="account_import_one_at_a_time",
                violation_error_message="This account is being read already.",
            ),
            models.UniqueConstraint(
                fields=["iam_user"],
                condition=Q(state__in=["waiting", "reading"], iam_user__isnull=False),
                name="iam_user_import_one_at_a_time",
                violation_error_message="This IAM user is being read already.",
            ),
        ]

    def __str__(self) -> str:
        return f"Import of {self.iam_user or self.account} ({self.get_state_display()})"
