"""What each row that AWS owns says of itself: whose it is, where it was read, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from accounts.models.account import Account


class Source(models.TextChoices):
    """The AWS answer that a fact was read from."""

    ACCOUNT_AUTHORIZATION_DETAILS = "account_authorization_details", "account authorization details"
    CREDENTIAL_REPORT = "credential_report", "credential report"
    LIST_ACCESS_KEYS = "list_access_keys", "access key list"
    LIST_MFA_DEVICES = "list_mfa_devices", "MFA device list"
    GET_USER = "get_user", "IAM user"
    GET_ACCESS_KEY_LAST_USED = "get_access_key_last_used", "access key last used"
    GET_LOGIN_PROFILE = "get_login_profile", "login profile"
    LIST_SIGNING_CERTIFICATES = "list_signing_certificates", "signing certificate list"
    LIST_SSH_PUBLIC_KEYS = "list_ssh_public_keys", "SSH public key list"
    LIST_SERVICE_SPECIFIC_CREDENTIALS = "list_service_specific_credentials", "service-specific credential list"
    LIST_SAML_PROVIDERS = "list_saml_providers", "SAML provider list"
    GET_OPEN_ID_CONNECT_PROVIDER = "get_open_id_connect_provider", "OIDC provider"
    GET_POLICY = "get_policy", "managed policy"
    LIST_ACCOUNTS = "list_accounts", "account list of AWS Organizations"


def source_and_time_go_together(name: str, source: str = "source", read_at: str = "read_at") -> models.CheckConstraint:
    """A fact has a source and a time, or it is not a fact yet and has neither."""
    neither = Q(**{source: "", f"{read_at}__isnull": True})
    both = ~Q(**{source: ""}) & Q(**{f"{read_at}__isnull": False})
    return models.CheckConstraint(
        condition=neither | both, name=name, violation_error_message="A fact from AWS has a source and a time."
    )


class TenantRow(models.Model):
    """A row of one organization. Guards in the database keep what it points at in the same organization."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Knowledge:
    """Where a fact is known from, in words, and at what time it was true."""

    source: str
    at: datetime | None


class FactFromAWS(TenantRow):
    """A row that says what one AWS account holds.

    It is written when it changes: `source` and `read_at` tell of the reading that first said what it says. That later
    readings of the whole account said the same is seen from the account, by `known_from`.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=40, choices=Source.choices, blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def known_from(self, account: Account) -> Knowledge:
        """From which reading the row is known to be as it is; `account` is the row's own, already loaded."""
        own = Knowledge(Source(self.source).label if self.source else "", self.read_at)
        whole = self._read_with_the_account(account)
        is_confirmed = own.at is not None and whole.at is not None and whole.at > own.at
        return whole if is_confirmed else own

    def _read_with_the_account(self, account: Account) -> Knowledge:
        """The reading of the whole account that tells of such rows."""
        return Knowledge(Source.ACCOUNT_AUTHORIZATION_DETAILS.label, account.read_at)


class PresentQuerySet(models.QuerySet[models.Model]):
    """For rows that outlive what they describe."""

    def present(self) -> PresentQuerySet:
        """Without what AWS no longer holds."""
        return self.filter(gone_at__isnull=True)
