"""Organizations, the portal's tenants, and their teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.duty import SEE_THE_ORGANIZATION, Duty
from accounts.models.facts import TenantRow

if TYPE_CHECKING:
    from accounts.models.person import Person


# A year: of a key that is older nobody knows any more where it went.
ROTATE_AFTER_AT_LEAST, ROTATE_AFTER_AT_MOST = 1, 365
ROTATE_AFTER_BOUNDS = "Say a number of days from 1 to 365."


class OrganizationQuerySet(models.QuerySet["Organization"]):
    """Which organizations somebody has to do with."""

    def of(self, person: Person) -> OrganizationQuerySet:
        """Those in which the person has a membership that has not ended."""
        return self.filter(membership__person=person, membership__ended_at__isnull=True).distinct()

    def seen_whole_by(self, person: Person) -> OrganizationQuerySet:
        """Those of which the person sees every row, by a duty for all of it."""
        return self.filter(
            membership__person=person,
            membership__person__is_active=True,
            membership__ended_at__isnull=True,
            membership__duty__in=SEE_THE_ORGANIZATION,
        ).distinct()


class Organization(models.Model):
    """A tenant. Nothing of one organization is visible from another."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # The keys of the tags by which imported IAM users name their team and their owner, ignoring case.
    team_tag = models.CharField(max_length=128, default="team")
    owner_tag = models.CharField(max_length=128, default="owner")
    # CIS AWS Foundations Benchmark 1.14: access keys are rotated every 90 days or less.
    rotate_after_days = models.PositiveSmallIntegerField("rotate access keys after", default=90)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rotate_after_days__gte=ROTATE_AFTER_AT_LEAST, rotate_after_days__lte=ROTATE_AFTER_AT_MOST),
                name="organization_rotate_after_days",
                violation_error_message=ROTATE_AFTER_BOUNDS,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TeamQuerySet(models.QuerySet["Team"]):
    """Which teams somebody may see, and which they lead."""

    def visible_to(self, person: Person) -> TeamQuerySet:
        """All of the organizations that the person sees whole, and those they belong to."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        return self.filter(whole | Q(membership__person=person, membership__ended_at__isnull=True)).distinct()

    def led_by(self, person: Person) -> TeamQuerySet:
        """Those that the person leads."""
        return self.filter(
            membership__person=person,
            membership__person__is_active=True,
            membership__ended_at__isnull=True,
            membership__duty=Duty.LEAD,
        )


class Team(TenantRow):
    """People, and the IAM users they look after together."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)

    objects = TeamQuerySet.as_manager()

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


class EnvelopeQuerySet(models.QuerySet["Envelope"]):
    """Which envelopes somebody may see."""

    def visible_to(self, person: Person) -> EnvelopeQuerySet:
        """All of the organizations that the person sees whole, and those of the teams they lead."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        return self.filter(whole | Q(team__in=Team.objects.led_by(person)))


class Envelope(TenantRow):
    """What a team's lead may hand out: in which accounts, which groups and policies, within which limits.

    `tag_rules` are `{"key": "cost-center", "values": ["4711"]}`: the IAM users of the team bear each of these tags,
    with one of the values, or with any where there are none. `version` counts the changes: an approval is bound to it.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="envelope")
    path = models.CharField(max_length=512, default="/")
    accounts = models.ManyToManyField("accounts.Account", blank=True, related_name="envelopes")
    groups = models.ManyToManyField("accounts.IAMGroup", blank=True, related_name="envelopes")
    policies = models.ManyToManyField("accounts.IAMPolicy", blank=True, related_name="handing_envelopes")
    permissions_boundary = models.ForeignKey(
        "accounts.IAMPolicy", on_delete=models.PROTECT, null=True, blank=True, related_name="envelopes"
    )
    tag_rules = models.JSONField(default=list, blank=True)
    iam_user_limit = models.PositiveIntegerField(
        "IAM users", null=True, blank=True, help_text="The most that the team may have; empty for any number."
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = EnvelopeQuerySet.as_manager()

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
