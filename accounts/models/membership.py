"""Who belongs to which organization, and with which duty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, When
from django.utils import timezone

from accounts.models.duty import SEE_THE_ORGANIZATION, Duty
from accounts.models.facts import TenantRow
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person

__all__ = ["SEE_THE_ORGANIZATION", "Duty", "Membership"]


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reading who has which duty where."""

    def active(self) -> MembershipQuerySet:
        """Those that have not ended, of people who are not disabled."""
        return self.filter(ended_at__isnull=True, person__is_active=True)

    def of(self, person: Person) -> MembershipQuerySet:
        """The person's own."""
        return self.filter(person=person)

    def in_organization(self, organization: Organization | int) -> MembershipQuerySet:
        """Those of one organization."""
        return self.filter(organization=organization)

    def see_whole(self, person: Person, organization: Organization) -> bool:
        """Whether the person sees every row of the organization, by a duty for all of it."""
        return self.active().of(person).in_organization(organization).filter(duty__in=SEE_THE_ORGANIZATION).exists()

    def in_order_of_duty(self) -> MembershipQuerySet:
        """The highest duty first."""
        places = [When(duty=duty, then=place) for place, duty in enumerate(Duty)]
        return self.order_by(Case(*places, default=len(places)), "team__name", "person__name", "pk")

    def visible_to(self, person: Person) -> MembershipQuerySet:
        """All of the organizations that the person sees whole, those of the teams they lead, and their own."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        return self.filter(whole | Q(team__in=Team.objects.led_by(person)) | Q(person=person))


class Membership(TenantRow):
    """One duty of one person in one organization, perhaps for one team."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    duty = models.CharField(max_length=10, choices=Duty.choices)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    # Named here because TenantRow's `+` would hide it, and organizations are found by their memberships.
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(duty__in=Duty.values), name="membership_duty_known"),
            models.CheckConstraint(
                condition=~Q(duty=Duty.LEAD) | Q(team__isnull=False),
                name="membership_lead_has_team",
                violation_error_message="A lead leads a team: choose one.",
            ),
            models.UniqueConstraint(
                fields=["person", "organization", "duty", "team"],
                condition=Q(ended_at__isnull=True),
                name="membership_once",
                violation_error_message="This person has this duty already.",
            ),
            # NULL differs from NULL in both databases: without a team it needs a constraint of its own.
            models.UniqueConstraint(
                fields=["person", "organization", "duty"],
                condition=Q(ended_at__isnull=True, team__isnull=True),
                name="membership_once_without_team",
                violation_error_message="This person has this duty already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.get_duty_display()} of {self.team or self.organization}"
