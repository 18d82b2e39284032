"""Managed policies: the customer's own, and those of AWS that are attached to something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person


class IAMPolicyQuerySet(models.QuerySet["IAMPolicy"]):
    """Which policies somebody may see."""

    def visible_to(self, person: Person) -> IAMPolicyQuerySet:
        """All of the organizations that the person sees whole, and those in the envelopes of the teams they lead."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        led = Team.objects.led_by(person)
        in_envelope = Q(envelopes__team__in=led) | Q(handing_envelopes__team__in=led)
        return self.filter(whole | in_envelope).distinct()

    def present(self) -> IAMPolicyQuerySet:
        """Those that AWS held when it was last read."""
        return self.filter(gone_at__isnull=True)


class IAMPolicy(FactFromAWS):
    """What AWS holds of one managed policy; `document` is its default version's."""

    policy_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    policy_id = models.CharField("unique ID", max_length=128)
    arn = models.CharField(max_length=2048)
    default_version_id = models.CharField(max_length=32, blank=True, default="")
    document = models.JSONField(default=dict, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = IAMPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = "IAM policy"
        verbose_name_plural = "IAM policies"
        constraints = [
            models.UniqueConstraint(fields=["account", "policy_id"], name="iam_policy_id_once"),
            source_and_time_go_together("iam_policy_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.policy_name

    @property
    def is_aws_managed(self) -> bool:
        """Whether it is AWS's own and the same in every account: its ARN names `aws` and no account."""
        return ":iam::aws:policy/" in self.arn
