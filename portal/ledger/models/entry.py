"""Entries, written once, and the head of each organization's chain."""

import uuid
from typing import Self

from django.db import models

# What stands before an organization's first entry.
NO_HASH = "0" * 64


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries, by what people look for."""

    def of(self, organization: models.Model) -> Self:
        """The entries of one organization, and of no other."""
        return self.filter(organization=organization)

    def about(self, subject_type: str, subject_id: object) -> Self:
        """The entries about one thing."""
        return self.filter(subject_type=subject_type, subject_id=str(subject_id))

    def by(self, person: models.Model) -> Self:
        """What one person decided or tried."""
        return self.filter(by_id=str(person.pk))


class Entry(models.Model):
    """One line of the ledger: who decided or tried what, why, on what, when. Never changed, never deleted.

    Names are kept as text, so that an entry outlives the person and the thing it names. The database refuses
    UPDATE and DELETE (`guards.py`); `chain.py` says how the hashes are made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+", db_index=False)
    sequence = models.PositiveBigIntegerField(help_text="Counts an organization's entries from 1, without gaps.")
    kind = models.CharField(max_length=100)
    at = models.DateTimeField()
    by_id = models.CharField(max_length=64, blank=True, help_text="Empty where the portal itself acted.")
    by_name = models.CharField(max_length=320)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=200)
    subject_name = models.CharField(max_length=1000)
    reason = models.CharField(max_length=2000, blank=True)
    ticket = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sequence"],
                name="entry_sequence_once",
                violation_error_message="The organization already has an entry with this number.",
            ),
            models.CheckConstraint(
                condition=models.Q(sequence__gte=1),
                name="entry_sequence_from_one",
                violation_error_message="Entries are counted from 1.",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "subject_type", "subject_id", "sequence"], name="entry_about"),
            models.Index(fields=["organization", "by_id", "sequence"], name="entry_by"),
            models.Index(fields=["organization", "kind", "sequence"], name="entry_of_kind"),
            models.Index(fields=["organization", "at"], name="entry_in_time"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind}"


class Head(models.Model):
    """Where an organization's chain ends. Its row is locked while an entry is added."""

    organization = models.OneToOneField(
        "accounts.Organization", models.PROTECT, related_name="+", primary_key=True, editable=False
    )
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=NO_HASH)

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.sequence}"
