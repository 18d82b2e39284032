"""That somebody was asked to rotate an access key of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from accounts.models.bulk_change import BulkChange
from accounts.models.credentials import AccessKey
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet
from accounts.models.rotation import Rotation

if TYPE_CHECKING:
    from accounts.models.organization import Organization
    from accounts.models.person import Person

# Who was asked has this long before they can be asked again.
ASK_AGAIN_AFTER = timedelta(days=7)


class RotationAskQuerySet(OfAnIAMUserQuerySet["RotationAsk"]):
    """Reading what was asked."""

    def open(self) -> Self:
        """Those that nobody has followed yet: the key works, is still its recipient's, and no rotation replaces it."""
        works = Q(access_key__status=AccessKey.Status.ACTIVE, access_key__gone_at__isnull=True)
        rotations = Rotation.objects.open().filter(old_key=OuterRef("access_key"))
        return self.filter(works, ~Exists(rotations), iam_user__owner=F("recipient"))

    def of_person(self, person: Person, *, organization: Organization) -> Self:
        """What the person is asked there, with all that a page shows of it."""
        rows = self.open().filter(recipient=person, organization=organization)
        return rows.select_related("access_key", "iam_user__account", "bulk_change__by").order_by("asked_at", "pk")

    def of_keys(self, keys: Iterable[AccessKey]) -> dict[int, RotationAsk]:
        """By the id of each key's row, what its owner was asked last."""
        rows = self.open().filter(access_key__in=list(keys)).select_related("bulk_change__by", "recipient")
        return {ask.access_key_id: ask for ask in rows.order_by("asked_at", "pk")}

    def unsent(self, *, at: datetime) -> Self:
        """Those whose mail nobody has sent or is about to, once all that are asked at once are there."""
        whole = ~Q(bulk_change__state=BulkChange.State.RUNNING)
        return self.filter(whole, sent_at__isnull=True, lease_until__lte=at)


class RotationAsk(TenantRow):
    """One access key that its owner was asked to rotate; all that they were asked at once stand in one mail.

    Who asks and why is said by the bulk change. `lease_until` is until when the mail is a worker's to send.
    """

    bulk_change = models.ForeignKey(BulkChange, on_delete=models.CASCADE, related_name="rotation_asks")
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="rotation_asks")
    access_key = models.ForeignKey(AccessKey, on_delete=models.CASCADE, related_name="rotation_asks")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = RotationAskQuerySet.as_manager()

    class Meta:
        verbose_name = "ask to rotate"
        verbose_name_plural = "asks to rotate"
        constraints = [
            models.UniqueConstraint(fields=["bulk_change", "access_key"], name="rotation_ask_once"),
        ]
        indexes = [
            # What beat looks for.
            models.Index(fields=["lease_until"], condition=Q(sent_at__isnull=True), name="rotation_ask_unsent"),
        ]

    def __str__(self) -> str:
        return f"Ask to rotate {self.access_key}"
