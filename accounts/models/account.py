"""AWS accounts that an organization has connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts import arns
from accounts.models.facts import Source, TenantRow, source_and_time_go_together
from accounts.models.membership import SEE_THE_ORGANIZATION, Duty, Membership

if TYPE_CHECKING:
    from accounts.models.person import Person


class AccountQuerySet(models.QuerySet["Account"]):
    """Which AWS accounts somebody may see."""

    def visible_to(self, person: Person) -> AccountQuerySet:
        """All of the organization for those who see it whole; for a lead those of the team's envelope."""
        mine = Membership.objects.active().of(person)
        whole = mine.filter(duty__in=SEE_THE_ORGANIZATION).values("organization")
        led = mine.filter(duty=Duty.LEAD).values("team")
        return self.filter(Q(organization__in=whole) | Q(envelopes__team__in=led)).distinct()

    def connected(self) -> AccountQuerySet:
        """Those that the portal could enter when it last tried."""
        return self.filter(state=Account.State.CONNECTED)

    def untested(self) -> AccountQuerySet:
        """Those that wait for a test that passes."""
        return self.filter(state__in=[Account.State.NEW, Account.State.REFUSED])

    def importable(self) -> AccountQuerySet:
        """Those whose connection was tested once; whether it holds is seen by trying."""
        return self.filter(state__in=[Account.State.CONNECTED, Account.State.UNREACHABLE])


class Account(TenantRow):
    """An AWS account, and the role by which the portal's hub enters it.

    The external id is made here, random, and never changed: it keeps one organization from naming another's role (IAM
    User Guide, "The confused deputy problem").
    """

    class State(models.TextChoices):
        NEW = "new", "Not tested yet"
        CONNECTED = "connected", "Connected"
        REFUSED = "refused", "Refused"
        UNREACHABLE = "unreachable", "Cannot be entered"

    account_id = models.CharField("account ID", max_length=12, unique=True)
    name = models.CharField(max_length=120)
    role_arn = models.CharField("role ARN", max_length=600)
    external_id = models.CharField("external ID", max_length=128, unique=True, editable=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    state_reason = models.TextField(blank=True, default="")
    alias = models.CharField(max_length=63, blank=True, default="")
    source = models.CharField(max_length=40, choices=Source.choices, blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True)
    # At what time the credential report was true from which the last import took passwords and last uses.
    report_generated_at = models.DateTimeField(null=True, blank=True)
    # Counts and quotas by AWS's names (GetAccountSummary), and the password policy, None where AWS's default holds.
    summary = models.JSONField(default=dict, blank=True)
    password_policy = models.JSONField(null=True, blank=True)

    calls_per_second = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The most that the portal calls AWS here; empty for the portal's usual pace."
    )
    calls_burst = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How many calls may come at once after a quiet time; empty for the usual."
    )

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="accounts")

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(account_id__regex=r"^[0-9]{12}$"),
                name="account_id_form",
                violation_error_message="An account ID has 12 digits.",
            ),
            models.CheckConstraint(condition=Q(external_id__regex=r"^.{22,}$"), name="account_external_id_long_enough"),
            models.CheckConstraint(
                condition=~Q(calls_per_second=0) & ~Q(calls_burst=0),
                name="account_pace_above_zero",
                violation_error_message="An account that is never called cannot be run: at least 1.",
            ),
            source_and_time_go_together("account_source_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`, as the role's ARN says."""
        return arns.partition_of(self.role_arn)
