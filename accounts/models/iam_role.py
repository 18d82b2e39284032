"""IAM roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.organization import Organization

if TYPE_CHECKING:
    from accounts.models.person import Person


class IAMRoleQuerySet(models.QuerySet["IAMRole"]):
    """Which roles somebody may see."""

    def visible_to(self, person: Person) -> IAMRoleQuerySet:
        """All of the organizations that the person sees whole; a team has none."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))


class IAMRole(FactFromAWS):
    """What AWS holds of one role; `trust_policy` says who may assume it."""

    role_name = models.CharField(max_length=64)
    path = models.CharField(max_length=512, default="/")
    role_id = models.CharField("unique ID", max_length=128)
    arn = models.CharField(max_length=2048)
    trust_policy = models.JSONField(default=dict, blank=True)
    attached_policy_arns = models.JSONField(default=list, blank=True)
    inline_policies = models.JSONField(default=dict, blank=True)
    permissions_boundary_arn = models.CharField(max_length=2048, blank=True, default="")
    tags = models.JSONField(default=dict, blank=True)
    last_used_date = models.DateTimeField(null=True, blank=True)
    create_date = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = IAMRoleQuerySet.as_manager()

    class Meta:
        verbose_name = "IAM role"
        constraints = [
            models.UniqueConstraint(fields=["account", "role_id"], name="iam_role_id_once"),
            source_and_time_go_together("iam_role_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.role_name
