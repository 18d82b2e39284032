"""From the hub into an AWS account: AssumeRole with the account's external id, clients and credentials kept."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, ReadOnlyCredentials
from botocore.credentials import Credentials as SigningCredentials
from botocore.loaders import create_loader
from botocore.session import Session
from django.conf import settings

from portal.aws.errors import AWSError, Refused, TryLater, translated
from portal.aws.iam import IAM
from portal.aws.organizations import Organizations
from portal.aws.pace import Pace
from portal.aws.secretsmanager import SecretsManager
from portal.aws.sts import STS, Credentials

ROLE_ARN = re.compile(r"arn:aws(?:-cn|-us-gov)?:iam::(\d{12}):role/[\w+=,.@/-]{1,576}", re.ASCII)
# CloudTrail in the account shows it as the session's name.
ROLE_SESSION_NAME = "gatehouse"
# A call that starts with this much left ends before the credentials do.
FRESH_FOR = timedelta(minutes=5)

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 15
# What AWS says of temporary credentials that it does not take, or no longer.
REJECTED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})
READ_ATTEMPTS = 3
# The accounts whose clients and credentials are kept: two MiB each, and a worker comes into every account in time.
KEPT_ROOMS = 16
# No operation of IAM has an idempotency token: a repeated CreateAccessKey makes a key that nobody knows.
WRITE_ATTEMPTS = 1


@dataclass(frozen=True)
class Door:
    """How the hub gets into one account: `role_arn` lies in `account_id` and trusts the hub with `external_id`.

    `calls_per_second` and `calls_burst` are the account's own pace; None stands for the settings'.
    """

    account_id: str
    role_arn: str
    external_id: str
    calls_per_second: float | None = None
    calls_burst: int | None = None


@dataclass(frozen=True)
class _Room:
    """What is kept of one account that was entered."""

    session: Session
    iam: IAM
    sts: STS
    # By Region: few accounts keep secrets for the portal, and those in one or two.
    secrets: dict[str, SecretsManager] = field(default_factory=dict)

    @cached_property
    def organizations(self) -> Organizations:
        """Built when it is first asked for: few accounts are asked about others."""
        return Organizations(*_clients(self.session, "organizations"))


_lock = threading.RLock()
# Those that were last asked for are last.
_rooms: dict[Door, _Room] = {}
_hub: dict[str, STS] = {}
# Parsing the API models takes longer than everything else in building a client; all sessions share them.
_models = create_loader()


def iam(door: Door) -> IAM:
    """IAM in the account behind the door; the first call enters it.

    :raises Refused: when the role's ARN does not lie in the account; AWS is not asked.
    """
    return _room(door).iam


def sts(door: Door) -> STS:
    """STS in the account behind the door.

    :raises Refused: when the role's ARN does not lie in the account; AWS is not asked.
    """
    return _room(door).sts


def organizations(door: Door) -> Organizations:
    """AWS Organizations, as the account behind the door sees it.

    :raises Refused: when the role's ARN does not lie in the account; AWS is not asked.
    """
    return _room(door).organizations


def secretsmanager(door: Door, *, region: str) -> SecretsManager:
    """AWS Secrets Manager in the account behind the door, in one Region.

    :raises Refused: when the role's ARN does not lie in the account; AWS is not asked.
    """
    room = _room(door)
    with _lock:
        if region not in room.secrets:
            room.secrets[region] = SecretsManager(*_clients(room.session, "secretsmanager", region=region))
        return room.secrets[region]


def hub_sts() -> STS:
    """STS with the hub's own credentials: the settings' pair, or botocore's default chain."""
    with _lock:
        if "sts" not in _hub:
            _hub["sts"] = STS(*_clients(_hub_session(), "sts"))
        return _hub["sts"]


def forget(door: Door) -> None:
    """Enter anew at the next call: after a change of the role or its trust."""
    with _lock:
        _rooms.pop(door, None)


def forget_all() -> None:
    """Enter every account anew, with the hub's credentials and endpoint as the settings have them now."""
    with _lock:
        _rooms.clear()
        _hub.clear()


