"""What an envelope says of tags and numbers holds every lead, and nobody above envelopes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.access import NotAllowed
from accounts.envelope import OutsideEnvelope
from accounts.models import Account, Duty, Envelope, IAMUser, Organization, Person, Team
from accounts.usecases.drift import adopt_drift, revert_drift
from accounts.usecases.iam_users import create_iam_user, tag_iam_user
from tests import factories
from tests.accounts.usecases.conftest import drifted
from tests.portal.ledger.carrying import together

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
Create = Callable[..., IAMUser]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULES = [{"key": "cost-center", "values": ["4711", "4712"]}, {"key": "stage", "values": []}]
KEPT = {"cost-center": "4711", "stage": "prod"}


@pytest.fixture
def create(lena: Person, payments: Team, acme_prod: Account, envelope: None) -> Create:
    def create(**changes: Any) -> IAMUser:
        told: dict[str, Any] = {
            "by": lena, "team": payments, "account": acme_prod, "user_name": "mia", "kind": "person", "at": AT,
        }  # fmt: skip
        return create_iam_user(**told | changes)

    return create


@pytest.fixture
def rules(envelope: None) -> None:
    Envelope.objects.update(tag_rules=RULES)


# Tags


@pytest.mark.parametrize(
    "tags",
    [{}, {"stage": "prod"}, {"cost-center": "4711"}, {"cost-center": "9", "stage": "prod"},
     {"cost-center": "", "stage": "prod"}, {"cost-center ": "4711", "stage": "prod"}],
)  # fmt: skip
def test_a_lead_creates_nobody_without_the_tags(
    create: Create, rules: None, tags: dict[str, str], leaves_nothing: Block
) -> None:
    with leaves_nothing(OutsideEnvelope) as refused:
        create(tags=tags)
    assert list(refused.value.message_dict) == ["tags"]


@pytest.mark.parametrize("tags", [KEPT, KEPT | {"more": "x"}, {"Cost-Center": "4712", "STAGE": ""}])
def test_a_lead_creates_with_the_tags(create: Create, rules: None, tags: dict[str, str]) -> None:
    assert create(tags=tags).tags == tags


@pytest.mark.parametrize("duty", [Duty.OWNER, Duty.ADMIN])
def test_tags_hold_nobody_above_envelopes(
    create: Create, rules: None, acme: Organization, lena: Person, duty: Duty
) -> None:
    somebody = factories.member("somebody@acme.test", duty, of=acme)

    iam_user = create(by=somebody)

    assert tag_iam_user(by=somebody, iam_user=iam_user, tags={"a": "b"}, at=AT) == iam_user


def test_a_lead_takes_no_required_tag_away(
    lena: Person, ledger_writer: IAMUser, rules: None, leaves_nothing: Block
) -> None:
    IAMUser.objects.filter(pk=ledger_writer.pk).update(tags=KEPT)

    for tags in ({}, {"stage": "prod"}, KEPT | {"cost-center": "1"}):
        with leaves_nothing(OutsideEnvelope) as refused:
            tag_iam_user(by=lena, iam_user=ledger_writer, tags=tags, at=AT)
        assert list(refused.value.message_dict) == ["tags"]
    other = KEPT | {"cost-center": "4712"}
    assert tag_iam_user(by=lena, iam_user=ledger_writer, tags=other, at=AT) == ledger_writer


def test_a_lead_does_not_adopt_the_loss_of_a_required_tag(
    lena: Person, olive: Person, managed: IAMUser, rules: None, leaves_nothing: Block
) -> None:
    IAMUser.objects.filter(pk=managed.pk).update(tags=KEPT)
    managed.refresh_from_db()
    managed.record.tags = KEPT
    managed.record.save()
    lost = drifted(managed, tags={"stage": "prod"})

    with leaves_nothing(OutsideEnvelope, match="would lose the tag cost-center = 4711 or 4712"):
        adopt_drift(by=lena, drifts=lost, reason="Fine", at=AT)
    assert adopt_drift(by=olive, drifts=lost, reason="Fine", at=AT)


def test_a_lead_reverts_to_the_required_tags(lena: Person, managed: IAMUser, rules: None) -> None:
    managed.record.tags = KEPT
    managed.record.save()
    lost = drifted(managed, tags={})

    assert revert_drift(by=lena, drifts=lost, reason="Ours", at=AT)


# How many


def test_a_lead_creates_as_many_as_there_is_room_for(
    create: Create, ledger_writer: IAMUser, acme_prod: Account, payments: Team, platform: Team, leaves_nothing: Block
) -> None:
    factories.iam_user(acme_prod, "gone", team=payments, gone_at=AT)
    factories.iam_user(acme_prod, "other", team=platform)
    Envelope.objects.update(iam_user_limit=2)

    create()

    with leaves_nothing(OutsideEnvelope, match="Team Payments has 2 of 2 IAM users") as refused:
        create(user_name="max")
    assert list(refused.value.message_dict) == ["team"]


def test_none_at_all_is_a_number_too(create: Create, leaves_nothing: Block) -> None:
    Envelope.objects.update(iam_user_limit=0)

    with leaves_nothing(OutsideEnvelope):
        create()


def test_the_number_holds_nobody_above_envelopes(create: Create, olive: Person) -> None:
    Envelope.objects.update(iam_user_limit=0)

    assert create(by=olive).user_name == "mia"


def test_a_lead_makes_none_anew_where_there_is_no_room(lena: Person, gone: list[Any], leaves_nothing: Block) -> None:
    Envelope.objects.update(iam_user_limit=0)

    with leaves_nothing(OutsideEnvelope):
        revert_drift(by=lena, drifts=gone, reason="Ours", at=AT)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_the_last_one_at_once_one_does(create: Create) -> None:
    Envelope.objects.update(iam_user_limit=1)

    outcomes = together(2, lambda number: create(user_name=f"user-{number}"))

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IAMUser", "OutsideEnvelope"]
    assert IAMUser.objects.count() == 1


def test_who_may_not_create_is_told_that_first(create: Create, hugo: Person, leaves_nothing: Block) -> None:
    Envelope.objects.update(iam_user_limit=0, tag_rules=RULES)

    with leaves_nothing(NotAllowed):
        create(by=hugo)
