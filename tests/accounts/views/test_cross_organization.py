"""A01: whatever id of Acme's Oskar of Globex writes into an address, it does not exist for him, and nothing changes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Duty, IAMUser, Person, Team
from accounts.models.sealed import Purpose
from accounts.usecases import iam_users
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.views.conftest import Enter, plain
from tests.matrix import MATRIX, Audience

NOBODYS_UUID = "00000000-0000-4000-8000-000000000000"
NOBODYS_ID = 987654


Things = dict[str, tuple[Any, ...]]


@pytest.fixture
def acmes(envelope: None, lena: Person, ledger_reader: IAMUser, acme_prod: Account) -> Things:
    """For each address that names a thing: the arguments that name one of Acme's."""
    return {
        **of_iam_users(ledger_reader, by=lena),
        **of_accounts(acme_prod),
        **of_people(lena, ledger_reader),
        **of_bulk_changes(lena, acme_prod),
        **of_offboardings(ledger_reader),
        **of_requests(ledger_reader, by=lena),
        **of_keys(ledger_reader),
        "switch_organization": ("acme",),
    }


def of_iam_users(iam_user: IAMUser, *, by: Person) -> Things:
    """Addresses of an IAM user, and of what was decided about it."""
    iam_users.tag_iam_user(by=by, iam_user=iam_user, tags={}, at=timezone.now())
    key = factories.sealed_secret(iam_user, Purpose.ACCESS_KEY, id=iam_user.access_keys.get().access_key_id)
    delivery, entry, membership = Delivery.objects.get(), Entry.objects.get(), iam_user.group_memberships.get()
    names = (
        "iam_user", "iam_user_facts", "iam_user_state", "refresh_iam_user", "tag_iam_user", "add_to_group",
        "delete_iam_user", "rename_iam_user", "change_path", "set_boundary", "boundary_difference", "attach_policy",
        "policy_difference", "detach_policy", "group_difference", "request_group", "request_policy",
        "request_boundary", "request_path", "request_team",
        "create_console_access", "reset_console_access", "remove_console_access", "create_access_key",
    )  # fmt: skip
    return {
        **of_own_sign_in(iam_user),
        **dict.fromkeys(names, (iam_user.pk,)),
        **dict.fromkeys(("delivery", "delivery_facts", "try_again", "give_up"), (delivery.pk,)),
        **dict.fromkeys(("secret", "open_secret"), (factories.sealed_secret(iam_user, Purpose.PASSWORD).pk,)),
        **dict.fromkeys(("give_up_secret", "hand_over_secret", "stop_key"), (key.pk,)),
        "remove_from_group": (iam_user.pk, membership.pk),
        **dict.fromkeys(("set_key_destination", "end_key_destination"), (iam_user.pk,)),
        "entry": (entry.pk,),
    }


def of_own_sign_in(iam_user: IAMUser) -> Things:
    """Addresses at which an owner sees to their own password and MFA devices."""
    device, _ = iam_user.mfa_devices.get(), factories.mfa_registration(iam_user)
    names = (
        "own_console", "own_console_facts", "reset_own_password", "register_mfa_device", "enable_mfa_device",
        "give_up_mfa_device",
    )  # fmt: skip
    return {
        **dict.fromkeys(names, (iam_user.pk,)),
        **dict.fromkeys(("resync_mfa_device", "remove_mfa_device"), (iam_user.pk, device.pk)),
    }


def of_accounts(account: Account) -> Things:
    """Addresses of an AWS account, its drift, its boundary, and of a rule of ownership."""
    names = (
        "account", "account_progress", "refresh_account", "set_pace", "connection", "connection_progress",
        "test_connection", "put_embedded_role", "discovered_accounts", "discovery_progress", "discover_accounts",
        "connect_accounts", "test_new_connections", "put_embedded_roles", "drift", "drift_past", "adopt_drift",
        "revert_drift", "boundary", "boundary_facts", "create_boundary", "restore_boundary", "change_boundary_policy",
    )  # fmt: skip
    factories.boundary(account)
    rule = factories.ownership_rule(account.organization, team=factories.team(account.organization, "Of rules"))
    of_rule = ("change_ownership_rule", "move_ownership_rule", "delete_ownership_rule")
    return {
        **dict.fromkeys(names, (account.pk,)),
        **dict.fromkeys(of_rule, (rule.pk,)),
        "role_document": (account.pk, "json"),
        "stack_set": (account.pk, 1),
    }


