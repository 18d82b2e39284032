"""Rotations: a new access key takes the place of an old one, and no moment passes at which neither works."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.credentials import AccessKey
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet
from accounts.models.key_destination import KeyDestination

OPEN_STATES = ("started", "made", "delivered", "proven", "deactivated")


class RotationQuerySet(OfAnIAMUserQuerySet["Rotation"]):
    """Reading rotations."""

    def open(self) -> Self:
        """Those that have not ended."""
        return self.filter(state__in=OPEN_STATES)

    def of_key(self, access_key: AccessKey) -> Self:
        """Those in which the key is the old one or the new one."""
        return self.filter(Q(old_key=access_key) | Q(new_key=access_key))

    def reopen(self) -> None:
        """The old key works again; what nothing but somebody's word has proven is to be proven still."""
        works = {"deactivated_at": None, "watch_until": None, "is_inactive_elsewhere": False}
        inactive = self.filter(state=Rotation.State.DEACTIVATED)
        by_word = inactive.filter(proven_by=Rotation.ProvenBy.WORD)
        by_word.update(**works, state=Rotation.State.DELIVERED, proven_by="", proven_at=None)
        inactive.update(**works, state=Rotation.State.PROVEN)


class Rotation(TenantRow):
    """One access key being replaced by another; it may be left for months and come back to.

    `state` says what AWS and the owner are known to have done, not what was decided: a step counts once it has arrived.
    `new_key_first_used_at` is the earliest use of the new key that is known of; AWS tells of the last use alone.
    """

    class State(models.TextChoices):
        STARTED = "started", "New key on its way"
        MADE = "made", "New key waits to be opened"
        DELIVERED = "delivered", "New key not proven yet"
        PROVEN = "proven", "New key works"
        DEACTIVATED = "deactivated", "Old key inactive"
        DONE = "done", "Old key deleted"
        GIVEN_UP = "given_up", "Given up"
        LAPSED = "lapsed", "Lapsed"

    class ProvenBy(models.TextChoices):
        USE = "use", "its use, seen in AWS"
        REQUEST = "request", "a signed request"
        WORD = "word", "the word of whoever went on"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="rotations")
    old_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="rotations_away")
    new_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, null=True, blank=True, related_name="rotations_to")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=11, choices=State.choices, default=State.STARTED)
    started_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)
    proven_by = models.CharField(max_length=7, choices=ProvenBy.choices, blank=True, default="")
    new_key_first_used_at = models.DateTimeField(null=True, blank=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    # By somebody past the portal, who may have had a reason that its owner does not know.
    is_inactive_elsewhere = models.BooleanField(default=False)
    watch_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Where the new key was put instead of being sealed, and as which version of the secret.
    destination = models.ForeignKey(
        KeyDestination, on_delete=models.SET_NULL, null=True, blank=True, related_name="rotations"
    )
    secret_version = models.CharField(max_length=64, blank=True, default="")

    objects = RotationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["iam_user"],
                condition=Q(state__in=OPEN_STATES),
                name="rotation_open_once",
                violation_error_message="A rotation of this IAM user is open already. Go on with that one.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN_STATES, "done", "given_up", "lapsed"]), name="rotation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="started", new_key=None)
                | Q(state__in=["given_up", "lapsed"])
                | (Q(new_key__isnull=False) & ~Q(state="started")),
                name="rotation_has_its_new_key",
            ),
            models.CheckConstraint(
                condition=Q(state="deactivated", deactivated_at__isnull=False, watch_until__isnull=False)
                | Q(state__in=["done", "lapsed"])
                | Q(deactivated_at=None, watch_until=None),
                name="rotation_watched_while_inactive",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, ended_at=None)
                | (~Q(state__in=OPEN_STATES) & Q(ended_at__isnull=False)),
                name="rotation_ended_at",
            ),
            models.CheckConstraint(condition=~Q(old_key=models.F("new_key")), name="rotation_of_two_keys"),
        ]
        indexes = [models.Index(fields=["state", "started_at"], name="rotation_by_state")]

    def __str__(self) -> str:
        return f"Rotation of {self.old_key}"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN_STATES

    @property
    def old_key_was_used_since(self) -> bool:
        """Whether somebody still uses the old key although the new one is in use, by what is known.

        AWS rounds the time of a use to about a quarter of an hour (IAM User Guide, "Find unused AWS credentials").
        """
        used, first = self.old_key.last_used_date, self.new_key_first_used_at
        return used is not None and first is not None and used > first

    def is_watched(self, *, at: datetime) -> bool:
        """Whether the old key is inactive and may still turn out to be missed."""
        return self.watch_until is not None and at < self.watch_until
