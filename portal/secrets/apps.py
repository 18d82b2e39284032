"""One-time secrets as a Django app."""

from django.apps import AppConfig


class SecretsConfig(AppConfig):
    """Seal, open once, expire."""

    name = "portal.secrets"
    label = "secrets"
    verbose_name = "Sealed secrets"
