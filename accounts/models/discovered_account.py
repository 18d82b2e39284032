"""AWS accounts that AWS Organizations knows of, found through an account that is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from accounts.models.account import Account
from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.organization import Organization

if TYPE_CHECKING:
    from accounts.models.person import Person


class DiscoveredAccountQuerySet(models.QuerySet["DiscoveredAccount"]):
    """Which discovered accounts somebody may see."""

    def visible_to(self, person: Person) -> DiscoveredAccountQuerySet:
        """All of the organizations that the person sees whole."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))

    def connectable(self) -> DiscoveredAccountQuerySet:
        """Those in use that no organization of the portal has connected."""
        active = self.filter(status=DiscoveredAccount.ACTIVE)
        return active.exclude(member_account_id__in=Account.objects.values("account_id"))


class DiscoveredAccount(FactFromAWS):
    """An AWS account as ListAccounts tells of it; `account` is the connected one that was asked."""

    # The one state in which an account can be used (Organizations User Guide, "Monitor the state of your accounts").
    ACTIVE = "ACTIVE"

    member_account_id = models.CharField("account ID", max_length=12)
    name = models.CharField(max_length=120, blank=True, default="")
    email = models.CharField(max_length=254, blank=True, default="")
    # AWS's own: ACTIVE, SUSPENDED, PENDING_CLOSURE and others.
    status = models.CharField(max_length=30, blank=True, default="")

    objects = DiscoveredAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "member_account_id"], name="discovered_account_once"),
            source_and_time_go_together("discovered_account_source_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.member_account_id})"

    @property
    def is_active(self) -> bool:
        """Whether the account can be used."""
        return self.status == self.ACTIVE
