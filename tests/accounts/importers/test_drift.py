"""What a reading of an account concludes about drift, beside the records and rows that are there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.importers.drift import conclude
from accounts.importers.staging import BATCH
from accounts.models import Account, Drift, IAMGroup, IAMUser, Person, Source
from accounts.usecases import iam_users
from portal.ledger.models import Delivery
from tests import factories

READ_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = READ_AT + timedelta(minutes=30)
SOURCE = Source.ACCOUNT_AUTHORIZATION_DETAILS
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"

Conclude = Callable[..., None]


@pytest.fixture
def read(acme_prod: Account) -> Conclude:
    """Conclude from a reading in which nothing is new, gone or changed but what is said."""

    def read(**what: Any) -> None:
        given: dict[str, Any] = {
            "read_at": READ_AT,
            "source": SOURCE,
            "new": [],
            "gone": [],
            "changed": {},
            "first_reading": False,
        }
        conclude(acme_prod, **{"first_reading": False} | given | what)

    return read


@pytest.fixture
def managed(ledger_writer: IAMUser, administrators: IAMGroup) -> IAMUser:
    """An IAM user whose record says what its row says."""
    factories.group_membership(ledger_writer, administrators)
    factories.iam_user_record(ledger_writer)
    return ledger_writer


def held(iam_user: IAMUser, **fields: Any) -> None:
    """AWS holds something else of it, as an import wrote it."""
    IAMUser.objects.filter(pk=iam_user.pk).update(**fields)


def told() -> list[tuple[str, str, str, Any, Any]]:
    rows = Drift.objects.order_by("pk")
    return list(rows.values_list("kind", "state", "attribute", "decided", "held"))


# What the portal manages


def test_what_is_as_it_was_decided_is_no_drift(read: Conclude, managed: IAMUser) -> None:
    held(managed, tags={"Stage": "prod", "gatehouse:entry": "x", "aws:made": "y"})

    read()

    assert told() == []


@pytest.mark.parametrize(
    ("fields", "attribute", "decided", "now"),
    [
        ({"tags": {"stage": "test"}}, "tags", {"stage": "prod"}, {"stage": "test"}),
        ({"tags": {}}, "tags", {"stage": "prod"}, {}),
        ({"user_name": "renamed"}, "user_name", "ledger-writer", "renamed"),
        ({"path": "/elsewhere/"}, "path", "/", "/elsewhere/"),
        ({"permissions_boundary_arn": ARN}, "permissions_boundary_arn", "", ARN),
        ({"attached_policy_arns": [ARN]}, "attached_policy_arns", [], [ARN]),
        ({"inline_policies": {"read": DOCUMENT}}, "inline_policies", {}, {"read": DOCUMENT}),
    ],
)
def test_each_attribute_that_differs_waits_for_a_decision(
    read: Conclude, managed: IAMUser, fields: dict[str, Any], attribute: str, decided: Any, now: Any
) -> None:
    held(managed, **fields)

    read()

    assert told() == [("changed", "open", attribute, decided, now)]
    row = Drift.objects.get()
    assert (row.iam_user, row.read_at, row.source) == (managed, READ_AT, SOURCE)


def test_groups_that_were_gained_and_lost_are_one_difference(
    read: Conclude, managed: IAMUser, ledger_writers: IAMGroup
) -> None:
    managed.group_memberships.all().delete()
    factories.group_membership(managed, ledger_writers)

    read()

    assert told() == [("changed", "open", "group_names", ["administrators"], ["ledger-writers"])]


def test_it_is_compared_whether_or_not_this_reading_changed_it(read: Conclude, managed: IAMUser) -> None:
    """A row can have changed while something was on its way, and nothing was concluded then."""
    held(managed, tags={"stage": "test"})

    read(changed={})

    assert len(told()) == 1


def test_what_differs_in_another_way_is_told_anew_in_the_same_row(read: Conclude, managed: IAMUser) -> None:
    held(managed, tags={"stage": "test"})
    read()
    first = Drift.objects.get()
    read(read_at=LATER)
    assert Drift.objects.get().read_at == READ_AT

    held(managed, tags={"stage": "dev"})
    read(read_at=LATER)

    row = Drift.objects.get()
    assert (row.pk, row.held, row.read_at) == (first.pk, {"stage": "dev"}, LATER)


def test_what_is_no_difference_any_more_has_ended(read: Conclude, managed: IAMUser) -> None:
    held(managed, tags={"stage": "test"})
    read()
    held(managed, tags={"stage": "prod"})

    read(read_at=LATER)

    assert told() == [("changed", "ended", "tags", {"stage": "prod"}, {"stage": "test"})]
    assert Drift.objects.get().ended_at == LATER


def test_one_that_is_gone_is_one_difference_whatever_else_there_was(read: Conclude, managed: IAMUser) -> None:
    held(managed, tags={"stage": "test"})
    read()
    held(managed, gone_at=LATER)

    read(read_at=LATER, gone=[managed.pk])
    read(read_at=LATER)

    states = Drift.objects.order_by("pk").values_list("kind", "attribute", "state")
    assert list(states) == [("changed", "tags", "ended"), ("gone", "", "open")]
    assert told()[-1][3]["tags"] == {"stage": "prod"}


def test_one_that_was_deleted_and_made_again_is_gone_and_new(
    read: Conclude, managed: IAMUser, acme_prod: Account
) -> None:
    held(managed, gone_at=READ_AT)
    again = factories.iam_user(acme_prod, "ledger-writer")

    read(gone=[managed.pk], new=[again.pk])

    found = Drift.objects.order_by("pk").values_list("iam_user", "kind", "state")
    assert list(found) == [(managed.pk, "gone", "open"), (again.pk, "new", "adopted")]


# What was decided and has not arrived is pending, and no drift


@pytest.mark.parametrize("state", ["due", "calling", "waiting", "stuck"])
def test_what_is_on_its_way_is_no_drift(read: Conclude, lena: Person, ledger_writer: IAMUser, state: str) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=ledger_writer, tags={"stage": "test"}, at=READ_AT)
    of_state: dict[str, dict[str, Any]] = {
        "calling": {"claim": "b7c5a1de-0000-4000-8000-000000000001", "lease_until": LATER},
        "waiting": {"not_before": LATER},
        "stuck": {"stuck_kind": "denied"},
    }
    Delivery.objects.update(state=state, **of_state.get(state, {}))

    read(changed={ledger_writer.pk: {"tags": ({}, {"stage": "prod"})}})

    assert told() == []


def test_what_is_open_stays_as_it_is_while_something_is_on_its_way(
    read: Conclude, lena: Person, managed: IAMUser
) -> None:
    held(managed, path="/elsewhere/")
    read()
    iam_users.tag_iam_user(by=lena, iam_user=managed, tags={"stage": "test"}, at=READ_AT)
    held(managed, path="/")

    read(read_at=LATER)

    assert [row[:3] for row in told()] == [("changed", "open", "path")]


def test_what_has_arrived_a_moment_ago_may_not_be_in_the_reading_yet(
    read: Conclude, lena: Person, managed: IAMUser
) -> None:
    iam_users.tag_iam_user(by=lena, iam_user=managed, tags={"stage": "test"}, at=READ_AT)
    Delivery.objects.update(state="done", done_at=READ_AT - timedelta(minutes=1))

    read()
    assert told() == []

    read(read_at=LATER)
    assert [row[:3] for row in told()] == [("changed", "open", "tags")]


def test_one_that_is_still_to_be_made_is_no_drift(
    read: Conclude, lena: Person, payments: Any, acme_prod: Account, envelope: None
) -> None:
    iam_users.create_iam_user(by=lena, team=payments, account=acme_prod, user_name="mia", kind="person", at=READ_AT)

    read()

    assert told() == []


def test_one_that_was_deleted_here_is_no_drift(
    read: Conclude, lena: Person, managed: IAMUser, acme_prod: Account, payments: Any
) -> None:
    unmanaged = factories.iam_user(acme_prod, "unmanaged", team=payments)
    for iam_user in (managed, unmanaged):
        iam_users.delete_iam_user(by=lena, iam_user=iam_user, reason="Left", at=READ_AT)
        held(iam_user, gone_at=LATER)

    read(read_at=LATER, gone=[managed.pk, unmanaged.pk])

    assert told() == []


def test_one_whose_deletion_was_given_up_and_that_is_gone_all_the_same_is_drift(
    read: Conclude, lena: Person, managed: IAMUser
) -> None:
    iam_users.delete_iam_user(by=lena, iam_user=managed, reason="Left", at=READ_AT)
    Delivery.objects.update(state="given_up", done_at=READ_AT)
    held(managed, gone_at=LATER)

    read(read_at=LATER)

    assert [row[:2] for row in told()] == [("gone", "open")]


# What it does not manage is adopted by itself


def test_what_is_new_gone_or_changed_elsewhere_is_adopted_and_can_be_read(
    read: Conclude, ledger_writer: IAMUser, acme_prod: Account
) -> None:
    new, gone = factories.iam_user(acme_prod, "new"), factories.iam_user(acme_prod, "gone", gone_at=READ_AT)
    changes = {
        "tags": ({"stage": "prod", "aws:x": "1"}, {"stage": "test"}),
        "group_names": (("b", "a"), ["a"]),
        "path": ("/", "/x/"),
    }

    read(new=[new.pk], gone=[gone.pk], changed={ledger_writer.pk: changes})

    assert told() == [
        ("new", "adopted", "", None, None),
        ("gone", "adopted", "", None, None),
        ("changed", "adopted", "tags", {"stage": "prod"}, {"stage": "test"}),
        ("changed", "adopted", "group_names", ["a", "b"], ["a"]),
        ("changed", "adopted", "path", "/", "/x/"),
    ]
    assert set(Drift.objects.values_list("ended_at", flat=True)) == {READ_AT}


def test_a_change_that_aws_takes_for_none_or_that_is_the_portals_own_is_not_told(
    read: Conclude, ledger_writer: IAMUser
) -> None:
    changes = {
        "tags": ({"stage": "prod"}, {"Stage": "prod", "gatehouse:entry": "x"}),
        "group_names": (["a", "b"], ["b", "A"]),
    }

    read(changed={ledger_writer.pk: changes})

    assert told() == []


def test_of_the_first_reading_nothing_is_told(read: Conclude, ledger_writer: IAMUser) -> None:
    read(new=[ledger_writer.pk], first_reading=True)

    assert told() == []


def test_another_account_is_left_alone(read: Conclude, acme_dev: Account) -> None:
    elsewhere = factories.iam_user(acme_dev, "elsewhere")
    factories.iam_user_record(elsewhere, tags={"stage": "prod"})

    read()

    assert told() == []


@pytest.mark.parametrize("count", [3, BATCH + 3])
def test_however_many_it_asks_a_fixed_number_of_questions(
    read: Conclude, acme_prod: Account, payments: Any, count: int
) -> None:
    rows = IAMUser.objects.bulk_create(
        IAMUser(organization=acme_prod.organization, account=acme_prod, user_name=f"user-{number}", tags={"a": "1"})
        for number in range(count)
    )
    for row in rows:
        factories.iam_user_record(row, tags={"a": "2"} if row.pk % 2 else {"a": "1"})
    unmanaged = IAMUser.objects.bulk_create(
        IAMUser(organization=acme_prod.organization, account=acme_prod, user_name=f"other-{number}")
        for number in range(count)
    )
    pks = [row.pk for row in unmanaged]

    with CaptureQueriesContext(connection) as queries:
        read(new=pks[:1], gone=pks[1:2], changed={pk: {"path": ("/", "/x/")} for pk in pks[2:]})

    batches = -(-count // BATCH)
    assert Drift.objects.open().count() == sum(row.pk % 2 for row in rows)
    assert len(queries) <= 10 + 8 * batches
