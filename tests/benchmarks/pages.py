"""The list of a team's IAM users, fifty rows of it: bytes, milliseconds in the server, queries."""

import time
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Duty, Team
from tests import factories
from tests.benchmarks.report import Measurement

USERS = 200
ROUNDS = 50
LIMIT_BYTES = 40 * 1024
LIMIT_MILLISECONDS = 50.0
ADDRESS = "/team/"


def measure() -> list[Measurement]:
    """The page as an owner sees it who has two hundred IAM users: fifty on the first page."""
    client = _signed_in()
    sizes, milliseconds, cpu = [], [], []
    client.get(ADDRESS)
    for _ in range(ROUNDS):
        start, spent = time.perf_counter(), time.process_time()
        response = client.get(ADDRESS)
        milliseconds.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
        assert response.status_code == 200, response.status_code
        sizes.append(len(response.content))
    with CaptureQueriesContext(connection) as queries:
        client.get(ADDRESS)
    return [
        Measurement("list of 50 rows, whole page", "bytes", sizes, LIMIT_BYTES),
        Measurement("list of 50 rows, in the server", "ms", milliseconds, LIMIT_MILLISECONDS),
        Measurement("list of 50 rows, processor", "ms", cpu, note="what a busy machine does not lengthen"),
        Measurement("list of 50 rows, queries", "queries", [len(queries)]),
    ]


def _signed_in() -> Client:
    organization = factories.organization("Pages")
    team = factories.team(organization, "Pages")
    account = factories.account(organization, "999988887777", name="pages-prod")
    owner = factories.member("pages@pages.test", Duty.OWNER, of=organization)
    for number in range(USERS):
        _user(account, team, number)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _user(account: Account, team: Team, number: int) -> None:
    row = factories.iam_user(account, f"user-with-a-usual-name-{number:03}", team=team, path="/portal/pages/")
    for age in range(number % 3):
        factories.access_key(row, create_date=factories.READ_AT - timedelta(days=40 * age + number))
    if number % 2:
        factories.login_profile(row, password_last_used=factories.READ_AT)
        factories.mfa_device(row)
