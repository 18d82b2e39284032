"""Requests: what somebody asks for, and another person must approve first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models.account import Account
from accounts.models.duty import Duty
from accounts.models.facts import TenantRow
from accounts.models.membership import Membership
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person

# Whose duty shows them every request of an organization.
SEE_REQUESTS = frozenset({Duty.OWNER, Duty.ADMIN, Duty.AUDITOR})
DECIDED = ("approved", "declined")


class RequestQuerySet(models.QuerySet["Request"]):
    """Which requests somebody may see, and which wait."""

    def visible_to(self, person: Person) -> Self:
        """All of the organizations whose owner, admin or auditor they are, of the teams they lead, and their own."""
        mine = Membership.objects.active().of(person)
        whole = Q(organization__in=mine.filter(duty__in=SEE_REQUESTS).values("organization"))
        own = Q(made_by=person, organization__in=mine.values("organization"))
        return self.filter(whole | Q(team__in=Team.objects.led_by(person).values("pk")) | own)

    def in_organization(self, organization: Organization) -> Self:
        """Those of one organization."""
        return self.filter(organization=organization)

    def open(self) -> Self:
        """Those that wait for somebody's decision."""
        return self.filter(state=Request.State.OPEN)

    def due(self, at: datetime) -> Self:
        """Those that nobody decided about in time."""
        return self.open().filter(expires_at__lte=at)

    def close(self, request: Request, state: Request.State, *, since: str = "open", **changes: object) -> bool:
        """Let one go on into a state; whether it was still in the state `since`: of two who try, one does it."""
        closed = self.filter(pk=request.pk, state=since).update(state=state, **changes) == 1
        request.refresh_from_db()
        return closed


class Request(TenantRow):
    """A change that lies outside what the person may decide alone.

    `kind` is that of the entry that an approval writes, `change` what it takes besides the subject. `binding` is the
    fingerprint of all that an approver is shown and relies on (`accounts.requestable`): an approval holds for that and
    nothing else. `decided_at` is when it left the state open; `words` says why it was declined or did not hold.
    """

    class State(models.TextChoices):
        OPEN = "open", "Waiting for a decision"
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"
        LAPSED = "lapsed", "Lapsed"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=2048)
    change = models.JSONField(default=dict, blank=True)
    binding = models.CharField(max_length=64)
    reason = models.CharField(max_length=2000)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    words = models.CharField(max_length=2000, blank=True, default="")

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "approved", "declined", "withdrawn", "expired", "lapsed"]),
                name="request_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="request_closed_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=DECIDED) | Q(decided_by__isnull=False), name="request_decided_by_somebody"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="request_decided_by_another",
                violation_error_message="Somebody else decides about it.",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("made_at")), name="request_expires_later"),
            models.CheckConstraint(
                condition=~Q(reason=""), name="request_has_a_reason", violation_error_message="Say why."
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "-made_at"], name="request_of_organization"),
            models.Index(fields=["subject_type", "subject_id"], name="request_about"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether somebody can still decide about it."""
        return self.state == self.State.OPEN
