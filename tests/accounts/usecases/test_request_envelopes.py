"""Asking for a team's envelope to say something else, which the owner alone decides."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.kinds import Kind
from accounts.limits import TagRule
from accounts.models import (
    Account,
    Duty,
    Envelope,
    IAMGroup,
    IAMPolicy,
    Membership,
    Organization,
    Person,
    Request,
    Team,
)
from accounts.usecases import envelopes, requests
from accounts.usecases.envelopes import NotAcknowledged
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.usecases.changes import wide
from tests.faults.drifting import document

__all__ = ["wide"]

# Long ahead: every duty of the cast began before it.
AT = datetime(2126, 11, 25, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)

LeavesNothing = Callable[..., AbstractContextManager[Any]]
Ask = Callable[..., Request]

pytestmark = pytest.mark.usefixtures("envelope")


@pytest.fixture
def adam(acme: Organization) -> Person:
    """An admin of Acme."""
    return factories.member("adam@acme.test", Duty.ADMIN, of=acme)


@pytest.fixture
def ask(lena: Person, payments: Team) -> Ask:
    """Lena asks for what the test says; the rest of the envelope stays as it is."""

    def ask(
        *, by: Person = lena, about: Team = payments, version: int | None = 1, reason: str = "We grew", **changes: Any
    ) -> Request:
        now = envelopes.content_of(Envelope.objects.filter(team=about).first())
        change = {"content": replace(now, **changes), "version": version}
        return requests.make_request(
            by=by, kind=Kind.ENVELOPE_CHANGED, about=about, change=change, reason=reason, at=AT
        )

    return ask


def approve(by: Person, asked: Request, **more: Any) -> Request:
    return requests.approve_request(by=by, request=asked, at=LATER, **more)


def test_what_the_owner_approves_is_what_the_lead_asked_for(
    ask: Ask, olive: Person, payments: Team, acme_prod: Account, acme_dev: Account, administrators: IAMGroup
) -> None:
    limit = factories.iam_policy(acme_dev, "limit", document=document("s3:GetObject"))
    asked = ask(
        accounts=[acme_prod, acme_dev], groups=[administrators], permissions_boundary=limit, policies=[limit],
        path="/p/", tag_rules=[TagRule("stage", ("prod",))], iam_user_limit=7,
    )  # fmt: skip
    assert (asked.team, asked.subject_type, asked.account) == (payments, "team", None)
    assert asked.change["before"]["groups"] == ["ledger-writers in acme-prod (111122223333)"]
    assert asked.change["after"]["groups"] == ["administrators in acme-prod (111122223333)"]

    assert approve(olive, asked).state == "approved"

    row = Envelope.objects.get(team=payments)
    assert (row.version, row.path, row.iam_user_limit, row.permissions_boundary) == (2, "/p/", 7, limit)
    assert row.tag_rules == [{"key": "stage", "values": ["prod"]}]
    assert (set(row.accounts.all()), set(row.groups.all())) == ({acme_prod, acme_dev}, {administrators})
    assert set(row.policies.all()) == {limit}
    entry = Entry.objects.get(kind=Kind.ENVELOPE_CHANGED)
    assert (entry.by_name, entry.reason) == ("Olive", "We grew")
    assert {name: entry.details[name] for name in ("before", "after")} == {
        name: asked.change[name] for name in ("before", "after")
    }
    assert not Delivery.objects.exists()


def test_an_admin_asks_for_any_team_and_for_one_without_an_envelope(
    ask: Ask, adam: Person, olive: Person, platform: Team, acme_dev: Account
) -> None:
    asked = ask(by=adam, about=platform, accounts=[acme_dev])
    assert not Envelope.objects.filter(team=platform).exists()

    approve(olive, asked)

    assert list(Envelope.objects.get(team=platform).accounts.all()) == [acme_dev]


def test_the_owner_ticks_what_it_carries_as_in_the_envelopes_own_form(
    ask: Ask, olive: Person, wide: IAMPolicy, leaves_nothing: LeavesNothing
) -> None:
    asked = ask(policies=[wide])

    with leaves_nothing(NotAcknowledged) as refused:
        approve(olive, asked)
    warnings = refused.value.warnings
    assert warnings == ["Policy wide in acme-prod (111122223333) lets an IAM user do everything, IAM included."]
    with leaves_nothing(NotAcknowledged):
        approve(olive, asked, acknowledged=["Something else"])
    assert approve(olive, asked, acknowledged=warnings).state == "approved"
    assert Envelope.objects.get().policies.get() == wide


@pytest.mark.parametrize(("who", "refusal"), [
    ("mia", access.NotAllowed), ("hugo", access.NotAllowed), ("ada", access.NotAllowed), ("oskar", access.NotThere),
])  # fmt: skip
def test_those_without_the_duty_ask_for_nothing(
    request: pytest.FixtureRequest, ask: Ask, leaves_nothing: LeavesNothing, who: str, refusal: type[Exception]
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(refusal):
        ask(by=somebody, path="/p/")


def test_a_lead_asks_for_the_own_team_alone(
    ask: Ask, lena: Person, acme: Organization, platform: Team, core: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotThere):
        ask(about=core, path="/p/")
    with leaves_nothing(access.NotThere):
        ask(about=platform, path="/p/")
    factories.membership(lena, Duty.MEMBER, of=acme, team=platform)
    with leaves_nothing(access.NotAllowed):
        ask(about=platform, path="/p/")


def test_an_owner_decides_it_without_asking(ask: Ask, olive: Person, leaves_nothing: LeavesNothing) -> None:
    with leaves_nothing(ValidationError, match="yourself"):
        ask(by=olive, path="/p/")


def test_nobody_approves_but_an_owner_of_then_who_did_not_ask(
    ask: Ask, lena: Person, adam: Person, ada: Person, acme: Organization, leaves_nothing: LeavesNothing
) -> None:
    asked = ask(path="/p/")
    factories.membership(lena, Duty.OWNER, of=acme)
    newcomer = factories.member("newcomer@acme.test", Duty.OWNER, of=acme)
    Membership.objects.filter(person=newcomer).update(created_at=AT + timedelta(seconds=1))

    for by in (adam, newcomer):
        with leaves_nothing(ValidationError, match="could decide when"):
            approve(by, asked)
    with leaves_nothing(ValidationError, match="somebody else decides"):
        approve(lena, asked)
    with leaves_nothing(access.NotAllowed):
        approve(ada, asked)


def test_what_an_envelope_cannot_say_is_not_asked_for(
    ask: Ask, acme_prod: Account, acme_dev: Account, globex_main: Account, leaves_nothing: LeavesNothing
) -> None:
    theirs = factories.iam_group(globex_main, "theirs")

    for told in ({"accounts": [acme_prod, globex_main]}, {"groups": [theirs]}):
        with leaves_nothing(access.NotThere):
            ask(**told)
    with leaves_nothing(ValidationError, match="begins and ends with a slash"):
        ask(path="p")
    with leaves_nothing(ValidationError, match="not among the chosen"):
        ask(accounts=[acme_dev])


def test_no_change_one_of_an_older_version_and_the_same_again_are_not_asked_for(
    ask: Ask, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="says already"):
        ask()
    with leaves_nothing(ValidationError, match="meanwhile"):
        ask(version=4, path="/p/")
    with leaves_nothing(ValidationError, match="Say why"):
        ask(path="/p/", reason=" ")
    ask(path="/p/")
    with leaves_nothing(ValidationError, match="asked for already"):
        ask(path="/p/")


def change_the_envelope(asked: Request) -> None:
    Envelope.objects.update(version=2)


def grow_the_group(asked: Request) -> None:
    IAMGroup.objects.filter(group_name="administrators").update(inline_policies={"more": {"Statement": []}})


def grow_what_the_group_carries(asked: Request) -> None:
    IAMPolicy.objects.filter(policy_name="carried").update(document={"Statement": []})


def grow_the_policy(asked: Request) -> None:
    IAMPolicy.objects.filter(policy_name="chosen").update(default_version_id="v9")


def loosen_the_boundary(asked: Request) -> None:
    IAMPolicy.objects.filter(policy_name="limit").update(document={"Statement": []})


def lose_the_group(asked: Request) -> None:
    IAMGroup.objects.filter(group_name="administrators").update(gone_at=AT)


def ask_for_more(asked: Request) -> None:
    Request.objects.update(change=asked.change | {"content": asked.change["content"] | {"path": "/"}})


CHANGES = (
    change_the_envelope, grow_the_group, grow_what_the_group_carries, grow_the_policy, loosen_the_boundary,
    lose_the_group, ask_for_more,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_meanwhile_is_not_approved(
    ask: Ask, olive: Person, acme_prod: Account, administrators: IAMGroup, change: Callable[[Request], None]
) -> None:
    carried, chosen, limit = (factories.iam_policy(acme_prod, name) for name in ("carried", "chosen", "limit"))
    IAMGroup.objects.filter(pk=administrators.pk).update(attached_policy_arns=[carried.arn])
    asked = ask(groups=[administrators], policies=[chosen], permissions_boundary=limit)
    before = envelopes.content_of(Envelope.objects.get()).told()
    change(asked)

    assert approve(olive, asked).state == "lapsed"

    assert envelopes.content_of(Envelope.objects.get()).told() == before
    assert not Entry.objects.filter(kind=Kind.ENVELOPE_CHANGED).exists()


def test_a_row_that_is_not_there_any_more_is_not_left_out_silently(payments: Team) -> None:
    told = envelopes.content_of(Envelope.objects.get(team=payments)).told()

    for change in ({"accounts": [987654]}, {"groups": [987654]}, {"permissions_boundary": 987654}):
        with pytest.raises(access.NotThere):
            envelopes.of_told(told | change, team=payments)
