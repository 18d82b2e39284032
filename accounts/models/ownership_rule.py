"""Rules that say whose an imported IAM user is, where its tags do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person


class OwnershipRuleQuerySet(models.QuerySet["OwnershipRule"]):
    """Which rules somebody may see."""

    def visible_to(self, person: Person) -> OwnershipRuleQuerySet:
        """All of the organizations that the person sees whole."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))


class OwnershipRule(TenantRow):
    """An IAM user of this path and name belongs to this team and owner; the first rule that fits decides.

    `name_pattern` is one of `*` and `?` over the whole user name, ignoring case; `path_prefix` begins and ends with a
    slash. Both must fit. Without an account the rule holds in all of the organization's.
    """

    position = models.PositiveIntegerField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    path_prefix = models.CharField(max_length=512, default="/")
    name_pattern = models.CharField(max_length=128, default="*")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="ownership_rules")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    objects = OwnershipRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "position"], name="ownership_rule_position_once"),
            models.CheckConstraint(
                condition=Q(team__isnull=False) | Q(owner__isnull=False),
                name="ownership_rule_says_something",
                violation_error_message="A rule names a team, an owner, or both.",
            ),
            models.CheckConstraint(
                condition=Q(path_prefix__startswith="/") & Q(path_prefix__endswith="/"),
                name="ownership_rule_path_form",
                violation_error_message="A path begins and ends with a slash.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path_prefix}{self.name_pattern}"
