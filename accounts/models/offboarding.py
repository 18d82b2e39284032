"""Offboardings: somebody leaves an organization, and all that is theirs in AWS stops working and then goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet
from accounts.models.membership import Membership
from accounts.models.organization import Organization, Team
from portal.ledger.models import Delivery, Entry

if TYPE_CHECKING:
    from accounts.models.person import Person

# What has not arrived by then needs somebody's attention.
CONVERGED_WITHIN = timedelta(minutes=15)


class OffboardingQuerySet(models.QuerySet["Offboarding"]):
    """Which offboardings somebody may see, and which are not getting on."""

    def visible_to(self, person: Person) -> Self:
        """All of the organizations that the person sees whole, and those of the members of the teams they lead."""
        whole = Organization.objects.seen_whole_by(person)
        led = Membership.objects.filter(team__in=Team.objects.led_by(person)).values("pk")
        ended = Offboarding.memberships.through._default_manager.filter(membership__in=led).values("offboarding")
        return self.filter(Q(organization__in=whole) | Q(pk__in=ended))

    def in_organization(self, organization: Organization) -> Self:
        """Those of one organization."""
        return self.filter(organization=organization)

    def due(self, at: datetime) -> Self:
        """Those whose deletion is to be decided now."""
        return self.filter(state=Offboarding.State.STARTED, delete_after__lte=at)

    def arrived(self) -> Self:
        """Those whose deletion was decided, of which AWS holds nothing that is not gone."""
        left = OffboardedIAMUser.objects.undeleted().filter(offboarding=OuterRef("pk"))
        return self.filter(Q(state=Offboarding.State.DELETING) & ~Exists(left))

    def open(self) -> Self:
        """Those that have not ended: neither undone nor concluded."""
        return self.filter(state__in=Offboarding.OPEN)

    def late(self, at: datetime) -> Self:
        """Those of which something decided more than 15 minutes ago has not arrived in AWS."""
        since = at - CONVERGED_WITHIN
        is_long_ago = (
            Q(state=Offboarding.State.STARTED, begun_at__lt=since)
            | Q(state=Offboarding.State.DELETING, deletion_decided_at__lt=since)
            | Q(state=Offboarding.State.UNDONE, undone_at__lt=since)
        )
        left = OffboardedIAMUser.objects.unconverged().filter(offboarding=OuterRef("pk"))
        return self.filter(is_long_ago & Exists(left))


class Offboarding(TenantRow):
    """One person's leaving: disabled at once, deleted when `delete_after` has come, undone until that was decided.

    `memberships` are those that it ended, and that undoing restores.
    """

    class State(models.TextChoices):
        STARTED = "started", "Disabled until deleted"
        DELETING = "deleting", "Being deleted"
        UNDONE = "undone", "Undone"
        CONCLUDED = "concluded", "Concluded"

    OPEN = (State.STARTED, State.DELETING)

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="offboardings")
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=2000)
    memberships = models.ManyToManyField(Membership, related_name="+", blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STARTED)
    begun_at = models.DateTimeField()
    delete_after = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    deletion_decided_at = models.DateTimeField(null=True, blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)

    objects = OffboardingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "person"],
                condition=Q(state__in=["started", "deleting"]),
                name="offboarding_open_once",
                violation_error_message="This person is being offboarded already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["started", "deleting", "undone", "concluded"]), name="offboarding_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="started", undone_at=None, deletion_decided_at=None, concluded_at=None)
                | Q(state="undone", undone_at__isnull=False, deletion_decided_at=None, concluded_at=None)
                | Q(state="deleting", undone_at=None, deletion_decided_at__isnull=False, concluded_at=None)
                | Q(state="concluded", undone_at=None, deletion_decided_at__isnull=False, concluded_at__isnull=False),
                name="offboarding_state_and_times",
                violation_error_message="An offboarding says when it was undone, deleted or concluded, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(delete_after__gte=models.F("begun_at")), name="offboarding_deletes_after_it_began"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="offboarding_has_a_reason"),
        ]
        indexes = [models.Index(fields=["state", "delete_after"], name="offboarding_due")]

    def __str__(self) -> str:
        return f"Offboarding of {self.person}"

    @property
    def is_open(self) -> bool:
        """It has neither been undone nor concluded."""
        return self.state in self.OPEN

    @property
    def may_be_undone(self) -> bool:
        """Nobody has decided the deletion yet."""
        return self.state == self.State.STARTED


class OffboardedIAMUserQuerySet(OfAnIAMUserQuerySet["OffboardedIAMUser"]):
    """What an offboarding takes, and how far each of it is."""

    def theirs(self) -> Self:
        """The IAM users of the person themselves, which are disabled and deleted."""
        return self.filter(kind=IAMUser.Kind.PERSON)

    def applications(self) -> Self:
        """Those that the person only owned: another owner is needed, and nothing of them is touched."""
        return self.filter(kind=IAMUser.Kind.APPLICATION)

    def with_steps(self) -> Self:
        """With everything that a row of a page shows, in a fixed number of queries."""
        related = ("iam_user__account", "iam_user__owner", "iam_user__team", "disabled", "enabled", "deleted")
        steps = ("disabled__deliveries", "enabled__deliveries", "deleted__deliveries")
        return self.select_related(*related).prefetch_related(*steps)

    def unconverged(self) -> Self:
        """Those whose last step has not arrived in AWS.

        One whose disabling was given up counts: it may still work. That enabling was given up is a human's decision.
        """
        present = Q(iam_user__gone_at=None)
        disabling = Q(offboarding__state=Offboarding.State.STARTED) & present & ~_has_arrived("disabled")
        deleting = Q(offboarding__state=Offboarding.State.DELETING) & present & ~_has_arrived("deleted")
        enabling = Q(offboarding__state=Offboarding.State.UNDONE) & _is_open("enabled")
        return self.theirs().filter(disabling | deleting | enabling)

    def undeleted(self) -> Self:
        """Those of which AWS may still hold something."""
        return self.theirs().filter(Q(iam_user__gone_at=None) & ~_has_arrived("deleted"))


class OffboardedIAMUser(TenantRow):
    """One IAM user of theirs in an offboarding; each step's entry says by its delivery how far it is.

    What was active before is written down when it is made inactive in AWS, so that undoing restores that and no more.
    """

    offboarding = models.ForeignKey(Offboarding, on_delete=models.CASCADE, related_name="iam_users")
    iam_user = models.ForeignKey(IAMUser, on_delete=models.PROTECT, related_name="offboardings")
    # The IAM user's at that time: what is a person's goes, what is an application's needs another owner.
    kind = models.CharField(max_length=12, choices=IAMUser.Kind.choices)
    active_access_key_ids = models.JSONField(default=list, blank=True)
    had_login_profile = models.BooleanField(default=False)
    disabled = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    enabled = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    deleted = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = OffboardedIAMUserQuerySet.as_manager()

    class Meta:
        verbose_name = "offboarded IAM user"
        constraints = [
            models.UniqueConstraint(fields=["offboarding", "iam_user"], name="offboarded_iam_user_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["person", "application"]), name="offboarded_iam_user_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind="person", disabled__isnull=False)
                | Q(kind="application", disabled=None, enabled=None, deleted=None),
                name="offboarded_iam_user_steps",
                violation_error_message="A person's IAM user is disabled, an application's is left alone.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.iam_user)


def _has_arrived(step: str) -> Exists:
    return _deliveries(step, [Delivery.State.DONE])


def _is_open(step: str) -> Exists:
    return _deliveries(step, list(Delivery.OPEN))


def _deliveries(step: str, states: list[Delivery.State]) -> Exists:
    return Exists(Delivery.objects.filter(entry=OuterRef(step), state__in=states))
