"""Set tags on an IAM user."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.access import NotAllowed, NotThere
from accounts.limits import OutsideEnvelope
from accounts.models import IAMGroup, IAMUser, Person
from accounts.usecases.iam_users import delete_iam_user, tag_iam_user
from portal.ledger.models import Delivery, Entry
from tests import factories

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWN = {"gatehouse:entry": "b7c5a1de-0000-4000-8000-000000000001"}

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]


def test_it_decides_what_is_put_and_what_is_taken_off(lena: Person, ledger_writer: IAMUser) -> None:
    ledger_writer.tags = {"stage": "prod", "old": "1", "cost-center": "1"} | OWN
    ledger_writer.save()

    tag_iam_user(by=lena, iam_user=ledger_writer, tags={"stage": "test", "cost-center": "1", "new": ""}, at=AT)

    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id) == ("accounts.iam_user.tagged", str(lena.pk))
    assert entry.details["put"] == [{"key": "new", "value": ""}, {"key": "stage", "value": "test"}]
    assert entry.details["removed"] == ["old"]
    assert Delivery.objects.get().subject == ledger_writer.arn
    ledger_writer.refresh_from_db()
    assert ledger_writer.tags == {"stage": "prod", "old": "1", "cost-center": "1"} | OWN


def test_a_tag_named_like_a_secret_is_a_tag(lena: Person, ledger_writer: IAMUser) -> None:
    tag_iam_user(by=lena, iam_user=ledger_writer, tags={"stage": "prod", "secret-store": "vault"}, at=AT)

    assert Entry.objects.get().details["put"] == [{"key": "secret-store", "value": "vault"}]


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, ledger_writer: IAMUser, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        tag_iam_user(by=somebody, iam_user=ledger_writer, tags={}, at=AT)


def test_the_owner_of_an_iam_user_sees_it_and_does_not_tag_it(
    mia: Person, leaves_nothing: Block, ledger_writer: IAMUser
) -> None:
    with leaves_nothing(NotThere):
        tag_iam_user(by=mia, iam_user=ledger_writer, tags={}, at=AT)

    ledger_writer.owner = mia
    ledger_writer.save()
    with leaves_nothing(NotAllowed):
        tag_iam_user(by=mia, iam_user=ledger_writer, tags={}, at=AT)


def test_elsewhere_it_does_not_exist(
    oskar: Person, lena: Person, platform: Any, leaves_nothing: Block, ledger_writer: IAMUser
) -> None:
    with leaves_nothing(NotThere):
        tag_iam_user(by=oskar, iam_user=ledger_writer, tags={}, at=AT)

    ledger_writer.team = platform
    ledger_writer.save()
    with leaves_nothing(NotThere):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags={}, at=AT)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"stage": "prod"}, "the tags that it has"),
        ({f"key-{number}": "" for number in range(50)}, "allows 50 tags"),
        (OWN, "not people's to set"),
        ({"aws:x": ""}, "not people's to set"),
        ({"a\x00b": ""}, "letters, digits"),
        ({"Stage": "1", "stage": "2"}, "only in upper and lower case"),
    ],
)
def test_it_refuses(
    lena: Person, ledger_writer: IAMUser, leaves_nothing: Block, tags: dict[str, str], words: str
) -> None:
    with leaves_nothing(ValidationError, match=words):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags=tags, at=AT)


def test_it_refuses_what_is_gone_or_going(lena: Person, ledger_writer: IAMUser, leaves_nothing: Block) -> None:
    delete_iam_user(by=lena, iam_user=ledger_writer, reason="Unused", at=AT)
    with leaves_nothing(ValidationError, match="being deleted"):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags={}, at=AT)

    ledger_writer.gone_at = AT
    ledger_writer.save()
    with leaves_nothing(ValidationError, match="no longer holds"):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags={}, at=AT)


def test_a_lead_does_not_take_what_reaches_further_by_a_tag(
    lena: Person, olive: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, administrators)
    mine = {"stage": "prod", "Owner": lena.email}

    with leaves_nothing(OutsideEnvelope, match="administrators"):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags=mine, at=AT)
    tag_iam_user(by=olive, iam_user=ledger_writer, tags=mine, at=AT)


def test_a_lead_names_an_owner_by_a_tag_within_the_envelope(lena: Person, ledger_writer: IAMUser) -> None:
    tag_iam_user(by=lena, iam_user=ledger_writer, tags={"stage": "prod", "owner": lena.email}, at=AT)

    assert Entry.objects.get().details["put"] == [{"key": "owner", "value": lena.email}]


def test_a_lead_moves_nothing_to_another_team_by_a_tag(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser
) -> None:
    moved = {"stage": "prod", "TEAM": "Platform"}
    with leaves_nothing(OutsideEnvelope, match="which team"):
        tag_iam_user(by=lena, iam_user=ledger_writer, tags=moved, at=AT)

    ledger_writer.team_said_by = IAMUser.SaidBy.HAND
    ledger_writer.save()
    tag_iam_user(by=lena, iam_user=ledger_writer, tags=moved, at=AT)
