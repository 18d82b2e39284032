"""Where an application reads its access key by itself: a secret of AWS Secrets Manager in the application's account."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet

# AWS General Reference, "Regional endpoints": us-east-1, ap-southeast-2, us-gov-west-1.
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
# What a user's name may have and a secret's may not (CreateSecret, Name).
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_+=.@-]")


def secret_name_of(user_name: str) -> str:
    """`gatehouse/ledger-writer/access-key`: below what the portal's role may write, and never chosen by a person."""
    return f"gatehouse/{NOT_IN_A_NAME.sub('-', user_name)}/access-key"


class KeyDestinationQuerySet(OfAnIAMUserQuerySet["KeyDestination"]):
    """Reading destinations."""

    def scheduled(self) -> Self:
        """Those whose keys the portal rotates by itself."""
        return self.filter(rotate_every_days__isnull=False, iam_user__gone_at__isnull=True)


class KeyDestination(TenantRow):
    """That the new secrets of an application's access keys are put into AWS Secrets Manager instead of being shown."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    iam_user = models.OneToOneField(IAMUser, on_delete=models.CASCADE, related_name="key_destination")
    region = models.CharField(
        max_length=32,
        validators=[RegexValidator(rf"\A{REGION.pattern}\Z", "Write the Region as AWS does: eu-central-1.")],
    )
    secret_name = models.CharField(max_length=512)
    rotate_every_days = models.PositiveSmallIntegerField(
        "rotate every so many days",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="From 1 to 365; empty: only when somebody asks for it.",
    )
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    # What keeps the schedule from going on, as a sentence, and when it was last looked at.
    trouble = models.CharField(max_length=500, blank=True, default="", editable=False)
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = KeyDestinationQuerySet.as_manager()

    class Meta:
        verbose_name = "destination of access keys"
        verbose_name_plural = "destinations of access keys"
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "secret_name"], name="key_destination_secret_once"),
            models.CheckConstraint(
                condition=Q(rotate_every_days=None) | Q(rotate_every_days__range=(1, 365)),
                name="key_destination_every_days",
                violation_error_message="Choose from 1 to 365 days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.secret_name} in {self.region}"

    def is_due(self, create_date: datetime, *, at: datetime) -> bool:
        """Whether a key that AWS made then is to be rotated by the schedule."""
        every = self.rotate_every_days
        return every is not None and at - create_date >= timedelta(days=every)
