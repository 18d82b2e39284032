"""The console sign-in endpoint of the embedded AWS."""

import json
from datetime import timedelta
from typing import Any

import pytest
import requests
from moto.core.utils import utcnow
from moto.sts.models import sts_backends

from portal.aws import connect
from portal.aws.simulator import console, hub
from portal.aws.sts import Credentials
from tests.aws.server import AWS

ACCOUNT = "111122223333"
SECONDS = 10


@pytest.fixture
def credentials(aws: AWS) -> Credentials:
    door = aws.account(ACCOUNT)
    role = connect.hub_sts().assume_role(role_arn=door.role_arn, role_session_name="mia", external_id=door.external_id)
    return role.credentials


def session_of(credentials: Credentials, **changes: str) -> dict[str, str]:
    session = {
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token,
    }
    return session | changes


def ask(aws: AWS, session: Any, **more: str) -> requests.Response:
    given = {"Action": "getSigninToken", "Session": json.dumps(session), **more}
    return requests.post(f"{aws.url}/federation", data=given, timeout=SECONDS)


def login(aws: AWS, token: str) -> requests.Response:
    given = {"Action": "login", "SigninToken": token, "Destination": "https://console.aws.amazon.com/<b>"}
    return requests.get(f"{aws.url}/federation", params=given, allow_redirects=False, timeout=SECONDS)


def test_temporary_credentials_open_the_console_of_their_account(aws: AWS, credentials: Credentials) -> None:
    token = ask(aws, session_of(credentials), SessionDuration="3600").json()["SigninToken"]

    answer = login(aws, token)
    page = requests.get(f"{aws.url}{answer.headers['Location']}", timeout=SECONDS)

    assert answer.status_code == 302
    assert token not in answer.headers["Location"]
    assert f"arn:aws:iam::{ACCOUNT}:role/gatehouse-portal" in page.text
    assert "<b>" not in page.text


def test_a_get_asks_too(aws: AWS, credentials: Credentials) -> None:
    given = {"Action": "getSigninToken", "Session": json.dumps(session_of(credentials))}

    answer = requests.get(f"{aws.url}/federation", params=given, timeout=SECONDS)

    assert answer.json()["SigninToken"]


def test_a_token_is_good_once(aws: AWS, credentials: Credentials) -> None:
    token = ask(aws, session_of(credentials)).json()["SigninToken"]

    assert login(aws, token).status_code == 302
    assert login(aws, token).status_code == 400


def test_a_token_is_good_for_a_quarter_of_an_hour(
    aws: AWS, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "TOKEN_LASTS", timedelta(0))
    token = ask(aws, session_of(credentials)).json()["SigninToken"]

    assert login(aws, token).status_code == 400


def test_credentials_that_have_ended_are_refused(aws: AWS, credentials: Credentials) -> None:
    (role,) = sts_backends[ACCOUNT]["aws"].assumed_roles
    role.expiration = utcnow() - timedelta(seconds=1)

    assert ask(aws, session_of(credentials)).status_code == 400


@pytest.mark.parametrize("seconds", ["899", "43201", "-900", "x", ""])
def test_a_duration_outside_the_limits_is_refused(aws: AWS, credentials: Credentials, seconds: str) -> None:
    assert ask(aws, session_of(credentials), SessionDuration=seconds).status_code == 400


@pytest.mark.parametrize("seconds", ["900", "43200"])
def test_a_duration_at_the_limit_is_taken(aws: AWS, credentials: Credentials, seconds: str) -> None:
    assert ask(aws, session_of(credentials), SessionDuration=seconds).status_code == 200


@pytest.mark.parametrize("part", ["sessionId", "sessionKey", "sessionToken"])
def test_credentials_that_are_wrong_in_one_part_are_refused(aws: AWS, credentials: Credentials, part: str) -> None:
    answer = ask(aws, session_of(credentials, **{part: "wrong"}))

    assert (answer.status_code, answer.text) == (400, "Invalid Credentials Parameter.")


def test_long_term_credentials_are_refused(aws: AWS) -> None:
    session = {"sessionId": hub.HUB_ACCESS_KEY_ID, "sessionKey": hub.HUB_SECRET_ACCESS_KEY, "sessionToken": ""}

    assert ask(aws, session).status_code == 400


@pytest.mark.parametrize("session", ["text", [], {}, None])
def test_what_is_no_session_is_refused(aws: AWS, session: Any) -> None:
    assert ask(aws, session).status_code == 400


def test_an_unknown_action_is_refused(aws: AWS) -> None:
    assert requests.get(f"{aws.url}/federation", params={"Action": "other"}, timeout=SECONDS).status_code == 400


def test_a_page_of_nobody_is_not_found(aws: AWS) -> None:
    assert requests.get(f"{aws.url}/console/guessed", timeout=SECONDS).status_code == 404
