"""Invitations: how somebody comes into an organization."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.duty import Duty
from accounts.models.facts import TenantRow
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person

HASH_LENGTH = 64


def hash_of(token: str) -> str:
    """What is kept of a token: its SHA-256, as 64 hexadecimal digits. It has 256 random bits, so no salt is needed."""
    return sha256(token.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Which invitations somebody may see, which can still be taken up, and which must still be sent."""

    def visible_to(self, person: Person) -> InvitationQuerySet:
        """All of the organizations that the person sees whole, and those to the teams they lead."""
        whole = Q(organization__in=Organization.objects.seen_whole_by(person))
        return self.filter(whole | Q(team__in=Team.objects.led_by(person)))

    def open(self) -> InvitationQuerySet:
        """Neither accepted nor revoked; those that have expired are among them."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True)

    def good(self, *, at: datetime) -> InvitationQuerySet:
        """Those that can be accepted now."""
        return self.open().filter(expires_at__gt=at)

    def unsent(self, *, at: datetime) -> InvitationQuerySet:
        """Those whose mail nobody has sent, or is sending just now."""
        return self.good(at=at).filter(sent_at__isnull=True, lease_until__lte=at)


class Invitation(TenantRow):
    """That somebody with this e-mail may have a duty here, once they follow the link in their mail.

    Only the hash of the link's token is kept; it is empty until the mail is sent. `lease_until` is until when the mail
    is a worker's to send.
    """

    email = models.EmailField("e-mail", max_length=254)
    name = models.CharField(max_length=150, blank=True, default="")
    duty = models.CharField(max_length=10, choices=Duty.choices, default=Duty.MEMBER)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="invitations")
    token_hash = models.CharField(max_length=HASH_LENGTH, blank=True, default="", editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_once",
                violation_error_message="This person is invited already. Send the invitation again, or revoke it.",
            ),
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="invitation_token_once"),
            models.CheckConstraint(condition=Q(duty__in=Duty.values), name="invitation_duty_known"),
            models.CheckConstraint(
                condition=~Q(duty=Duty.LEAD) | Q(team__isnull=False),
                name="invitation_lead_has_team",
                violation_error_message="A lead leads a team: choose one.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_once"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="invitation_lasts_for_a_while"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def is_expired(self, *, at: datetime) -> bool:
        """Whether it is too late to accept it."""
        return self.expires_at <= at
