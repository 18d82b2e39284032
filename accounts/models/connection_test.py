"""Tests of a connection: may the portal enter the account, may nobody else, and may it do there what it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.account import Account
from accounts.models.facts import TenantRow

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models.person import Person


class ConnectionTestQuerySet(models.QuerySet["ConnectionTest"]):
    """Finding tests that are going on, or that were left."""

    def visible_to(self, person: Person) -> ConnectionTestQuerySet:
        """Those of the accounts that the person sees."""
        return self.filter(account__in=Account.objects.visible_to(person))

    def open(self) -> ConnectionTestQuerySet:
        """Those that have no outcome yet."""
        return self.filter(state__in=ConnectionTest.OPEN)

    def stranded(self, *, at: datetime) -> ConnectionTestQuerySet:
        """Open ones whose worker has been silent for too long."""
        return self.open().filter(lease_until__lt=at)


class ConnectionTest(TenantRow):
    """One test of an account's role.

    `checks` lists each check with its `name`, its `outcome` ("passed", "incomplete", "failed", "unclear", "left out"),
    its `words`, and the actions that are `missing` from what the role allows.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TESTING = "testing", "Testing"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.TESTING)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="connection_tests")
    # Empty where nobody of the portal did.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField()
    checks = models.JSONField(default=list, blank=True)

    objects = ConnectionTestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=["waiting", "testing"]),
                name="connection_test_one_at_a_time",
                violation_error_message="This connection is being tested already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "testing", "passed", "failed"]), name="connection_test_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Test of {self.account} ({self.get_state_display()})"
