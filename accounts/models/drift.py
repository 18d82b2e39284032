"""Drift: where AWS differs from what was decided here of an IAM user."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models.attributes import are_same
from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import IAMUserRecord, OfAnIAMUserQuerySet, held_now
from portal.ledger.models import Delivery


class DriftQuerySet(OfAnIAMUserQuerySet["Drift"]):
    """Reading drift, and keeping what is open true between two imports."""

    def open(self) -> Self:
        """That which waits for somebody's decision."""
        return self.filter(state=Drift.State.OPEN)

    def ended(self) -> Self:
        """That which was decided, was adopted by itself, or is no difference any more."""
        return self.exclude(state=Drift.State.OPEN)

    def look_again(self, iam_user: IAMUser, *, at: datetime) -> None:
        """The row of the IAM user or the record has just changed: what is open of it is told anew, or has ended.

        Nothing is opened here: that takes a reading of the whole account.
        """
        found = list(self.open().filter(iam_user=iam_user, kind=Drift.Kind.CHANGED))
        record = IAMUserRecord.objects.filter(iam_user=iam_user).first() if found else None
        if record is None or is_on_its_way(iam_user):
            return
        differences = record.attributes.differences(held_now(iam_user))
        for drift in found:
            drift.tell(differences.get(drift.attribute), at=at)

    def end(self, iam_user: IAMUser, *, at: datetime) -> None:
        """There is nothing left to compare with."""
        self.open().filter(iam_user=iam_user).update(state=Drift.State.ENDED, ended_at=at)


class Drift(FactFromAWS):
    """AWS holds something of an IAM user that was not decided here.

    Of an IAM user that the portal manages it is open until somebody adopts or reverts it, or AWS is as it was decided
    again. What is new or not managed is adopted by itself, and is kept so that people can read what changed.
    """

    class Kind(models.TextChoices):
        NEW = "new", "New"
        GONE = "gone", "Gone"
        CHANGED = "changed", "Changed"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ADOPTED = "adopted", "Adopted"
        REVERTED = "reverted", "Reverted"
        ENDED = "ended", "Ended by itself"

    class Attribute(models.TextChoices):
        NONE = "", "All of it"
        USER_NAME = "user_name", "User name"
        PATH = "path", "Path"
        TAGS = "tags", "Tags"
        GROUPS = "group_names", "Groups"
        PERMISSIONS_BOUNDARY = "permissions_boundary_arn", "Permissions boundary"
        ATTACHED_POLICIES = "attached_policy_arns", "Attached policies"
        INLINE_POLICIES = "inline_policies", "Inline policies"

    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="drift")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # Of what has changed: the record's field.
    attribute = models.CharField(max_length=30, choices=Attribute.choices, blank=True, default="")
    decided = models.JSONField(null=True, blank=True)
    held = models.JSONField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DriftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["iam_user", "attribute"], condition=Q(state="open"), name="drift_open_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=["new", "gone", "changed"]), name="drift_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "adopted", "reverted", "ended"]), name="drift_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="drift_ended_has_a_time",
            ),
            source_and_time_go_together("drift_source_and_time"),
        ]
        indexes = [
            # The page of an account lists what is open first, then what was seen last.
            models.Index(fields=["account", "state", "-read_at"], name="drift_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.iam_user} {self.attribute}".rstrip()

    def tell(self, difference: tuple[object, object] | None, *, at: datetime) -> None:
        """What differs now; None where nothing does any more."""
        if difference is None:
            self.close(self.State.ENDED, at=at)
        elif self.is_news(difference):
            self.decided, self.held = difference
            self.read_at = at
            self.save(update_fields=["decided", "held", "read_at"])

    def close(self, state: Drift.State, *, at: datetime) -> None:
        """Somebody has decided about it."""
        self.state, self.ended_at = state, at
        self.save(update_fields=["state", "ended_at"])

    def open_again(self) -> None:
        """What was decided about it was given up."""
        self.state, self.ended_at = self.State.OPEN, None
        self.save(update_fields=["state", "ended_at"])

    def is_news(self, difference: tuple[object, object]) -> bool:
        """Whether it differs in another way than it says."""
        decided, held = difference
        return not (are_same(self.attribute, self.decided, decided) and are_same(self.attribute, self.held, held))


def is_on_its_way(iam_user: IAMUser) -> bool:
    """Whether something decided about it has not reached AWS: until then a difference is no drift."""
    return Delivery.objects.of(iam_user.organization).open().about("iam_user", iam_user.pk).exists()
