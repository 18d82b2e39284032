"""Asking for what one may not decide alone: a group outside the envelope."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.access import NotAllowed, NotThere
from accounts.kinds import Kind
from accounts.models import Account, Duty, IAMGroup, IAMUser, Organization, Person, Request
from accounts.usecases.requests import make_request, withdraw_request
from portal.ledger.models import Delivery, Entry
from tests import factories

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]
KIND = Kind.IAM_USER_ADDED_TO_GROUP


def ask(by: Person, iam_user: IAMUser, group: str = "administrators", **what: Any) -> Request:
    change = {"group": group, "until": what.pop("until", None)}
    given: dict[str, Any] = {
        "kind": KIND,
        "about": iam_user,
        "change": change,
        "reason": "On call",
        "at": timezone.now(),
    }
    return make_request(by=by, **given | what)


def test_it_saves_what_is_asked_for_and_an_entry(
    lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    at = timezone.now()

    request = ask(lena, ledger_writer, at=at)

    assert (request.kind, request.change) == (KIND, {"group": "administrators", "until": ""})
    assert (request.subject_type, request.subject_id, request.subject_name) == (
        "iam_user",
        str(ledger_writer.pk),
        ledger_writer.arn,
    )
    assert (request.made_by, request.team, request.account) == (lena, ledger_writer.team, ledger_writer.account)
    assert (request.state, request.expires_at, len(request.binding)) == ("open", at + timedelta(days=7), 64)
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id, entry.reason) == ("accounts.request.made", str(lena.pk), "On call")
    assert entry.details["binding"] == request.binding
    assert not Delivery.objects.exists()


def test_it_expires_no_later_than_what_is_asked_for(
    lena: Person, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    until = timezone.now() + timedelta(days=2)

    request = ask(lena, ledger_writer, until=until)

    assert (request.expires_at, request.change["until"]) == (until, until.isoformat())


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_it_refuses_who_only_looks(
    request: pytest.FixtureRequest, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup, who: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(NotAllowed):
        ask(somebody, ledger_writer)


def test_another_teams_iam_user_does_not_exist(
    lena: Person, oskar: Person, leaves_nothing: Block, ledger_writer: IAMUser, acme_dev: Account, platform: Any
) -> None:
    robot = factories.iam_user(acme_dev, "robot", team=platform)
    with leaves_nothing(NotThere):
        ask(lena, robot)
    with leaves_nothing(NotThere):
        ask(oskar, ledger_writer)


def test_it_refuses_what_one_may_decide_alone(
    lena: Person, olive: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    with leaves_nothing(ValidationError, match="You may decide this yourself"):
        ask(lena, ledger_writer, "ledger-writers")
    with leaves_nothing(ValidationError, match="You may decide this yourself"):
        ask(olive, ledger_writer)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"reason": "  "}, "Say why"),
        ({"group": "no-such-group"}, "has no group of the name"),
        ({"until": timezone.now() - timedelta(days=1)}, "still to come"),
        ({"until": timezone.now() + timedelta(days=400)}, "within a year"),
    ],
)
def test_it_refuses_what_cannot_be(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup, what: Any, words: str
) -> None:
    with leaves_nothing(ValidationError, match=words):
        ask(lena, ledger_writer, **what)


def test_it_refuses_an_iam_user_that_is_not_in_aws(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    """Its unique id is what an approval is bound to."""
    IAMUser.objects.update(user_id="")

    with leaves_nothing(ValidationError, match="not in AWS yet"):
        ask(lena, ledger_writer)


def test_it_refuses_a_group_that_it_is_in(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    factories.group_membership(ledger_writer, administrators)

    with leaves_nothing(ValidationError, match="is in administrators already"):
        ask(lena, ledger_writer)


def test_it_is_asked_for_once(
    lena: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    first = ask(lena, ledger_writer)
    with leaves_nothing(ValidationError, match="asked for already"):
        ask(lena, ledger_writer)

    withdraw_request(by=lena, request=first, at=timezone.now())
    assert ask(lena, ledger_writer) != first


def test_only_who_asked_can_withdraw_it_and_only_once(
    lena: Person, olive: Person, oskar: Person, leaves_nothing: Block, ledger_writer: IAMUser, administrators: IAMGroup
) -> None:
    request = ask(lena, ledger_writer)
    with leaves_nothing(ValidationError, match="Only whoever asked"):
        withdraw_request(by=olive, request=request, at=timezone.now())
    with leaves_nothing(NotThere):
        withdraw_request(by=oskar, request=request, at=timezone.now())

    withdraw_request(by=lena, request=request, at=timezone.now())

    assert request.state == "withdrawn"
    assert Entry.objects.latest("sequence").kind == "accounts.request.withdrawn"
    with leaves_nothing(ValidationError, match="decided already: withdrawn"):
        withdraw_request(by=lena, request=request, at=timezone.now())


def test_requests_are_seen_by_those_they_concern(
    lena: Person,
    olive: Person,
    ada: Person,
    hugo: Person,
    mia: Person,
    oskar: Person,
    acme: Organization,
    platform: Any,
    ledger_writer: IAMUser,
    administrators: IAMGroup,
) -> None:
    request = ask(lena, ledger_writer)
    other_lead = factories.member("paul@acme.test", Duty.LEAD, of=acme, team=platform)

    seen = {
        person.name: request in Request.objects.visible_to(person)
        for person in (lena, olive, ada, hugo, mia, oskar, other_lead)
    }

    assert seen == {
        "Lena": True, "Olive": True, "Ada": True, "Hugo": False, "Mia": False, "Oskar": False, "Paul": False,
    }  # fmt: skip
