"""The authorization matrix, cell by cell: everybody of the cast, at every address, by GET and by POST."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.shortcuts import resolve_url
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Duty, IAMUser, Organization, Person, Team
from tests import factories
from tests.accounts.views.conftest import Enter
from tests.accounts.views.test_cross_organization import acmes, writes
from tests.cells import ADDRESSES, CAST, DENIED
from tests.matrix import MATRIX
from tests.test_matrix import address

__all__ = ["acmes"]

FORM = {"reason": "x", "tags": "a = b", "user_name": "x", "to": "1"}
# Of addresses that name no thing but take a word.
WORDS = {"export_ledger": ("csv",), "start_bulk_change": ("add-to-group",), "start_key_change": ("rotate-key",)}
STATUSES = {403: "x", 404: "-", 405: "m", 410: "o"}

Cast = dict[str, Client]


@pytest.fixture
def cast(
    enter: Enter, acme: Organization, payments: Team, platform: Team, lena: Person, hugo: Person, mia: Person,
    ada: Person, olive: Person, oskar: Person,
) -> Cast:  # fmt: skip
    """A browser of each, by their part; the last one was an owner until a moment ago."""
    gone = factories.member("gone@acme.test", Duty.OWNER, of=acme)
    clients = {
        "anonymous": Client(),
        "deactivated": enter(gone),
        "member": enter(factories.member("max@acme.test", Duty.MEMBER, of=acme, team=payments)),
        "self": enter(mia),
        "lead": enter(lena),
        "lead elsewhere": enter(factories.member("lars@acme.test", Duty.LEAD, of=acme, team=platform)),
        "helpdesk": enter(hugo),
        "auditor": enter(ada),
        "admin": enter(factories.member("adam@acme.test", Duty.ADMIN, of=acme)),
        "owner": enter(olive),
        "outsider": enter(oskar),
    }
    gone.is_active = False
    gone.save()
    return clients


def place_of(name: str, things: dict[str, tuple[Any, ...]]) -> str:
    """The address, of Acme's thing where it names one."""
    arguments = {**things, **WORDS}
    return reverse(name, args=arguments[name]) if name in arguments else address(name)


def cell(answer: HttpResponseBase) -> str:
    """The letter of an answer."""
    assert answer.status_code < 500
    if answer.status_code in (301, 302) and answer.headers["Location"].startswith(resolve_url(settings.LOGIN_URL)):
        return "s"
    return STATUSES.get(answer.status_code, "o")


def asked(client: Client, method: str, where: str) -> tuple[str, list[str]]:
    """The letter of the answer and what was written, which is taken back."""
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        answer = getattr(client, method)(where, FORM if method == "post" else {})
        transaction.set_rollback(True)
    return cell(answer), list(writes(queries))


def row(cast: Cast, method: str, where: str) -> str:
    """A row of the matrix as it is; where somebody is denied, nothing was written."""
    letters = ""
    for part in CAST:
        letter, written = asked(cast[part], method, where)
        assert letter not in DENIED or written == [], (part, method, where)
        letters += letter
    return letters


def test_every_address_is_declared_cell_by_cell() -> None:
    assert set(ADDRESSES) == {name for name in MATRIX if not name.endswith(":*")}
    assert {len(letters) for rows in ADDRESSES.values() for letters in rows} == {len(CAST)}


@pytest.mark.parametrize("name", ADDRESSES)
def test_everybody_gets_what_is_declared(
    cast: Cast, acmes: dict[str, tuple[Any, ...]], ledger_reader: IAMUser, name: str
) -> None:
    where = place_of(name, acmes)

    assert (row(cast, "get", where), row(cast, "post", where)) == ADDRESSES[name]
