"""What an IAM user proves itself with: access keys, the console password, MFA devices. Never a secret itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models.facts import FactFromAWS, Knowledge, Source, source_and_time_go_together
from accounts.models.iam_user import IAMUser
from accounts.models.membership import Membership

if TYPE_CHECKING:
    from accounts.models.account import Account
    from accounts.models.organization import Organization
    from accounts.models.person import Person

Credential = TypeVar("Credential", bound=FactFromAWS)


class CredentialQuerySet(models.QuerySet[Credential]):
    """What hangs on an IAM user is seen by those who see the IAM user."""

    def visible_to(self, person: Person) -> Self:
        """Those of the IAM users that the person sees."""
        return self.filter(iam_user__in=IAMUser.objects.visible_to(person))


# CIS AWS Foundations Benchmark 1.12: credentials that were not used for 45 days are disabled.
UNUSED_AFTER = timedelta(days=45)


class AccessKeyQuerySet(CredentialQuerySet["AccessKey"]):
    """Reading access keys."""

    def present(self) -> AccessKeyQuerySet:
        """Those that AWS held when it was last read."""
        return self.filter(gone_at__isnull=True)

    def seen_in(self, organization: Organization, *, by: Person) -> AccessKeyQuerySet:
        """Those of one organization whose IAM users the person may see.

        Who sees the organization whole is not asked about each IAM user: an index serves what is left.
        """
        rows, iam_users = self.filter(organization=organization), IAMUser.objects.seen_in(organization, by=by)
        return rows if Membership.objects.see_whole(by, organization) else rows.filter(iam_user__in=iam_users)

    def active(self) -> AccessKeyQuerySet:
        """Those that work."""
        return self.present().filter(status=AccessKey.Status.ACTIVE)

    def overdue(self, *, of: Organization, at: datetime) -> AccessKeyQuerySet:
        """The organization's active ones that are older than its rule allows."""
        return self.active().filter(organization=of, create_date__lt=at - timedelta(days=of.rotate_after_days))

    def unused(self, *, at: datetime) -> AccessKeyQuerySet:
        """Active ones that are known not to have been used for 45 days, or never although they are older than that."""
        since = at - UNUSED_AFTER
        never = Q(last_used_date__isnull=True, last_used_read_at__isnull=False)
        return self.active().filter(Q(last_used_date__lt=since) | never, create_date__lt=since)

    def never_used(self) -> AccessKeyQuerySet:
        """Active ones of which AWS said that they were never used."""
        return self.active().filter(last_used_date__isnull=True, last_used_read_at__isnull=False)

    def beside_another(self) -> AccessKeyQuerySet:
        """Active ones whose IAM user has another active one."""
        others = AccessKey.objects.active().filter(iam_user=OuterRef("iam_user")).exclude(pk=OuterRef("pk"))
        return self.active().filter(Exists(others))


class FactOfTheReport(FactFromAWS):
    """A fact that the credential report confirms, which may be four hours old."""

    class Meta:
        abstract = True

    def _read_with_the_account(self, account: Account) -> Knowledge:
        return Knowledge(Source.CREDENTIAL_REPORT.label, account.report_generated_at)


