"""IAM groups, and which IAM users are in them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.iam_user import IAMUser

if TYPE_CHECKING:
    from accounts.models.account import Account
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person


class IAMGroupQuerySet(models.QuerySet["IAMGroup"]):
    """Reading groups."""

    def visible_to(self, person: Person) -> IAMGroupQuerySet:
        """All of the organizations that the person sees whole, and those in the envelopes of the teams they lead."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        return self.filter(whole | Q(envelopes__team__in=Team.objects.led_by(person))).distinct()

    def present(self) -> IAMGroupQuerySet:
        """Those that AWS held when it was last read."""
        return self.filter(gone_at__isnull=True)

    def give_way(self, *, account: Account, group_name: str, group_id: str, at: datetime) -> None:
        """A group of this name with another id was deleted and made again: the older row is of the past."""
        older = self.present().filter(account=account, group_name__iexact=group_name)
        older.exclude(group_id=group_id).update(gone_at=at)


class IAMGroup(FactFromAWS):
    """What AWS holds of one IAM group; `inline_policies` maps names to documents."""

    group_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    group_id = models.CharField("unique ID", max_length=128)
    arn = models.CharField(max_length=2048)
    create_date = models.DateTimeField(null=True, blank=True)
    attached_policy_arns = models.JSONField(default=list, blank=True)
    inline_policies = models.JSONField(default=dict, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = IAMGroupQuerySet.as_manager()

    class Meta:
        verbose_name = "IAM group"
        constraints = [
            models.UniqueConstraint(
                "account", Lower("group_name"), condition=Q(gone_at__isnull=True), name="iam_group_name_once"
            ),
            models.UniqueConstraint(fields=["account", "group_id"], name="iam_group_id_once"),
            source_and_time_go_together("iam_group_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.group_name


class GroupMembership(FactFromAWS):
    """That AWS holds an IAM user in a group."""

    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="group_memberships")
    iam_group = models.ForeignKey(IAMGroup, on_delete=models.CASCADE, related_name="group_memberships")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["iam_user", "iam_group"], name="group_membership_once"),
            source_and_time_go_together("group_membership_source_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.iam_user} in {self.iam_group}"
