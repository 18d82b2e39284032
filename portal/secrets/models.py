"""The rows of sealed secrets."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class SealedSecretQuerySet(models.QuerySet["SealedSecret"]):
    """Sealed secrets, by what can still be done with them."""

    def of(self, organization: models.Model) -> Self:
        """Those of one organization, and of no other."""
        return self.filter(organization=organization)

    def ready(self) -> Self:
        """Those that hold a secret still, whether or not their time is over."""
        return self.filter(state=SealedSecret.State.READY)

    def overdue(self, at: datetime) -> Self:
        """Those that hold a secret although their time is over."""
        return self.ready().filter(expires_at__lte=at)


class SealedSecret(models.Model):
    """A secret that one person can open once, encrypted by a key of its own; the row without its contents remains."""

    class State(models.TextChoices):
        """ready → opened, handed over or expired; only a ready one has contents."""

        READY = "ready", "Ready"
        OPENED = "opened", "Opened"
        HANDED = "handed", "Handed over"
        EXPIRED = "expired", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=64)
    bound_to = models.CharField(
        max_length=256, help_text="What the secret belongs to: an access key's or delivery's id."
    )
    state = models.CharField(max_length=7, choices=State, default=State.READY)
    ciphertext = models.BinaryField(null=True)
    nonce = models.BinaryField(null=True)
    wrapped_key = models.BinaryField(null=True)
    key_version = models.CharField(max_length=32)
    browser_key = models.CharField(
        max_length=87, blank=True, default="", help_text="The public key of the browser that alone can read it."
    )
    carried_by = models.CharField(
        max_length=20,
        blank=True,
        default="",
        help_text="The delivery that made it, to which the browser's seal is bound.",
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_from = models.GenericIPAddressField(null=True, blank=True)

    objects = SealedSecretQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="ready", ciphertext__isnull=False, nonce__isnull=False, wrapped_key__isnull=False)
                | (~Q(state="ready") & Q(ciphertext__isnull=True, nonce__isnull=True, wrapped_key__isnull=True)),
                name="sealed_secret_wiped",
                violation_error_message="A sealed secret has contents while it is ready, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(state="opened", opened_at__isnull=False) | (~Q(state="opened") & Q(opened_at__isnull=True)),
                name="sealed_secret_opened_at",
                violation_error_message="A sealed secret says when it was opened once it was, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")),
                name="sealed_secret_has_time",
                violation_error_message="A sealed secret expires after it was sealed.",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="ready"), name="sealed_secret_overdue"),
            models.Index(fields=["organization", "bound_to"], name="sealed_secret_bound_to"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} for {self.bound_to}"
