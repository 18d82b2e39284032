"""Signatures that have proven a key, so that none proves anything twice."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from accounts.models.facts import TenantRow
from accounts.models.person import Person
from accounts.models.rotation import Rotation


class UsedSignatureQuerySet(models.QuerySet["UsedSignature"]):
    """Reading and forgetting them."""

    def visible_to(self, person: Person) -> Self:
        """Those of the rotations that the person sees."""
        return self.filter(rotation__in=Rotation.objects.visible_to(person))

    def expired(self, *, at: datetime) -> Self:
        """Those of requests that are over, which nobody takes any more."""
        return self.filter(expires_at__lte=at)


class UsedSignature(TenantRow):
    """That a signed request has proven the new key of a rotation; `digest` is the SHA-256 of its signature, in hex."""

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = UsedSignatureQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="used_signature_by_end")]

    def __str__(self) -> str:
        return f"Signature for {self.rotation}"