class AccessKey(FactOfTheReport):
    """What AWS holds of one access key. Two per IAM user is AWS's quota and not an invariant: more were seen."""

    class Status(models.TextChoices):
        ACTIVE = "Active", "Active"
        INACTIVE = "Inactive", "Inactive"

    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="access_keys")
    access_key_id = models.CharField("access key ID", max_length=128, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices)
    create_date = models.DateTimeField()
    # The key's "last rotated" in the credential report, which bears no key ids: when it was made, or when its status
    # last changed. Empty for a key that no report has told of yet.
    last_rotated = models.DateTimeField(null=True, blank=True)
    last_used_date = models.DateTimeField(null=True, blank=True)
    last_used_region = models.CharField(max_length=64, blank=True, default="")
    last_used_service = models.CharField(max_length=64, blank=True, default="")
    last_used_source = models.CharField(max_length=40, choices=Source.choices, blank=True, default="")
    last_used_read_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = AccessKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "access key"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["Active", "Inactive"]), name="access_key_status_known"),
            source_and_time_go_together("access_key_source_and_time"),
            source_and_time_go_together(
                "access_key_last_used_source_and_time", "last_used_source", "last_used_read_at"
            ),
        ]
        indexes = [
            # Which active keys are older than they should be, and how many are of which age.
            models.Index(
                fields=["organization", "create_date", "iam_user"],
                condition=Q(status="Active", gone_at__isnull=True),
                name="access_key_by_age",
            ),
            # The key board of an organization, oldest first.
            models.Index(
                fields=["organization", "create_date", "id"],
                condition=Q(gone_at__isnull=True),
                name="access_key_listed",
            ),
        ]

    def __str__(self) -> str:
        return self.access_key_id

    def is_overdue(self, *, after_days: int, at: datetime) -> bool:
        """Whether it is active and older than that, which is its organization's rule."""
        return self.status == self.Status.ACTIVE and at - self.create_date > timedelta(days=after_days)

    def is_unused(self, *, at: datetime) -> bool:
        """Whether it is known not to have been used for 45 days, or never although it is older than that."""
        since = at - UNUSED_AFTER
        is_known = self.last_used_date is not None or self.last_used_read_at is not None
        return is_known and self.create_date < since and (self.last_used_date is None or self.last_used_date < since)

    def age_days(self, *, at: datetime) -> int:
        """Whole days since AWS made it."""
        return (at - self.create_date).days


class LoginProfile(FactOfTheReport):
    """What AWS holds of an IAM user's console password."""

    iam_user = models.OneToOneField(IAMUser, on_delete=models.CASCADE, related_name="login_profile")
    password_last_used = models.DateTimeField(null=True, blank=True)
    password_last_changed = models.DateTimeField(null=True, blank=True)
    # Told by GetLoginProfile alone: None until the IAM user was read by itself.
    password_reset_required = models.BooleanField(null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = "login profile"
        constraints = [source_and_time_go_together("login_profile_source_and_time")]

    def __str__(self) -> str:
        return f"Login profile of {self.iam_user}"


class MFADevice(FactFromAWS):
    """What AWS holds of one MFA device; a user may have eight."""

    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="mfa_devices")
    serial_number = models.CharField(max_length=256)
    enable_date = models.DateTimeField(null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = "MFA device"
        constraints = [
            models.UniqueConstraint(fields=["account", "serial_number"], name="mfa_device_once"),
            source_and_time_go_together("mfa_device_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.serial_number


class IAMCredential(FactFromAWS):
    """What else lets an IAM user in: a signing certificate, an SSH public key, a service-specific credential."""

    class Kind(models.TextChoices):
        SIGNING_CERTIFICATE = "signing_certificate", "Signing certificate"
        SSH_PUBLIC_KEY = "ssh_public_key", "SSH public key"
        SERVICE_SPECIFIC_CREDENTIAL = "service_specific_credential", "Service-specific credential"

    iam_user = models.ForeignKey(IAMUser, on_delete=models.CASCADE, related_name="iam_credentials")
    kind = models.CharField(max_length=30, choices=Kind.choices)
    credential_id = models.CharField("credential ID", max_length=128)
    # Of a service-specific credential: `codecommit.amazonaws.com`.
    service_name = models.CharField(max_length=128, blank=True, default="")
    status = models.CharField(max_length=10)
    create_date = models.DateTimeField(null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = "other credential"
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "credential_id"], name="iam_credential_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["signing_certificate", "ssh_public_key", "service_specific_credential"]),
                name="iam_credential_kind_known",
            ),
            source_and_time_go_together("iam_credential_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.credential_id
