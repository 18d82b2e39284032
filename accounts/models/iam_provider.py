"""IAM's identity providers: SAML and OpenID Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.models.facts import FactFromAWS, source_and_time_go_together
from accounts.models.organization import Organization

if TYPE_CHECKING:
    from accounts.models.person import Person


class IAMProviderQuerySet(models.QuerySet["IAMProvider"]):
    """Which of IAM's identity providers somebody may see."""

    def visible_to(self, person: Person) -> IAMProviderQuerySet:
        """All of the organizations that the person sees whole; a team has none."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))

    def present(self) -> IAMProviderQuerySet:
        """Those that AWS held when it was last read."""
        return self.filter(gone_at__isnull=True)


class IAMProvider(FactFromAWS):
    """What AWS holds of one identity provider of IAM: by it, identities from elsewhere assume roles in the account."""

    class Kind(models.TextChoices):
        SAML = "saml", "SAML"
        OIDC = "oidc", "OpenID Connect"

    kind = models.CharField(max_length=4, choices=Kind.choices)
    arn = models.CharField(max_length=2048)
    # OpenID Connect: the issuer, and who may use its tokens here.
    url = models.CharField("URL", max_length=255, blank=True, default="")
    client_ids = models.JSONField("client IDs", default=list, blank=True)
    thumbprints = models.JSONField(default=list, blank=True)
    # SAML: when the last of the certificates in its metadata expires.
    valid_until = models.DateTimeField(null=True, blank=True)
    create_date = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = IAMProviderQuerySet.as_manager()

    class Meta:
        verbose_name = "identity provider of IAM"
        verbose_name_plural = "identity providers of IAM"
        constraints = [
            models.UniqueConstraint(fields=["account", "arn"], name="iam_provider_once"),
            models.CheckConstraint(condition=Q(kind__in=["saml", "oidc"]), name="iam_provider_kind_known"),
            source_and_time_go_together("iam_provider_source_and_time"),
        ]

    def __str__(self) -> str:
        return self.arn
