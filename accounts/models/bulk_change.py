"""One change of many IAM users: what somebody decided for all of them, and what came of each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.membership import SEE_THE_ORGANIZATION, Membership
from portal.ledger.models import Delivery, Entry

if TYPE_CHECKING:
    from accounts.models.person import Person

# How long a plan that nobody has applied stays: what it was made from has changed by then.
PLAN_LASTS = timedelta(hours=1)


class BulkChangeQuerySet(models.QuerySet["BulkChange"]):
    """Which bulk changes somebody may see, and which still have something to do."""

    def visible_to(self, person: Person) -> BulkChangeQuerySet:
        """One's own, and those begun in organizations that the person sees whole; a plan is its maker's alone."""
        mine = Membership.objects.active().of(person)
        whole = mine.filter(duty__in=SEE_THE_ORGANIZATION).values("organization")
        own = Q(by=person, organization__in=mine.values("organization"))
        return self.filter(own | (Q(organization__in=whole) & ~Q(state=BulkChange.State.PLANNED)))

    def running(self) -> BulkChangeQuerySet:
        """Those of which not every row is decided."""
        return self.filter(state=BulkChange.State.RUNNING)

    def stranded(self, *, at: datetime) -> BulkChangeQuerySet:
        """Running ones whose worker has been silent for too long, or that none has taken."""
        return self.running().filter(lease_until__lt=at)

    def expired(self, *, at: datetime) -> BulkChangeQuerySet:
        """Plans that nobody has applied in time."""
        return self.filter(state=BulkChange.State.PLANNED, created_at__lte=at - PLAN_LASTS)


class BulkChange(TenantRow):
    """What somebody decided for many IAM users at once. Each row is decided by itself, in their name.

    `change` says what: `{"group": …}`, `{"key": …, "value": …}` of a tag, `{"team": id, "owner": id, "kind": …,
    "purpose": …}`, or `{"file": name}` for one whose rows each say their own. One that undoes another says which:
    `{"undoes": id}`.
    """

    class Kind(models.TextChoices):
        ADD_TO_GROUP = "add_to_group", "Add to group"
        REMOVE_FROM_GROUP = "remove_from_group", "Remove from group"
        SET_TAG = "set_tag", "Set tag"
        ASSIGN = "assign", "Assign"
        DELETE = "delete", "Delete"
        CSV = "csv", "CSV file"
        ASK_TO_ROTATE = "ask_to_rotate", "Ask to rotate"
        ROTATE_KEY = "rotate_key", "Rotate key"
        MAKE_KEY_INACTIVE = "make_key_inactive", "Make inactive"
        MAKE_KEY_ACTIVE = "make_key_active", "Make active"

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        DONE = "done", "Done"

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_changes")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    change = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=2000, blank=True, default="")
    state = models.CharField(max_length=8, choices=State.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Until when a worker is at it: until then beat does not ring for it again.
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = BulkChangeQuerySet.as_manager()

    class Meta:
        verbose_name = "bulk change"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["planned", "running", "done"]), name="bulk_change_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="done", finished_at__isnull=False) | (~Q(state="done") & Q(finished_at__isnull=True)),
                name="bulk_change_ended_has_a_time",
            ),
        ]
        indexes = [
            # Home shows those that run; beat finds those that nobody is at.
            models.Index(fields=["organization", "state", "-created_at"], name="bulk_change_listed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.what}".rstrip()

    @property
    def what(self) -> str:
        """What the words of its kind leave open: which group, which tag, which file."""
        change = self.change
        if self.kind == self.Kind.SET_TAG:
            return f"{change['key']} = {change['value']}"
        return str(change.get("group") or change.get("file") or "")

    def is_expired(self, *, at: datetime) -> bool:
        """Whether it is a plan that can be applied no more."""
        return self.state == self.State.PLANNED and self.created_at <= at - PLAN_LASTS


class BulkRowQuerySet(models.QuerySet["BulkRow"]):
    """The rows of bulk changes, by what came of them."""

    def visible_to(self, person: Person) -> BulkRowQuerySet:
        """Those of the bulk changes that the person sees."""
        return self.filter(bulk_change__in=BulkChange.objects.visible_to(person))

    def undecided(self) -> BulkRowQuerySet:
        """Those that wait for their turn."""
        return self.filter(state=BulkRow.State.PENDING)

    def count_by_state(self) -> dict[str, int]:
        """How many there are in each state, with zeros."""
        counted = dict(self.order_by().values_list("state").annotate(Count("pk")))
        return {state: counted.get(state, 0) for state in BulkRow.State.values}

    def count_on_their_way(self) -> dict[str, int]:
        """How many of the decided have something `stuck`, or else `pending`; of the others all has arrived."""
        stuck = self.filter(entries__deliveries__state=Delivery.State.STUCK).distinct().count()
        open_ones = self.filter(entries__deliveries__state__in=Delivery.OPEN).distinct().count()
        return {"stuck": stuck, "pending": open_ones - stuck}


class BulkRow(TenantRow):
    """One IAM user of a bulk change: decided exactly once, or refused with a sentence that says why.

    `plan` is what a row of a file says by itself; its form is in `accounts.usecases.csv_plan`. Of a change of access
    keys it is `{"access_key_id": …}` where the key was chosen and not its IAM user.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting its turn"
        DECIDED = "decided", "Decided"
        REFUSED = "refused", "Refused"
        UNCHANGED = "unchanged", "Left alone"

    bulk_change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField(help_text="Its line in the file, or its place in the list.")
    # Empty for one that is still to be made.
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, null=True, blank=True, related_name="bulk_rows")
    name = models.CharField(max_length=300)
    plan = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    sentence = models.TextField(blank=True, default="")
    entries = models.ManyToManyField(Entry, blank=True, related_name="bulk_rows")

    objects = BulkRowQuerySet.as_manager()

    class Meta:
        verbose_name = "row of a bulk change"
        verbose_name_plural = "rows of bulk changes"
        constraints = [
            # The next ones to decide, and the page's rows, in their order.
            models.UniqueConstraint(fields=["bulk_change", "position"], name="bulk_row_position_once"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "decided", "refused", "unchanged"]), name="bulk_row_state_known"
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(sentence=""), name="bulk_row_refused_says_why"),
        ]

    def __str__(self) -> str:
        return self.name
