"""Asking for another permissions boundary, for a path outside the team's, and for a move to another team."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, Duty, IAMGroup, IAMPolicy, IAMUser, Membership, Organization, Person, Request, Team
from accounts.usecases import requests
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.changes import limit, reading, wide

__all__ = ["limit", "reading", "wide"]

# Long ahead: every duty of the cast began before it.
AT = datetime(2126, 11, 25, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
OUTSIDE = "/elsewhere/"

LeavesNothing = Callable[..., AbstractContextManager[Any]]
Ask = Callable[..., Request]


@pytest.fixture
def ask(lena: Person, ledger_writer: IAMUser, wide: IAMPolicy, platform: Team) -> Ask:
    """Lena asks for what is outside her envelope, but for what the test says otherwise."""
    usual: dict[str, tuple[Kind, dict[str, Any]]] = {
        "boundary": (Kind.IAM_USER_BOUNDARY_CHANGED, {"permissions_boundary": wide.arn}),
        "path": (Kind.IAM_USER_PATH_CHANGED, {"path": OUTSIDE}),
        "move": (Kind.IAM_USER_ASSIGNED, {"team": platform}),
    }

    def ask(what: str, *, by: Person = lena, reason: str = "On call", **change: Any) -> Request:
        kind, given = usual[what]
        asked: dict[str, Any] = {"kind": kind, "about": ledger_writer, "change": given | change}
        return requests.make_request(by=by, reason=reason, at=AT, **asked)

    return ask


ALL = ("boundary", "path", "move")


def approve(by: Person, asked: Request) -> Request:
    return requests.approve_request(by=by, request=asked, at=LATER)


# What an approval does


def test_an_approved_boundary_is_set_in_the_approvers_name(ask: Ask, olive: Person, wide: IAMPolicy) -> None:
    asked = ask("boundary")

    assert approve(olive, asked).state == "approved"

    entry = Entry.objects.get(kind=Kind.IAM_USER_BOUNDARY_CHANGED)
    assert (entry.by_name, entry.reason) == ("Olive", "On call")
    assert (entry.details["permissions_boundary"], entry.details["before"]) == (wide.arn, "")
    assert (entry.details["requested_by"], entry.details["binding"]) == ("lena@acme.test", asked.binding)
    assert Delivery.objects.get().entry == entry


def test_an_approval_can_take_the_boundary_away(ask: Ask, olive: Person, limit: IAMPolicy) -> None:
    IAMUser.objects.update(permissions_boundary_arn=limit.arn)

    approve(olive, ask("boundary", permissions_boundary=""))

    entry = Entry.objects.get(kind=Kind.IAM_USER_BOUNDARY_CHANGED)
    assert (entry.details["permissions_boundary"], entry.details["before"]) == ("", limit.arn)


def test_an_approved_path_is_set_in_the_approvers_name(ask: Ask, olive: Person) -> None:
    asked = ask("path")

    assert approve(olive, asked).state == "approved"

    entry = Entry.objects.get(kind=Kind.IAM_USER_PATH_CHANGED)
    assert (entry.by_name, entry.details["path"], entry.details["before"]) == ("Olive", OUTSIDE, "/")
    assert (entry.details["requested_by"], entry.details["request"]) == ("lena@acme.test", asked.pk)
    assert Delivery.objects.get().entry == entry


def test_an_approved_move_moves_and_nothing_goes_to_aws(
    ask: Ask, olive: Person, platform: Team, ledger_writer: IAMUser
) -> None:
    assert approve(olive, ask("move")).state == "approved"

    ledger_writer.refresh_from_db()
    assert (ledger_writer.team, ledger_writer.team_said_by) == (platform, "hand")
    entry = Entry.objects.get(kind=Kind.IAM_USER_ASSIGNED)
    assert (entry.by_name, entry.reason, entry.details["team"]) == ("Olive", "On call", "Platform")
    assert not Delivery.objects.exists()


# Who asks for it, and for what


@pytest.mark.parametrize("what", ALL)
@pytest.mark.parametrize("who", ["hugo", "ada", "oskar", "mia"])
def test_those_without_the_duty_ask_for_nothing(
    request: pytest.FixtureRequest, ask: Ask, leaves_nothing: LeavesNothing, who: str, what: str
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(access.NotAllowed if who in ("hugo", "ada") else access.NotThere):
        ask(what, by=somebody)


@pytest.mark.parametrize("what", ALL)
def test_an_owner_decides_it_without_asking(ask: Ask, olive: Person, leaves_nothing: LeavesNothing, what: str) -> None:
    with leaves_nothing(ValidationError, match="yourself"):
        ask(what, by=olive)


@pytest.mark.parametrize("what", ALL)
def test_what_is_not_in_aws_yet_or_any_more_waits(ask: Ask, leaves_nothing: LeavesNothing, what: str) -> None:
    IAMUser.objects.update(user_id="")
    with leaves_nothing(ValidationError, match="not in AWS yet"):
        ask(what)
    IAMUser.objects.update(gone_at=AT)
    with leaves_nothing(ValidationError, match="no longer holds"):
        ask(what)


@pytest.mark.parametrize("what", ALL)
def test_it_is_asked_for_once_and_with_a_reason(ask: Ask, leaves_nothing: LeavesNothing, what: str) -> None:
    with leaves_nothing(ValidationError, match="Say why"):
        ask(what, reason=" ")
    ask(what)
    with leaves_nothing(ValidationError, match="asked for already"):
        ask(what)


def test_the_boundary_that_the_team_must_have_is_not_asked_for(
    ask: Ask, limit: IAMPolicy, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="yourself") as refused:
        ask("boundary", permissions_boundary=limit.arn)
    assert set(refused.value.message_dict) == {"permissions_boundary"}


def test_the_boundary_that_it_has_or_a_policy_that_is_not_there_is_not_asked_for(
    ask: Ask, wide: IAMPolicy, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="It has no permissions boundary"):
        ask("boundary", permissions_boundary="")
    with leaves_nothing(ValidationError, match="has no policy") as refused:
        ask("boundary", permissions_boundary=f"{wide.arn}-not")
    assert set(refused.value.message_dict) == {"permissions_boundary"}
    IAMUser.objects.update(permissions_boundary_arn=wide.arn)
    with leaves_nothing(ValidationError, match="That is its permissions boundary"):
        ask("boundary")


@pytest.mark.parametrize(
    ("path", "words"),
    [("elsewhere", "begins and ends with a slash"), ("/a b/", "begins and ends"), ("/", "That is its path"),
     ("/portal/acme/payments/batch/", "yourself")],
)  # fmt: skip
def test_a_path_that_is_none_or_that_the_team_has_is_not_asked_for(
    ask: Ask, leaves_nothing: LeavesNothing, path: str, words: str
) -> None:
    with leaves_nothing(ValidationError, match=words) as refused:
        ask("path", path=path)
    assert set(refused.value.message_dict) == {"path"}


def test_a_move_to_its_own_team_or_another_organizations_is_not_asked_for(
    ask: Ask, payments: Team, core: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="of team Payments already") as refused:
        ask("move", team=payments)
    assert set(refused.value.message_dict) == {"team"}
    with leaves_nothing(access.NotThere):
        ask("move", team=core)


def test_a_lead_of_both_asks_only_for_what_does_not_fit(
    ask: Ask, lena: Person, acme: Organization, platform: Team, acme_prod: Account, ledger_writer: IAMUser,
    administrators: IAMGroup, leaves_nothing: LeavesNothing,
) -> None:  # fmt: skip
    factories.membership(lena, Duty.LEAD, of=acme, team=platform)
    held = factories.envelope(platform, accounts=[acme_prod])
    with leaves_nothing(ValidationError, match="yourself"):
        ask("move")

    held.iam_user_limit = 0
    held.save()
    assert ask("move").is_open
    Request.objects.all().delete()
    held.iam_user_limit = None
    held.save()
    factories.group_membership(ledger_writer, administrators)
    assert ask("move").is_open


# What an approval depends on


def grow_the_wanted_policy(asked: Request) -> None:
    IAMPolicy.objects.filter(policy_name="wide").update(document={})


def join_a_group(asked: Request) -> None:
    factories.group_membership(IAMUser.objects.get(), IAMGroup.objects.get(group_name="ledger-writers"))


def attach_more(asked: Request) -> None:
    IAMUser.objects.update(attached_policy_arns=[IAMPolicy.objects.get(policy_name="wide").arn])


def write_inline(asked: Request) -> None:
    IAMUser.objects.update(inline_policies={"mine": {"Statement": []}})


def be_elsewhere(asked: Request) -> None:
    IAMUser.objects.update(path="/somewhere/else/")


def bound_otherwise(asked: Request) -> None:
    IAMUser.objects.update(permissions_boundary_arn="arn:aws:iam::111122223333:policy/other")


def widen_the_target(asked: Request) -> None:
    factories.envelope(Team.objects.get(name="Platform"), version=3)


def rename_the_target(asked: Request) -> None:
    Team.objects.filter(name="Platform").update(name="Storage")


CHANGES: list[tuple[str, Callable[[Request], None]]] = [
    ("boundary", grow_the_wanted_policy),
    ("boundary", join_a_group),
    ("boundary", attach_more),
    ("boundary", write_inline),
    ("boundary", bound_otherwise),
    ("path", be_elsewhere),
    ("path", bound_otherwise),
    ("move", join_a_group),
    ("move", attach_more),
    ("move", write_inline),
    ("move", widen_the_target),
    ("move", rename_the_target),
]


@pytest.mark.parametrize(("what", "change"), CHANGES)
def test_what_changed_meanwhile_is_not_approved(
    ask: Ask, olive: Person, what: str, change: Callable[[Request], None]
) -> None:
    asked = ask(what)
    change(asked)

    assert approve(olive, asked).state == "lapsed"

    assert not Delivery.objects.exists()
    assert IAMUser.objects.get().team == asked.team


@pytest.mark.parametrize("what", ALL)
def test_nobody_approves_their_own_or_what_came_before_them(
    ask: Ask, acme: Organization, lena: Person, leaves_nothing: LeavesNothing, what: str
) -> None:
    asked = ask(what)
    factories.membership(lena, Duty.ADMIN, of=acme)
    newcomer = factories.member("newcomer@acme.test", Duty.ADMIN, of=acme)
    Membership.objects.filter(person=newcomer).update(created_at=AT + timedelta(seconds=1))

    with leaves_nothing(ValidationError, match="somebody else decides"):
        approve(lena, asked)
    with leaves_nothing(ValidationError, match="could decide when"):
        approve(newcomer, asked)
