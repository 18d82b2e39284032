"""The portal's own commands and checks."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Makes `portal` an app, so that its management commands are found."""

    name = "portal"
