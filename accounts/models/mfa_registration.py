"""MFA devices that their owner is about to use: a new virtual one, or one whose clock went astray."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import OfAnIAMUserQuerySet
from portal.secrets import keys

OPEN_STATES = ("started", "made", "shown", "checking")
ENDED_STATES = ("done", "given_up", "lapsed")
# A code is shown for 30 seconds (RFC 6238), and AWS takes no old ones.
CODES_KEPT = timedelta(minutes=2)


class MFARegistrationQuerySet(OfAnIAMUserQuerySet["MFARegistration"]):
    """Reading registrations."""

    def open(self) -> Self:
        """Those that have not ended."""
        return self.filter(state__in=OPEN_STATES)

    def new_devices(self) -> Self:
        """Those of a device that was not there before."""
        return self.filter(purpose=MFARegistration.Purpose.REGISTER)

    def overdue(self, *, at: datetime) -> Self:
        """Those whose time is over, while nothing of them is on its way."""
        return self.filter(state__in=("made", "shown"), expires_at__lte=at)

    def with_old_codes(self, *, at: datetime) -> Self:
        """Those that keep codes which are of no use any more."""
        return self.exclude(codes="").filter(codes_at__lte=at - CODES_KEPT)


class MFARegistration(TenantRow):
    """One device on its way to being used by its owner, who alone sees its seed and types its codes.

    `codes` are the two codes, encrypted and bound to this row: they stand here from the moment they are typed until
    the delivery has used them, and two minutes at most. `words` is what AWS said to the last ones.
    """

    class Purpose(models.TextChoices):
        REGISTER = "register", "Register"
        RESYNC = "resync", "Resync"

    class State(models.TextChoices):
        STARTED = "started", "Device on its way"
        MADE = "made", "QR code waits to be shown"
        SHOWN = "shown", "Two codes awaited"
        CHECKING = "checking", "Codes on their way"
        DONE = "done", "Done"
        GIVEN_UP = "given_up", "Given up"
        LAPSED = "lapsed", "Lapsed"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="mfa_registrations")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.REGISTER)
    serial_number = models.CharField(max_length=256, blank=True, default="")
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTED)
    codes = models.TextField(blank=True, default="", editable=False)
    codes_at = models.DateTimeField(null=True, blank=True)
    words = models.TextField(blank=True, default="")
    started_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MFARegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = "MFA registration"
        constraints = [
            models.UniqueConstraint(
                fields=["iam_user"],
                condition=Q(state__in=OPEN_STATES),
                name="mfa_registration_open_once",
                violation_error_message="An MFA device of this IAM user is being registered or resynchronized already.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN_STATES, *ENDED_STATES]), name="mfa_registration_state_known"
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["register", "resync"]), name="mfa_registration_purpose_known"
            ),
            models.CheckConstraint(
                condition=Q(codes="") | Q(state="checking", codes_at__isnull=False),
                name="mfa_registration_codes_wiped",
                violation_error_message="Codes are kept while they are on their way, and only then.",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["started", *ENDED_STATES]) | ~Q(serial_number=""),
                name="mfa_registration_has_its_device",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_STATES, ended_at=None) | Q(state__in=ENDED_STATES, ended_at__isnull=False),
                name="mfa_registration_ended_at",
            ),
        ]
        indexes = [models.Index(fields=["state", "expires_at"], name="mfa_registration_overdue")]

    def __str__(self) -> str:
        return self.serial_number or f"New MFA device of {self.iam_user}"

    def encrypted(self, first_code: str, second_code: str) -> str:
        """The two codes as `codes` keeps them, for this row and no other."""
        return keys.encrypt_at_rest(f"{first_code} {second_code}", self._bound)

    def decrypted(self) -> tuple[str, str]:
        """The two codes.

        :raises portal.secrets.keys.Unreadable: when they were written for another row.
        :raises portal.secrets.keys.UnknownKeyVersion: when the settings lost their key.
        """
        first_code, second_code = keys.decrypt_at_rest(self.codes, self._bound).decode().split(" ")
        return first_code, second_code

    @property
    def _bound(self) -> str:
        return f"mfa-registration|{self.pk}"
