"""Deliveries: carrying an entry to AWS, and where that stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Count, Exists, ExpressionWrapper, F, Min, OuterRef, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import formats, timezone


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, by what workers and people look for."""

    def of(self, organization: models.Model) -> Self:
        """The deliveries of one organization, and of no other."""
        return self.filter(organization=organization)

    def open(self) -> Self:
        """Those that have not ended: the next one about the same subject waits for them."""
        return self.filter(state__in=Delivery.OPEN)

    def stuck(self) -> Self:
        """Those that need a human."""
        return self.filter(state=Delivery.State.STUCK)

    def for_subject(self, subject: str) -> Self:
        """Those about one subject: its ARN."""
        return self.filter(subject=subject)

    def about(self, subject_type: str, subject_id: object) -> Self:
        """Those whose entry is about one thing, whatever ARN it had when that was decided."""
        return self.filter(entry__subject_type=subject_type, entry__subject_id=str(subject_id))

    def deliverable(self, at: datetime) -> Self:
        """Those that may be carried now: their time has come and nothing earlier about the subject is open.

        Safe to claim by on PostgreSQL, where the subquery sees the statement's snapshot: an earlier delivery that is
        closed never opens again, and a later one is committed after it (the organization's head is locked until then).
        """
        is_time = Q(state=Delivery.State.DUE) | Q(state=Delivery.State.WAITING, not_before__lte=at)
        earlier = Delivery.objects.open().filter(
            organization=OuterRef("organization"),
            lane=OuterRef("lane"),
            subject=OuterRef("subject"),
            sequence__lt=OuterRef("sequence"),
        )
        return self.filter(is_time & ~Exists(earlier))

    def stranded(self, at: datetime) -> Self:
        """Those whose worker was not heard of before its lease ran out."""
        return self.filter(state=Delivery.State.CALLING, lease_until__lt=at)

    def due_since(self, at: datetime) -> datetime | None:
        """Since when the oldest of those is due that may be carried now; None where none is."""
        due: datetime | None = self.deliverable(at).aggregate(due=Min(Coalesce("not_before", "created_at")))["due"]
        return due

    def count_by_state(self) -> dict[str, int]:
        """How many there are in each state, with zeros."""
        counted = dict(self.order_by().values_list("state").annotate(Count("pk")))
        return {state: counted.get(state, 0) for state in Delivery.State.values}

    def count_by_seconds(self, limits: Sequence[float]) -> tuple[list[int], float]:
        """How many of the delivered took at most that long, by limit, then all of them; and their seconds."""
        took = ExpressionWrapper(F("done_at") - F("created_at"), models.DurationField())
        counts = {
            f"within_{place}": Count("pk", filter=Q(took__lte=timedelta(seconds=limit)))
            for place, limit in enumerate(limits)
        }
        done = self.filter(state=Delivery.State.DONE).annotate(took=took)
        found = done.aggregate(seconds=Sum("took"), **counts, all=Count("pk"))
        return [found[name] for name in (*counts, "all")], (found["seconds"] or timedelta()).total_seconds()


class Delivery(models.Model):
    """One entry on its way to one AWS account."""

    class State(models.TextChoices):
        """due → calling → done, waiting (then due again by time), stuck or given up."""

        DUE = "due", "Pending"
        CALLING = "calling", "Calling AWS"
        DONE = "done", "Delivered"
        WAITING = "waiting", "Waiting"
        STUCK = "stuck", "Stuck"
        GIVEN_UP = "given_up", "Given up"

    class StuckKind(models.TextChoices):
        """Why a human is needed; the label ends the sentence "Stuck: …"."""

        DENIED = "denied", "AWS denied it"
        REFUSED = "refused", "AWS refused it"
        CONFLICT = "conflict", "AWS holds something else"
        OUTDATED = "outdated", "it does not hold any more"
        UNKNOWN = "unknown", "the outcome is unknown"

    class Queue(models.TextChoices):
        """Who waits for it: a person before a bulk change before an import."""

        INTERACTIVE = "interactive"
        BULK = "bulk"
        IMPORT = "import"

    OPEN = (State.DUE, State.CALLING, State.WAITING, State.STUCK)

    entry = models.ForeignKey("ledger.Entry", models.PROTECT, related_name="deliveries")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+", db_index=False)
    sequence = models.PositiveBigIntegerField(help_text="The entry's, by which deliveries of a subject are ordered.")
    lane = models.CharField(max_length=12, help_text="The AWS account's id, 12 digits.")
    subject = models.CharField(max_length=1000, help_text="The ARN that it is about, or will be.")
    queue = models.CharField(max_length=11, choices=Queue, default=Queue.INTERACTIVE)
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    attempts = models.PositiveIntegerField(default=0, help_text="Since it was recorded or last tried again.")
    times_stranded = models.PositiveIntegerField(default=0, help_text="In a row, with no outcome between.")
    not_before = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    stuck_kind = models.CharField(max_length=8, choices=StuckKind, blank=True)
    error = models.TextField(blank=True, help_text="What happened last time, as a sentence.")
    aws_request_id = models.CharField(max_length=128, blank=True)
    baseline = models.JSONField(null=True, blank=True, help_text="What AWS held before the first doubtful call.")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "lane", "subject"],
                name="delivery_once_per_entry",
                violation_error_message="The entry already has a delivery about this subject.",
            ),
            models.CheckConstraint(
                condition=Q(state="calling", claim__isnull=False, lease_until__isnull=False)
                | (~Q(state="calling") & Q(claim__isnull=True, lease_until__isnull=True)),
                name="delivery_claim_while_calling",
                violation_error_message="A delivery has a claim and a lease while it calls AWS, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", not_before__isnull=False)
                | (~Q(state="waiting") & Q(not_before__isnull=True)),
                name="delivery_time_while_waiting",
                violation_error_message="A delivery says until when it waits while it waits, and only then.",
            ),
            models.CheckConstraint(
                condition=(Q(state="stuck") & ~Q(stuck_kind="")) | (~Q(state="stuck") & Q(stuck_kind="")),
                name="delivery_kind_while_stuck",
                violation_error_message="A delivery says why it is stuck while it is stuck, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "given_up"], done_at__isnull=False)
                | (~Q(state__in=["done", "given_up"]) & Q(done_at__isnull=True)),
                name="delivery_end_when_ended",
                violation_error_message="A delivery says when it ended once it has ended, and only then.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "subject", "sequence"], name="delivery_about_subject"),
            # Not partial: SQLite does not see that a choice of two states with bound values implies the condition.
            models.Index(fields=["state", "not_before"], name="delivery_deliverable"),
            models.Index(fields=["lease_until"], condition=Q(state="calling"), name="delivery_stranded"),
            models.Index(fields=["organization", "state", "created_at"], name="delivery_listed"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} to {self.lane}"

    @property
    def is_open(self) -> bool:
        """It has neither arrived nor been given up."""
        return self.state in self.OPEN

    def state_in_words(self, now: datetime) -> str:
        """The state as pages say it: "Pending", "Delivered", "Waiting until 12:04", "Stuck: AWS denied it"."""
        if self.state == self.State.STUCK:
            return f"Stuck: {self.get_stuck_kind_display()}"
        if self.state == self.State.WAITING and self.not_before is not None and self.not_before > now:
            return f"Waiting until {_clock_time(self.not_before, now)}"
        return "Pending" if self.is_open else self.get_state_display()


def _clock_time(moment: datetime, now: datetime) -> str:
    local, local_now = timezone.localtime(moment), timezone.localtime(now)
    return formats.date_format(local, "H:i" if local.date() == local_now.date() else "j M H:i")
