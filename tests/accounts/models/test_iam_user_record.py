"""The portal's record of an IAM user: it begins with the first decision, follows the others, and takes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account, Drift, IAMGroup, IAMUser, IAMUserRecord, Person, Team
from accounts.models.attributes import NAMES, Attributes, are_same, heard, told
from accounts.models.iam_user_record import held_now
from accounts.usecases import deliveries, iam_users
from portal.ledger import chain
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOON = timedelta(minutes=1)
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
OWN = {"gatehouse:entry": "b7c5a1de-0000-4000-8000-000000000001"}


@pytest.fixture
def imported(ledger_writer: IAMUser, administrators: IAMGroup) -> IAMUser:
    """An IAM user with everything that a record holds, which nobody has decided about."""
    ledger_writer.tags = {"stage": "prod", **OWN}
    ledger_writer.attached_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    ledger_writer.inline_policies = {"password-reader": DOCUMENT}
    ledger_writer.save()
    factories.group_membership(ledger_writer, administrators)
    return ledger_writer


def tag(person: Person, iam_user: IAMUser, **tags: str) -> Delivery:
    iam_users.tag_iam_user(by=person, iam_user=iam_user, tags=tags, at=AT)
    return Delivery.objects.latest("pk")


def add(person: Person, iam_user: IAMUser, group_name: str) -> Delivery:
    iam_users.add_iam_user_to_group(by=person, iam_user=iam_user, group_name=group_name, at=AT)
    return Delivery.objects.latest("pk")


def give_up(olive: Person, delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state="stuck", stuck_kind="refused")
    delivery.refresh_from_db()
    deliveries.give_up(by=olive, delivery=delivery, reason="Not needed", at=AT)


def record() -> Attributes:
    return IAMUserRecord.objects.get().attributes


def test_it_holds_the_attributes_that_drift_knows() -> None:
    assert set(NAMES) == set(Drift.Attribute.values) - {""}


def test_one_that_was_made_here_is_managed_from_the_first_moment(
    lena: Person, payments: Team, acme_prod: Account, envelope: None
) -> None:
    iam_users.create_iam_user(
        by=lena, team=payments, account=acme_prod, user_name="mia", kind="person", group_names=["ledger-writers"],
        tags={"stage": "prod"}, at=AT,
    )  # fmt: skip

    assert record() == Attributes(
        user_name="mia",
        path="/portal/acme/payments/",
        tags={"stage": "prod"},
        group_names=["ledger-writers"],
        attached_policy_arns=[],
    )
    assert IAMUserRecord.objects.get().since == AT


def test_an_imported_one_begins_as_a_copy_of_what_aws_holds_and_the_entry_says_so(
    lena: Person, imported: IAMUser
) -> None:
    before = held_now(imported)

    tag(lena, imported, stage="test")

    assert record() == before.after("accounts.iam_user.tagged", Entry.objects.get().details)
    assert record().tags == {"stage": "test"}
    assert record().group_names == ["administrators"]
    assert record().inline_policies == {"password-reader": DOCUMENT}
    assert Attributes.told(Entry.objects.get().details["managed_from"]) == before
    assert chain.verify(imported.organization) is None


def test_every_later_decision_changes_it_and_the_rows_wait_for_aws(lena: Person, imported: IAMUser) -> None:
    tag(lena, imported, stage="test")
    add(lena, imported, "ledger-writers")
    iam_users.remove_iam_user_from_group(by=lena, iam_user=imported, group_name="administrators", at=AT)

    assert (record().tags, record().group_names) == ({"stage": "test"}, ["ledger-writers"])
    assert (held_now(imported).tags, held_now(imported).group_names) == ({"stage": "prod"}, ["administrators"])
    assert ["managed_from" in entry.details for entry in Entry.objects.order_by("sequence")] == [True, False, False]


def test_a_key_in_other_letters_is_the_same_tag(lena: Person, imported: IAMUser) -> None:
    tag(lena, imported, Stage="test")

    assert record().tags == {"Stage": "test"}


def test_what_is_refused_leaves_no_record(hugo: Person, imported: IAMUser) -> None:
    with pytest.raises(Exception, match="duty"):
        tag(hugo, imported, stage="test")

    assert not IAMUserRecord.objects.exists()


def test_given_up_the_only_decision_leaves_it_unmanaged(olive: Person, imported: IAMUser) -> None:
    give_up(olive, tag(olive, imported, stage="test"))

    assert not IAMUserRecord.objects.exists()


def test_given_up_the_first_decision_leaves_those_that_follow(olive: Person, imported: IAMUser) -> None:
    first = tag(olive, imported, stage="test", kept="1")
    tag(olive, imported, stage="prod", kept="2")
    add(olive, imported, "ledger-writers")

    give_up(olive, first)

    assert record().tags == {"stage": "prod", "kept": "2"}
    assert record().group_names == ["administrators", "ledger-writers"]


def test_given_up_in_any_order_it_is_what_the_others_decided(olive: Person, imported: IAMUser) -> None:
    first, second = tag(olive, imported, stage="1"), tag(olive, imported, stage="2")
    third = add(olive, imported, "ledger-writers")

    give_up(olive, second)
    assert record().tags == {"stage": "1"}
    give_up(olive, first)
    assert (record().tags, record().group_names) == ({"stage": "prod"}, ["administrators", "ledger-writers"])
    give_up(olive, third)
    assert not IAMUserRecord.objects.exists()


def test_it_begins_anew_from_what_aws_holds_by_then(olive: Person, imported: IAMUser) -> None:
    give_up(olive, tag(olive, imported, stage="test"))
    IAMUser.objects.update(tags={"stage": "moved on"})
    imported.refresh_from_db()

    later = tag(olive, imported, stage="moved on", new="1")
    tag(olive, imported, new="2", stage="moved on")
    give_up(olive, later)

    assert record().tags == {"stage": "moved on", "new": "2"}


def test_given_up_a_creation_leaves_nothing(olive: Person, payments: Team, acme_prod: Account, envelope: None) -> None:
    iam_users.create_iam_user(by=olive, team=payments, account=acme_prod, user_name="mia", kind="person", at=AT)

    give_up(olive, Delivery.objects.get())

    assert not IAMUserRecord.objects.exists()


@pytest.mark.parametrize(
    ("name", "one", "other", "is_same"),
    [
        ("user_name", "mia", "Mia", True),
        ("user_name", "mia", "noah", False),
        ("path", "/a/", "/A/", False),
        ("tags", {"Stage": "prod"}, {"stage": "prod"}, True),
        ("tags", {"stage": "prod"}, {"stage": "Prod"}, False),
        ("tags", {"stage": "prod"}, {}, False),
        ("group_names", ["a", "B"], ["b", "A"], True),
        ("group_names", ["a"], ["a", "b"], False),
        ("permissions_boundary_arn", "", "arn:x", False),
        ("attached_policy_arns", ["arn:a", "arn:b"], ["arn:b", "arn:a"], True),
        ("attached_policy_arns", ["arn:a"], ["arn:A"], False),
        ("inline_policies", {"Read": DOCUMENT}, {"read": dict(reversed(DOCUMENT.items()))}, True),
        ("inline_policies", {"read": DOCUMENT}, {"read": {**DOCUMENT, "Statement": []}}, False),
    ],
)
def test_what_aws_takes_for_the_same_is_no_difference(name: str, one: Any, other: Any, is_same: bool) -> None:
    assert are_same(name, one, other) is is_same
    assert are_same(name, other, one) is is_same


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tags", {"password": "x", "a": ""}),
        ("inline_policies", {"secret": {"Statement": [{"Condition": {"Token": 1.5}}]}, "text": "no JSON"}),
        ("group_names", ["b", "a"]),
        ("path", "/x/"),
    ],
)
def test_a_value_comes_back_from_the_details_as_it_was(name: str, value: Any) -> None:
    assert heard(name, told(name, value)) == value
