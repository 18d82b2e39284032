"""The embedded AWS from the portal's side: which accounts its demo has, and how it is loaded anew."""

import http.client
from urllib.parse import urlsplit

from django.conf import settings

from portal.aws.simulator.demo_accounts import ACCOUNTS, DemoAccount

LOAD = "/gatehouse/demo"
TIMEOUT_SECONDS = 60


class NotLoaded(Exception):
    """The embedded AWS did not load the demo; says why."""


def demo_accounts() -> tuple[DemoAccount, ...]:
    """The demo's accounts that the portal shall know."""
    return tuple(account for account in ACCOUNTS if account.is_connected)


def load_demo() -> None:
    """Have the demo's accounts emptied and filled anew.

    :raises NotLoaded: when the embedded AWS does not run, or could not do it.
    """
    address = urlsplit(settings.AWS_ENDPOINT_URL or "").netloc
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", LOAD)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotLoaded(f"The embedded AWS does not answer at {address} ({error}).") from error
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        raise NotLoaded(f"The embedded AWS answered {status}.")
