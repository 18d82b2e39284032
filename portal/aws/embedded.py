"""The embedded AWS from the portal's side: which accounts its demo has, how it is loaded anew, how it gets a role."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from portal.aws.simulator.demo_accounts import ACCOUNTS, DemoAccount

LOAD, PUT_ROLE = "/gatehouse/demo", "/gatehouse/role"
TIMEOUT_SECONDS = 60


class NotLoaded(Exception):
    """The embedded AWS did not do it; says why."""


def demo_accounts() -> tuple[DemoAccount, ...]:
    """The demo's accounts that the portal shall know."""
    return tuple(account for account in ACCOUNTS if account.is_connected)


def load_demo() -> None:
    """Have the demo's accounts emptied and filled anew.

    :raises NotLoaded: when the embedded AWS does not run, or could not do it.
    """
    _post(LOAD, {})


def put_role(
    *, account_id: str, role_name: str, path: str, trust: Mapping[str, Any], policy: Mapping[str, Any]
) -> None:
    """Have a role made, or changed, with this trust and this inline policy: what an administrator does in AWS.

    :raises NotLoaded: when the embedded AWS does not run, or could not do it.
    """
    role = {"account_id": account_id, "role_name": role_name, "path": path, "trust": trust, "policy": policy}
    _post(PUT_ROLE, role)


def _post(path: str, body: Mapping[str, Any]) -> None:
    address = urlsplit(settings.AWS_ENDPOINT_URL or "").netloc
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotLoaded(f"The embedded AWS does not answer at {address} ({error}).") from error
    finally:
        connection.close()
    if status != http.HTTPStatus.OK:
        raise NotLoaded(f"The embedded AWS answered {status}.")
