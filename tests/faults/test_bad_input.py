"""Bad input to the ledger and its delivery: tasks with strange ids, use-cases called wrongly, reasons without end."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db.transaction import TransactionManagementError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AccountImport, IAMUser, Organization, Person, Team
from accounts.tasks import import_account
from accounts.usecases import deliveries, iam_users, imports
from portal.ledger import doorbell, tasks
from portal.ledger.models import Delivery, Entry
from portal.ledger.record import NotInTransaction
from tests import factories

TOO_LONG = "x" * 2001
LONGEST = "x" * 2000


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell.doorbell, "ring", lambda deliveries: None)


@pytest.fixture
def stuck(olive: Person, mia_in_aws: IAMUser) -> Delivery:
    """A decision that AWS denied."""
    iam_users.tag_iam_user(by=olive, iam_user=mia_in_aws, tags={"stage": "test"}, at=timezone.now())
    Delivery.objects.update(state=Delivery.State.STUCK, stuck_kind=Delivery.StuckKind.DENIED, error="AWS denied it.")
    return Delivery.objects.get()


@pytest.fixture
def mia_in_aws(acme_prod: Account, payments: Team, envelope: None) -> IAMUser:
    row = factories.iam_user(acme_prod, "mia", team=payments, tags={"stage": "prod"})
    factories.group_membership(row, factories.iam_group(acme_prod, "leavers"))
    return row


# Tasks


STRANGE = ["4711", "mia", "b7c5a1de-0000-4000-8000-000000000001", None, 1.0, True, [1], {"pk": 1}]


@pytest.mark.parametrize("strange", STRANGE)
def test_a_task_with_what_is_no_id_does_nothing_but_log(
    stuck: Delivery, strange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # Its id is the one that True stands for.
    Delivery.objects.update(id=1, state=Delivery.State.DUE, stuck_kind="")

    tasks.deliver(strange)

    assert Delivery.objects.get().state == Delivery.State.DUE
    assert f"A task carried a {type(strange).__name__} where the id of a delivery belongs" in caplog.text


@pytest.mark.parametrize("strange", [0, -1, 4711, 2**70])
def test_a_task_with_an_id_that_is_no_deliverys_does_nothing_but_log(
    stuck: Delivery, strange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    before = list(Delivery.objects.values()) + list(Entry.objects.values())

    with caplog.at_level(logging.INFO):
        tasks.deliver(strange)

    assert list(Delivery.objects.values()) + list(Entry.objects.values()) == before
    assert f"Delivery {strange} is not to be carried now" in caplog.text


@pytest.mark.parametrize("strange", [*STRANGE, 0, -1, 4711, 2**70])
def test_an_imports_task_with_a_strange_id_does_nothing_but_log(
    acme_prod: Account, strange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    imports.open_import(account=acme_prod, at=timezone.now())
    AccountImport.objects.update(id=1)

    with caplog.at_level(logging.INFO):
        import_account(strange)

    assert AccountImport.objects.get().state == AccountImport.State.WAITING
    assert len(caplog.records) == 1


def test_a_task_about_what_is_stuck_given_up_or_done_does_nothing_but_log(
    stuck: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    for state in (Delivery.State.STUCK, Delivery.State.GIVEN_UP, Delivery.State.DONE):
        is_stuck = state == Delivery.State.STUCK
        done_at = None if is_stuck else timezone.now()
        Delivery.objects.update(state=state, stuck_kind="denied" if is_stuck else "", done_at=done_at)

        with caplog.at_level(logging.INFO):
            tasks.deliver(stuck.pk)

        assert (Delivery.objects.get().state, Delivery.objects.get().attempts) == (state, 0)
    assert caplog.text.count("is not to be carried now") == 3


# Use-cases outside a transaction


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("usecase", "told"),
    [
        (iam_users.tag_iam_user, {"tags": {"a": "b"}}),
        (iam_users.delete_iam_user, {"reason": "Left"}),
        (iam_users.remove_iam_user_from_group, {"group_name": "leavers"}),
    ],
)
def test_a_decision_that_is_not_in_a_transaction_is_refused_whole(
    olive: Person, mia_in_aws: IAMUser, usecase: Callable[..., object], told: dict[str, Any]
) -> None:
    bare: Any = usecase
    # PostgreSQL refuses the first lock before the ledger is reached.
    with pytest.raises((NotInTransaction, TransactionManagementError)):
        bare.__wrapped__(by=olive, iam_user=mia_in_aws, at=timezone.now(), **told)

    assert not Entry.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("usecase", [deliveries.try_again, deliveries.give_up])
def test_a_decision_about_a_delivery_outside_a_transaction_leaves_no_entry(
    olive: Person, stuck: Delivery, usecase: Any
) -> None:
    with pytest.raises(NotInTransaction):
        usecase.__wrapped__(by=olive, delivery=stuck, reason="Mended", at=timezone.now())

    assert Entry.objects.count() == 1


# Reasons, through the pages


@pytest.fixture
def pages(payments: Team, olive: Person, mia_in_aws: IAMUser, stuck: Delivery) -> dict[str, tuple[str, dict[str, str]]]:
    """Each page that takes a reason, and what else it wants."""
    pk, membership = mia_in_aws.pk, mia_in_aws.group_memberships.get().pk
    return {
        "tag": (reverse("tag_iam_user", args=[pk]), {"tags": "stage = new"}),
        "remove": (reverse("remove_from_group", args=[pk, membership]), {}),
        "add": (reverse("add_to_group", args=[pk]), {"groups": "ledger-writers"}),
        "delete": (reverse("delete_iam_user", args=[pk]), {"user_name": "mia"}),
        "try again": (reverse("try_again", args=[stuck.pk]), {}),
        "give up": (reverse("give_up", args=[stuck.pk]), {}),
    }


@pytest.mark.parametrize("page", ["tag", "remove", "add", "delete", "try again", "give up"])
def test_a_reason_that_is_too_long_is_refused_at_the_field_and_leaves_nothing(
    pages: dict[str, tuple[str, dict[str, str]]], olive: Person, page: str
) -> None:
    client = Client()
    client.force_login(olive)
    address, fields = pages[page]
    before = list(Delivery.objects.values())

    text = client.post(address, fields | {"reason": TOO_LONG}).content.decode()

    assert "at most 2000 characters (it has 2001)" in text
    assert list(Delivery.objects.values()) == before
    assert Entry.objects.count() == 1
    client.post(address, fields | {"reason": LONGEST})
    assert Entry.objects.latest("sequence").reason == LONGEST


def test_a_delivery_of_another_organization_is_not_there(stuck: Delivery, globex: Organization, oskar: Person) -> None:
    client = Client()
    client.force_login(oskar)

    for page in ("try_again", "give_up"):
        assert client.post(reverse(page, args=[stuck.pk]), {"reason": "x"}).status_code == 404
    assert Entry.objects.count() == 1
