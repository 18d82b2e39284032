"""The permissions boundary that the portal makes in an AWS account and keeps as it was decided."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import arns
from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.iam_policy import IAMPolicy
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person

POLICY_NAME = "gatehouse-boundary"
# Of managed policies the portal's role may change those under this path alone.
PATH = "/gatehouse/"


class BoundaryQuerySet(models.QuerySet["Boundary"]):
    """Reading boundaries."""

    def visible_to(self, person: Person) -> BoundaryQuerySet:
        """All of the organizations that the person sees whole, and those of the accounts of teams that they lead."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        led = Q(account__envelopes__team__in=Team.objects.led_by(person))
        return self.filter(whole | led).distinct()

    def alarming(self) -> BoundaryQuerySet:
        """Those of which AWS holds something else than was decided."""
        return self.filter(state__in=[Boundary.State.ALTERED, Boundary.State.GONE])


class Boundary(TenantRow):
    """The managed policy `/gatehouse/gatehouse-boundary` of one account: what it shall say, and whether it does.

    `accepted` are the ways into running code that it lets through; `protected_roles` are ARNs of roles that nobody
    within it may assume, besides the portal's own.
    """

    class State(models.TextChoices):
        PENDING = "pending", "On its way to AWS"
        KEPT = "kept", "As it was decided"
        ALTERED = "altered", "Altered outside the portal"
        GONE = "gone", "Deleted outside the portal"

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="boundary")
    policy = models.ForeignKey(IAMPolicy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    accepted = models.JSONField(default=list, blank=True)
    protected_roles = models.JSONField(default=list, blank=True)
    document = models.JSONField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    # Since when it is known to be so.
    state_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BoundaryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "boundaries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "kept", "altered", "gone"]), name="boundary_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Boundary of {self.account}"

    @property
    def arn(self) -> str:
        """The ARN that the policy has in AWS or will have there."""
        account = self.account
        return f"arn:{arns.partition_of(account.role_arn)}:iam::{account.account_id}:policy{PATH}{POLICY_NAME}"

    @property
    def is_alarming(self) -> bool:
        """Whether AWS holds something else than was decided."""
        return self.state in (self.State.ALTERED, self.State.GONE)

    def tell(self, state: Boundary.State, *, at: datetime) -> None:
        """From now on it is known to be so; what was known before stays known since then."""
        if self.state != state:
            self.state, self.state_at = state, at
            self.save(update_fields=["state", "state_at"])