def of_people(lead: Person, iam_user: IAMUser) -> Things:
    """Addresses of a lead, of their team and of somebody whom they invited."""
    membership = lead.membership_set.get()
    of_team = ("team_detail", "rename_team", "change_envelope", "request_envelope", "envelope_fields")
    invitation = factories.invitation(iam_user.organization, "nora@new.test", by=lead, team=iam_user.team)
    return {
        **dict.fromkeys(("send_invitation_again", "revoke_invitation"), (invitation.pk,)),
        **dict.fromkeys(("person", "grant_duty", "request_duty"), (lead.pk,)),
        "end_membership": (lead.pk, membership.pk),
        **dict.fromkeys(of_team, (membership.team_id,)),
    }


def of_requests(iam_user: IAMUser, *, by: Person) -> Things:
    """Addresses of what was asked for, and of a grant that ends by itself."""
    asked, grant = factories.request(iam_user, by=by), factories.group_grant(iam_user, by=by)
    names = ("request", "approve_request", "decline_request", "withdraw_request")
    return {
        **dict.fromkeys(names, (asked.pk,)),
        **dict.fromkeys(("extend_group_grant", "give_back_group_grant"), (iam_user.pk, grant.pk)),
    }


def of_bulk_changes(by: Person, account: Account) -> Things:
    """Addresses of a change of many IAM users."""
    names = ("bulk_change", "bulk_change_progress", "apply_plan", "discard_plan", "undo_bulk_change")
    return dict.fromkeys(names, (factories.bulk_change(by, account.organization).pk,))


def of_offboardings(iam_user: IAMUser) -> Things:
    """Addresses of somebody who leaves, and of one who might."""
    leaver = factories.member("leaver@acme.test", Duty.MEMBER, of=iam_user.organization, team=iam_user.team)
    offboarding = factories.offboarding(iam_user.organization, leaver)
    names = (
        "offboarding", "offboarding_progress", "undo_offboarding", "read_offboarding_again", "offboarding_proof",
        "offboarding_proof_facts",
    )  # fmt: skip
    return {
        **dict.fromkeys(names, (offboarding.pk,)),
        "offboard_person": (iam_user.owner_id,),
        "export_offboarding_proof": (offboarding.pk, "csv"),
    }


def of_keys(iam_user: IAMUser) -> Things:
    """Addresses of an access key, and of the rotation of another one, which is an application's."""
    key = iam_user.access_keys.get()
    names = (
        "start_rotation", "key_slots", "make_key_inactive", "make_key_active", "delete_access_key", "snooze_reminders",
    )  # fmt: skip
    application = factories.iam_user(
        iam_user.account, "ledger-writer", team=iam_user.team, owner=iam_user.owner, kind=IAMUser.Kind.APPLICATION
    )
    rotation = factories.rotation(factories.access_key(application))
    of_rotation = (
        "rotation", "rotation_facts", "refresh_rotation", "make_old_key_inactive", "make_old_key_active",
        "delete_old_key", "give_up_rotation", "prove_new_key",
    )  # fmt: skip
    return {**dict.fromkeys(names, (key.pk,)), **dict.fromkeys(of_rotation, (rotation.pk,))}


# Addresses that name no thing: what they show is scoped, which the tests of each page hold.
WITHOUT_A_THING = {
    "team", "create_iam_user", "create_iam_user_fields", "accounts", "connect_account", "deliveries", "ledger",
    "export_ledger", "assign_iam_users", "ownership", "set_tag_names", "apply_ownership_rules", "create_ownership_rule",
    "people", "invite_person", "invitations", "teams", "create_team",
    "create_iam_user_difference",
    "export_iam_users", "overview", "start_bulk_change", "csv_import", "csv_example",
    "offboardings",
    "requests",
    "key_board", "set_rotation_rule", "start_key_change",
    "my_access", "my_access_facts",
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

    for name in (
        "home",
        *sorted(WITHOUT_A_THING - {"export_ledger", "export_iam_users", "start_bulk_change", "start_key_change"}),
    ):
        text = client.get(reverse(name)).content.decode()
        for word in ("Acme", "acme", "ledger-reader", "111122223333", "Payments", "Lena"):
            assert word not in text, (name, word)


def test_no_get_changes_anything(enter: Enter, olive: Person, acmes: dict[str, tuple[Any, ...]]) -> None:
    client = enter(olive)

    for name, arguments in acmes.items():
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(name, args=arguments))
        assert list(writes(queries)) == [], name
