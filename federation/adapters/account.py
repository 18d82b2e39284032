"""allauth's hooks about a person's own account in the portal."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True)
class PortalSite:
    """What mails call the portal: from the setting, where allauth would take the request's Host."""

    name: str
    domain: str


class AccountAdapter(DefaultAccountAdapter):
    """Closes sign-up, and makes mails from the settings and never from the request."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited into an organization; nobody makes an account for themselves."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Always: allauth would let whoever finds an open browser change the e-mail, and by it the password."""
        return True

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _at_portal(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: object) -> str:
        return _at_portal(super().get_email_confirmation_url(request, emailconfirmation))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every mail of allauth's goes this way."""
        site = PortalSite("Gatehouse", urlsplit(settings.PORTAL_URL).netloc)
        super().send_mail(template_prefix, email, context | {"current_site": site, "portal_url": settings.PORTAL_URL})


def _at_portal(url: str) -> str:
    path = url.split("://", 1)[-1]
    return settings.PORTAL_URL + path[path.index("/") :]
