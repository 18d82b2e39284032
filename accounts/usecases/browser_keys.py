"""The browser in which somebody asks for a key of their own: it alone shall read the secret."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from accounts.models import Person
from portal.secrets import browser

NOT_A_KEY = "Your browser sent something that is no key. Reload the page, then try again."
NOT_YOURS = "The secret is sealed for {}, so your browser could not open it. Reload the page, then try again."


def told_of_browser(*, browser_key: str, by: Person | None, recipient: Person) -> dict[str, str]:
    """What an entry says of the browser; nothing where it sent no key.

    :raises ValidationError: for what is no point of P-256, and where somebody else will open the secret.
    """
    if not browser_key:
        return {}
    if by != recipient:
        raise ValidationError(NOT_YOURS.format(recipient))
    try:
        browser.point_of(browser_key)
    except browser.NotAPoint:
        raise ValidationError(NOT_A_KEY) from None
    return {"browser_key": browser_key}
