"""allauth's hooks about a person's own account in the portal."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Closes sign-up, and makes the links in mails from the setting and never from the request's Host."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited into an organization; nobody makes an account for themselves."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _at_portal(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: object) -> str:
        return _at_portal(super().get_email_confirmation_url(request, emailconfirmation))


def _at_portal(url: str) -> str:
    path = url.split("://", 1)[-1]
    return settings.PORTAL_URL + path[path.index("/") :]