def _room(door: Door) -> _Room:
    _check(door)
    with _lock:
        room = _rooms.pop(door, None) or _new_room(door)
        _rooms[door] = room
        while len(_rooms) > KEPT_ROOMS:
            # Whoever is in there goes on with what it has.
            _rooms.pop(next(iter(_rooms)))
        return room


def _new_room(door: Door) -> _Room:
    credentials = _EnteredCredentials(lambda: _enter(door))
    session = _session_with(credentials)
    session.register("after-call", credentials.drop_if_rejected)
    _keep_pace(session, door)
    return _Room(session=session, iam=IAM(*_clients(session, "iam")), sts=STS(*_clients(session, "sts")))


def _keep_pace(session: Session, door: Door) -> None:
    """Pace each request, also one that botocore repeats; entering the account is a call of the hub."""
    pace = Pace(
        lane=door.account_id,
        calls_per_second=door.calls_per_second or settings.AWS_CALLS_PER_SECOND,
        burst=door.calls_burst or settings.AWS_CALLS_BURST,
    )
    session.register("before-sign", pace.take)
    session.register("response-received", pace.heed)


def _check(door: Door) -> None:
    """A role in another account would act there under this account's name."""
    found = ROLE_ARN.fullmatch(door.role_arn)
    if found is None or found[1] != door.account_id:
        message = f"account {door.account_id} could not be entered: {door.role_arn} is not a role in it."
        raise Refused(operation="AssumeRole", code="RoleArn", message=message)


def _enter(door: Door) -> Credentials:
    try:
        role = hub_sts().assume_role(
            role_arn=door.role_arn, role_session_name=ROLE_SESSION_NAME, external_id=door.external_id
        )
    except AWSError as error:
        error.message = f"account {door.account_id} could not be entered: {error.message}"
        if isinstance(error, TryLater):
            # What was to be done inside was never sent, so it cannot have happened.
            error.is_doubtful = False
        raise
    return role.credentials


class _EnteredCredentials(SigningCredentials):
    """Credentials that botocore asks for before each request, renewed under a lock shortly before they end."""

    def __init__(self, enter: Callable[[], Credentials]) -> None:
        # botocore never reads these: it asks for the frozen ones.
        super().__init__(access_key="", secret_key="", method="gatehouse")
        self._enter = enter
        self._held: Credentials | None = None
        self._renewing = threading.Lock()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        with self._renewing:
            if self._held is None or self._held.expiration - datetime.now(UTC) < FRESH_FOR:
                self._held = self._enter()
            held = self._held
        return ReadOnlyCredentials(held.access_key_id, held.secret_access_key, held.session_token, None)

    def drop_if_rejected(self, **event: Any) -> None:
        """Enter anew at the next call where AWS no longer takes these: a role made anew ends the old one's sessions."""
        if event["parsed"].get("Error", {}).get("Code") in REJECTED:
            with self._renewing:
                self._held = None


class _OnlyThese(CredentialProvider):
    """A provider that hands out what it was given: a session without the default chain behind it."""

    METHOD = "gatehouse"

    def __init__(self, credentials: SigningCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> SigningCredentials:
        return self._credentials


def _hub_session() -> Session:
    key, secret = settings.HUB_ACCESS_KEY_ID, settings.HUB_SECRET_ACCESS_KEY
    return _session_with(SigningCredentials(key, secret) if key and secret else None)


def _session_with(credentials: SigningCredentials | None) -> Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _models)
    if credentials is not None:
        session.register_component("credential_provider", CredentialResolver([_OnlyThese(credentials)]))
    return session


def _clients(session: Session, service: str, *, region: str | None = None) -> tuple[BaseClient, BaseClient]:
    """One for reads, one for writes; they are shared by all threads, as botocore allows once they are built."""
    with translated("AssumeRole"):
        return (
            _client(session, service, READ_ATTEMPTS, region or settings.AWS_REGION),
            _client(session, service, WRITE_ATTEMPTS, region or settings.AWS_REGION),
        )


def _client(session: Session, service: str, attempts: int, region: str) -> BaseClient:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return session.create_client(service, region_name=region, endpoint_url=settings.AWS_ENDPOINT_URL, config=config)
