"""What was decided here of an IAM user, and where AWS differs from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.facts import FactFromAWS, TenantRow, source_and_time_go_together
from accounts.models.iam_user import IAMUser

if TYPE_CHECKING:
    from accounts.models.person import Person


class OfAnIAMUserQuerySet(models.QuerySet[models.Model]):
    """What is known of an IAM user is seen by those who see the IAM user."""

    def visible_to(self, person: Person) -> OfAnIAMUserQuerySet:
        """Those of the IAM users that the person sees."""
        return self.filter(iam_user__in=IAMUser.objects.visible_to(person))


class IAMUserRecord(TenantRow):
    """The portal's record of an IAM user that it manages: what it shall be, by all that was decided here.

    An IAM user without one is not managed: the portal's rows follow AWS. It begins with the first decision about the
    IAM user, as a copy of what AWS holds, and changes with each decision, before AWS has it.
    """

    iam_user = models.OneToOneField(IAMUser, on_delete=models.CASCADE, related_name="record")
    user_name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    # People's tags alone; the portal's own and AWS's are nobody's decision.
    tags = models.JSONField(default=dict, blank=True)
    group_names = models.JSONField(default=list, blank=True)
    permissions_boundary_arn = models.CharField(max_length=2048, blank=True, default="")
    attached_policy_arns = models.JSONField(default=list, blank=True)
    inline_policies = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(default=timezone.now, editable=False)

    objects = OfAnIAMUserQuerySet.as_manager()

    class Meta:
        verbose_name = "record of an IAM user"
        verbose_name_plural = "records of IAM users"

    def __str__(self) -> str:
        return self.user_name


class DriftQuerySet(OfAnIAMUserQuerySet):
    """Reading drift."""

    def open(self) -> DriftQuerySet:
        """That which waits for somebody's decision."""
        return self.filter(state=Drift.State.OPEN)


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
