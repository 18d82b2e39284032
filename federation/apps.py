"""How people get in: into this portal, and into AWS."""

from django.apps import AppConfig


class FederationConfig(AppConfig):
    """Sign-in and identity providers."""

    name = "federation"
    verbose_name = "Federation"
