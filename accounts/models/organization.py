"""Organizations, the portal's tenants, and their teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.facts import TenantRow

if TYPE_CHECKING:
    from accounts.models.person import Person


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Which organizations somebody has to do with."""

    def of(self, person: Person) -> OrganizationQuerySet:
        """Those in which the person has a membership that has not ended."""
        return self.filter(membership__person=person, membership__ended_at__isnull=True).distinct()


class Organization(models.Model):
    """A tenant. Nothing of one organization is visible from another."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OrganizationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Team(TenantRow):
    """People, and the IAM users they look after together."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="team_name_once",
                violation_error_message="This team exists already.",
            ),
            models.UniqueConstraint(fields=["organization", "slug"], name="team_slug_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Envelope(TenantRow):
    """What a team's lead may hand out: in which accounts, which groups, under which path."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="envelope")
    path = models.CharField(max_length=512, default="/")
    accounts = models.ManyToManyField("accounts.Account", blank=True, related_name="envelopes")
    groups = models.ManyToManyField("accounts.IAMGroup", blank=True, related_name="envelopes")
    permissions_boundary = models.ForeignKey(
        "accounts.IAMPolicy", on_delete=models.PROTECT, null=True, blank=True, related_name="envelopes"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(path__startswith="/") & Q(path__endswith="/"),
                name="envelope_path_form",
                violation_error_message="A path begins and ends with a slash.",
            ),
        ]

    def __str__(self) -> str:
        return f"Envelope of {self.team}"
