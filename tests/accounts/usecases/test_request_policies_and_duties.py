"""Asking for a policy outside the envelope, and for a duty, which is the owner's alone to give."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts import access
from accounts.kinds import Kind
from accounts.models import Account, Duty, IAMPolicy, IAMUser, Membership, Organization, Person, Request, Team
from accounts.usecases import requests
from portal.ledger.models import Delivery, Entry
from tests import factories
from tests.accounts.carrying import deliver_until_quiet
from tests.aws.server import AWS

# Long ahead: every duty of the cast began before it.
AT = datetime(2126, 11, 25, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
READING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

LeavesNothing = Callable[..., AbstractContextManager[Any]]


@pytest.fixture
def adam(acme: Organization) -> Person:
    """An admin of Acme."""
    return factories.member("adam@acme.test", Duty.ADMIN, of=acme)


@pytest.fixture
def everything(acme_prod: Account) -> IAMPolicy:
    """A policy outside every envelope."""
    return factories.iam_policy(acme_prod, "everything", document=DOCUMENT)


def ask_for_policy(by: Person, iam_user: IAMUser, policy: str) -> Request:
    return requests.make_request(
        by=by, kind=Kind.IAM_USER_POLICY_ATTACHED, about=iam_user, change={"policy": policy}, reason="On call", at=AT
    )


def ask_for_duty(by: Person, whose: Person, duty: str, team: Team | None = None) -> Request:
    membership = Membership.objects.active().of(whose).earliest("pk")
    return requests.make_request(
        by=by,
        kind=Kind.MEMBERSHIP_GRANTED,
        about=membership,
        change={"duty": duty, "team": team},
        reason="They lead now",
        at=AT,
    )


def duties(whose: Person) -> set[str]:
    return set(Membership.objects.active().of(whose).values_list("duty", flat=True))


def test_an_approved_policy_is_attached_in_the_approvers_name(
    lena: Person, olive: Person, ledger_writer: IAMUser, everything: IAMPolicy
) -> None:
    asked = ask_for_policy(lena, ledger_writer, everything.arn)
    requests.approve_request(by=olive, request=asked, at=LATER)

    entry = Entry.objects.get(kind=Kind.IAM_USER_POLICY_ATTACHED)
    assert (entry.by_name, entry.details["requested_by"]) == ("Olive", "lena@acme.test")
    assert Delivery.objects.get().entry == entry


def test_a_policy_that_says_something_else_by_now_is_not_carried(
    aws: AWS, prod: Account, lena: Person, olive: Person, ledger_writer: IAMUser, everything: IAMPolicy
) -> None:
    asked = ask_for_policy(lena, ledger_writer, everything.arn)
    requests.approve_request(by=olive, request=asked, at=LATER)
    everything.document = {**DOCUMENT, "Id": "another"}
    everything.save()

    delivery = deliver_until_quiet()

    assert (delivery.state, delivery.stuck_kind) == ("stuck", "outdated")
    assert list(aws.trace) == []
    asked.refresh_from_db()
    assert asked.state == Request.State.LAPSED


def test_what_the_envelope_holds_is_not_asked_for(
    lena: Person, leaves_nothing: LeavesNothing, ledger_writer: IAMUser, payments: Team, acme_prod: Account
) -> None:
    reading = factories.iam_policy(acme_prod, "reading", document=READING)
    payments.envelope.policies.add(reading)

    with leaves_nothing(ValidationError, match="yourself"):
        ask_for_policy(lena, ledger_writer, reading.arn)


def test_a_policy_that_is_not_there_is_refused_at_the_field(
    lena: Person, leaves_nothing: LeavesNothing, ledger_writer: IAMUser
) -> None:
    with leaves_nothing(ValidationError) as refused:
        ask_for_policy(lena, ledger_writer, "arn:aws:iam::111122223333:policy/none")

    assert set(refused.value.message_dict) == {"policies"}


def test_what_is_attached_already_is_not_asked_for(
    lena: Person, leaves_nothing: LeavesNothing, ledger_writer: IAMUser, everything: IAMPolicy
) -> None:
    ledger_writer.attached_policy_arns = [everything.arn]
    ledger_writer.save()

    with leaves_nothing(ValidationError, match="attached to ledger-writer already"):
        ask_for_policy(lena, ledger_writer, everything.arn)


def test_for_what_is_not_in_aws_yet_no_policy_is_asked(
    lena: Person,
    leaves_nothing: LeavesNothing,
    acme_prod: Account,
    payments: Team,
    everything: IAMPolicy,
    envelope: None,
) -> None:
    new = factories.undelivered_iam_user(acme_prod, "new", team=payments)

    with leaves_nothing(ValidationError, match="not in AWS yet"):
        ask_for_policy(lena, new, everything.arn)


def test_a_duty_that_somebody_has_is_not_asked_for(
    adam: Person, mia: Person, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(ValidationError, match="has this duty already"):
        ask_for_duty(adam, mia, Duty.MEMBER, payments)


def test_a_duty_in_another_organizations_team_is_not_there(
    adam: Person, mia: Person, core: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotThere):
        ask_for_duty(adam, mia, Duty.LEAD, core)


@pytest.mark.parametrize("who", ["hugo", "ada"])
def test_those_without_the_duty_ask_for_nothing(
    request: pytest.FixtureRequest,
    leaves_nothing: LeavesNothing,
    ledger_writer: IAMUser,
    everything: IAMPolicy,
    mia: Person,
    who: str,
) -> None:
    somebody = request.getfixturevalue(who)

    with leaves_nothing(access.NotAllowed):
        ask_for_policy(somebody, ledger_writer, everything.arn)
    with leaves_nothing(access.NotAllowed):
        ask_for_duty(somebody, mia, Duty.ADMIN)


def test_an_owner_gives_the_duty_that_an_admin_asked_for(
    adam: Person, olive: Person, mia: Person, payments: Team
) -> None:
    asked = ask_for_duty(adam, mia, Duty.LEAD, payments)
    assert duties(mia) == {"member"}

    requests.approve_request(by=olive, request=asked, at=LATER)

    assert duties(mia) == {"member", "lead"}
    assert Entry.objects.get(kind=Kind.MEMBERSHIP_GRANTED).by_name == "Olive"
    assert not Delivery.objects.exists()


def test_another_admin_does_not_give_it(
    adam: Person, acme: Organization, mia: Person, leaves_nothing: LeavesNothing
) -> None:
    anna = factories.member("anna@acme.test", Duty.ADMIN, of=acme)
    asked = ask_for_duty(adam, mia, Duty.ADMIN)

    with leaves_nothing(ValidationError, match="could decide"):
        requests.approve_request(by=anna, request=asked, at=LATER)


def test_nobody_asks_for_a_duty_of_their_own(adam: Person, leaves_nothing: LeavesNothing) -> None:
    with leaves_nothing(ValidationError, match="of their own"):
        ask_for_duty(adam, adam, Duty.OWNER)


def test_a_lead_asks_for_the_own_team_alone(
    lena: Person, mia: Person, platform: Team, payments: Team, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotAllowed):
        ask_for_duty(lena, mia, Duty.LEAD, platform)
    with leaves_nothing(access.NotAllowed):
        ask_for_duty(lena, mia, Duty.ADMIN)

    assert ask_for_duty(lena, mia, Duty.LEAD, payments).is_open


def test_an_owner_decides_it_without_asking(olive: Person, mia: Person, leaves_nothing: LeavesNothing) -> None:
    with leaves_nothing(ValidationError, match="yourself"):
        ask_for_duty(olive, mia, Duty.ADMIN)


def test_it_does_not_exist_for_another_organization(
    oskar: Person, mia: Person, ledger_writer: IAMUser, everything: IAMPolicy, leaves_nothing: LeavesNothing
) -> None:
    with leaves_nothing(access.NotThere):
        ask_for_duty(oskar, mia, Duty.ADMIN)
    with leaves_nothing(access.NotThere):
        ask_for_policy(oskar, ledger_writer, everything.arn)


def test_a_duty_of_somebody_whose_duties_changed_since_lapses(
    adam: Person, acme: Organization, olive: Person, mia: Person
) -> None:
    asked = ask_for_duty(adam, mia, Duty.ADMIN)
    factories.membership(mia, Duty.AUDITOR, of=acme)

    requests.approve_request(by=olive, request=asked, at=LATER)

    asked.refresh_from_db()
    assert asked.state == Request.State.LAPSED
    assert duties(mia) == {"member", "auditor"}
