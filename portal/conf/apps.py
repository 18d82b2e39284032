"""The portal's own commands and checks."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    """Makes `portal` an app, so that its management commands are found."""

    name = "portal"


class RecordsRoomConfig(AdminConfig):
    """Puts the records room in the place of Django's default site."""

    default_site = "portal.site.RecordsRoom"
