"""A01: whatever id of Acme's Oskar of Globex writes into an address, it does not exist for him, and nothing changes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, IAMUser, Person, Team
from accounts.models.sealed import Purpose
from accounts.usecases import iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter, plain
from tests.matrix import MATRIX, Audience

NOBODYS_UUID = "00000000-0000-4000-8000-000000000000"
NOBODYS_ID = 987654


@pytest.fixture
def acmes(envelope: None, lena: Person, ledger_reader: IAMUser, acme_prod: Account) -> dict[str, tuple[Any, ...]]:
    """For each address that names a thing: the arguments that name one of Acme's."""
    iam_users.tag_iam_user(by=lena, iam_user=ledger_reader, tags={}, at=timezone.now())
    delivery, entry, membership = Delivery.objects.get(), Entry.objects.get(), ledger_reader.group_memberships.get()
    of_user = (
        "iam_user", "iam_user_facts", "iam_user_state", "refresh_iam_user", "tag_iam_user", "add_to_group",
        "delete_iam_user", "create_console_access", "reset_console_access", "remove_console_access",
        "create_access_key",
    )  # fmt: skip
    of_account = (
        "account", "account_progress", "refresh_account", "set_pace", "connection", "connection_progress",
        "test_connection", "put_embedded_role", "discovered_accounts", "discovery_progress", "discover_accounts",
        "connect_accounts", "test_new_connections", "put_embedded_roles",
    )  # fmt: skip
    of_secret = ("secret", "open_secret")
    sealed = factories.sealed_secret(ledger_reader, Purpose.PASSWORD)
    of_rule = ("change_ownership_rule", "move_ownership_rule", "delete_ownership_rule")
    rule = factories.ownership_rule(acme_prod.organization, team=ledger_reader.team)
    of_plan = ("drift", "drift_past", "adopt_drift", "revert_drift")
    of_delivery = ("delivery", "delivery_facts", "try_again", "give_up")
    return {
        **dict.fromkeys(of_user, (ledger_reader.pk,)),
        **dict.fromkeys(of_account + of_plan, (acme_prod.pk,)),
        **dict.fromkeys(of_rule, (rule.pk,)),
        **dict.fromkeys(of_delivery, (delivery.pk,)),
        **dict.fromkeys(of_secret, (sealed.pk,)),
        "role_document": (acme_prod.pk, "json"),
        "stack_set": (acme_prod.pk, 1),
        "remove_from_group": (ledger_reader.pk, membership.pk),
        "entry": (entry.pk,),
        "switch_organization": ("acme",),
    }


# Addresses that name no thing: what they show is scoped, which the tests of each page hold.
WITHOUT_A_THING = {
    "team", "create_iam_user", "create_iam_user_fields", "accounts", "connect_account", "deliveries", "ledger",
    "export_ledger", "assign_iam_users", "ownership", "set_tag_names", "apply_ownership_rules", "create_ownership_rule",
}  # fmt: skip


def nobodys(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments of the same form that name nothing at all."""
    forms: dict[type, Any] = {int: NOBODYS_ID, str: "no-such-organization"}
    return tuple(forms.get(type(argument), NOBODYS_UUID) for argument in arguments)


def test_every_address_of_a_thing_is_held(acmes: dict[str, tuple[Any, ...]]) -> None:
    scoped = {name for name, audience in MATRIX.items() if audience is Audience.ORGANIZATION}

    assert set(acmes) == scoped - WITHOUT_A_THING


def writes(queries: CaptureQueriesContext) -> Iterator[str]:
    """What was written, but for the session's own row."""
    for query in queries.captured_queries:
        verb = query["sql"].split(" ", 1)[0]
        if verb in {"INSERT", "UPDATE", "DELETE"} and "django_session" not in query["sql"]:
            yield query["sql"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("is_htmx", [False, True])
def test_it_does_not_exist_for_oskar(
    enter: Enter, oskar: Person, core: Team, acmes: dict[str, tuple[Any, ...]], method: str, is_htmx: bool
) -> None:
    client, headers = enter(oskar), {"HX-Request": "true"} if is_htmx else {}

    for name, arguments in acmes.items():
        address, nowhere = reverse(name, args=arguments), reverse(name, args=nobodys(arguments))
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(address, {"reason": "x", "tags": "a = b"}, headers=headers)
        of_nobody = getattr(client, method)(nowhere, {"reason": "x", "tags": "a = b"}, headers=headers)

        assert answer.status_code == of_nobody.status_code, name
        assert answer.status_code in (404, 405), name
        assert plain(answer).replace(address.encode(), b"") == plain(of_nobody).replace(nowhere.encode(), b""), name
        assert list(writes(queries)) == [], name


def test_nothing_that_oskar_sees_names_acme(
    enter: Enter, oskar: Person, core: Team, globex_main: Account, acmes: dict[str, tuple[Any, ...]]
) -> None:
    client = enter(oskar)

    for name in ("home", *sorted(WITHOUT_A_THING - {"export_ledger"})):
        text = client.get(reverse(name)).content.decode()
        for word in ("Acme", "acme", "ledger-reader", "111122223333", "Payments", "Lena"):
            assert word not in text, (name, word)


def test_no_get_changes_anything(enter: Enter, olive: Person, acmes: dict[str, tuple[Any, ...]]) -> None:
    client = enter(olive)

    for name, arguments in acmes.items():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(name, args=arguments))
        assert list(writes(queries)) == [], name
