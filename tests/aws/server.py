"""Fixtures: the embedded AWS on a free port of this process, empty for each test that asks for `aws`."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.iam.models import IAMBackend, iam_backends

from portal.aws import connect
from portal.aws.connect import Door
from portal.aws.simulator import demo, hub, keys, report, serving, state
from portal.aws.simulator.app import create_app
from portal.aws.simulator.demo_accounts import PORTAL_ROLE
from tests.aws.strict import Call, Faults, Strict

EXTERNAL_ID = "external-id-of-the-tests"
_clients = boto3.Session(region_name=hub.REGION)


@dataclass(frozen=True)
class Server:
    """The one server of the session."""

    url: str
    layer: Strict


@dataclass(frozen=True)
class AWS:
    """AWS as one test sees it."""

    url: str
    faults: Faults
    trace: list[Call]

    @property
    def environment(self) -> dict[str, str]:
        """What a process started by a test needs in its environment to work with this AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_SIGNIN_URL": f"{self.url}/federation",
            "AWS_ACCESS_KEY_ID": hub.HUB_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": hub.HUB_SECRET_ACCESS_KEY,
            "HUB_PRINCIPAL_ARN": f"arn:aws:iam::{hub.HUB_ACCOUNT_ID}:user/{hub.HUB_USER_NAME}",
        }

    def account(self, account_id: str, *, external_id: str = EXTERNAL_ID, trust: dict[str, Any] | None = None) -> Door:
        """Make an account with the portal's role in it, which trusts the hub with this external id."""
        document = json.dumps(trust or demo.portal_trust(external_id))
        self.backend(account_id).create_role(PORTAL_ROLE, document, "/", None, "", [], "3600")
        return Door(account_id, f"arn:aws:iam::{account_id}:role/{PORTAL_ROLE}", external_id)

    def boto3(self, account_id: str, service: str = "iam", *, region: str = hub.REGION) -> Any:
        """A client of an administrator in the account, for looking from outside: unbroken and not in the trace."""
        session = keys.let_in(account_id, seconds=3600)
        make: Any = _clients.client  # Its overloads know each service by its literal name.
        return make(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key,
            aws_session_token=session.session_token,
        )

    def backend(self, account_id: str) -> IAMBackend:
        """What moto holds of the account, for giving things a past."""
        return iam_backends[account_id][hub.PARTITION]

    def calls(self, operation: str) -> list[Call]:
        """The portal's calls of one operation, in order."""
        return [call for call in self.trace if call.operation == operation]

    def expire_credential_report(self, account_id: str) -> None:
        """Let the next GenerateCredentialReport make a new one, as if four hours had gone by."""
        report.expire(self.backend(account_id))


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Server]:
    """The embedded AWS, served by threads of this process."""
    layer = Strict(create_app(None))
    server = serving.make(layer, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Server(f"http://{serving.LOOPBACK}:{server.port}", layer)
    server.shutdown()


@pytest.fixture
def aws(aws_server: Server, settings: Any) -> Iterator[AWS]:
    """An empty AWS with the hub's key in it, and the portal set to use it."""
    state.clear()
    hub.install_hub()
    aws_server.layer.trace.clear()
    settings.AWS_ENDPOINT_URL = aws_server.url
    settings.AWS_SIGNIN_URL = f"{aws_server.url}/federation"
    settings.HUB_ACCESS_KEY_ID, settings.HUB_SECRET_ACCESS_KEY = hub.HUB_ACCESS_KEY_ID, hub.HUB_SECRET_ACCESS_KEY
    connect.forget_all()
    yield AWS(aws_server.url, aws_server.layer.faults, aws_server.layer.trace)
    aws_server.layer.faults.clear()
    connect.forget_all()
