"""`python -m tests.benchmarks.million_cast`: the organization around the million; prints ids and sessions as JSON."""

import importlib
import json
import sys

import django

from tests.benchmarks import million_rows


def main() -> None:
    """Make it."""
    django.setup()
    # Only now: they import models.
    factories = importlib.import_module("tests.factories")
    duty = importlib.import_module("accounts.models").Duty
    organization = factories.organization("Million")
    teams = [factories.team(organization, f"Team {number:03}") for number in range(million_rows.TEAMS)]
    accounts = [
        factories.account(organization, str(100_000_000_000 + number), name=f"account-{number:03}")
        for number in range(million_rows.ACCOUNTS)
    ]
    for account in accounts:
        factories.iam_group(account, "readers")
    owner = factories.member("owner@million.test", duty.OWNER, of=organization)
    lead = factories.member("lead@million.test", duty.LEAD, of=organization, team=teams[0])
    factories.envelope(teams[0], accounts=accounts)
    people = [factories.person(f"person-{number}@million.test") for number in range(million_rows.PEOPLE)]
    for one in people:
        factories.membership(one, duty.MEMBER, of=organization, team=teams[one.pk % len(teams)])
    first = {"organization": organization.pk, "account": accounts[0].pk, "team": teams[0].pk, "person": people[0].pk}
    sessions = {"owner": _session(owner), "lead": _session(lead)}
    sys.stdout.write(json.dumps({"first": first, "sessions": sessions}))


def _session(person: object) -> str:
    client = importlib.import_module("django.test").Client(SERVER_NAME="127.0.0.1")
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return str(client.cookies["session"].value)


main()
