"""Inviting a person, sending the mail again, revoking: who may, for which duty and team, and what is refused."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from celery import current_app
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends import locmem

from accounts.access import NotAllowed, NotThere
from accounts.models import Duty, Invitation, Organization, Person, Team
from accounts.models.invitation import hash_of
from accounts.tasks import send_invitation, send_unsent_invitations
from accounts.usecases import invitation_mails
from accounts.usecases.invitations import (
    invite_person,
    revoke_invitation,
    send_invitation_again,
)
from portal.ledger.clock import database_now
from portal.ledger.models import Entry
from tests import factories

Block = Callable[..., AbstractContextManager[pytest.ExceptionInfo[Any]]]

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What goes into the broker."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **what: sent.append((name, what["args"])))
    return sent


def invite(by: Person, organization: Organization, **changes: Any) -> Invitation:
    given: dict[str, Any] = {"email": "Nora@New.test", "duty": Duty.MEMBER, "at": AT}
    return invite_person(by=by, organization=organization, **given | changes)


def anna(acme: Organization) -> Person:
    """An admin."""
    return factories.member("anna@acme.test", Duty.ADMIN, of=acme)


def test_an_invitation_stands_in_the_ledger_and_has_no_link_yet(
    olive: Person, acme: Organization, payments: Team
) -> None:
    invitation = invite(olive, acme, duty=Duty.LEAD, team=payments, name=" Nora Nilsen ", reason="Starts in May")

    invitation.refresh_from_db()
    assert (invitation.email, invitation.name, invitation.duty) == ("nora@new.test", "Nora Nilsen", "lead")
    assert (invitation.token_hash, invitation.sent_at) == ("", None)
    assert invitation.expires_at == AT + timedelta(days=7)
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_name, entry.by_name, entry.reason) == (
        "accounts.person.invited", "nora@new.test", "Olive", "Starts in May",
    )  # fmt: skip
    assert entry.details == {"duty": "lead", "team": "Payments"}


def test_the_setting_says_how_long_it_is_good(olive: Person, acme: Organization, settings: Any) -> None:
    settings.INVITATION_DAYS = 2

    assert invite(olive, acme).expires_at == AT + timedelta(days=2)


# Who may invite to what

MAY = {
    "olive": {(duty, "payments") for duty in ("lead", "member")}
    | {(duty, "") for duty in ("owner", "admin", "helpdesk", "auditor", "member")},
    "anna": {("member", "payments"), ("member", "platform"), ("member", "")},
    "lena": {("member", "payments")},
    "hugo": set(),
    "ada": set(),
    "mia": set(),
}
ASKED = [(duty, team) for duty in Duty.values for team in ("", "payments", "platform")]


@pytest.mark.parametrize(("duty", "team"), ASKED)
@pytest.mark.parametrize("who", [who for who in MAY if who != "olive"])
def test_nobody_invites_above_themselves(
    request: pytest.FixtureRequest, who: str, duty: str, team: str, acme: Organization, payments: Team,
    platform: Team, leaves_nothing: Block,
) -> None:  # fmt: skip
    by = anna(acme) if who == "anna" else request.getfixturevalue(who)
    what = {"duty": duty, "team": request.getfixturevalue(team) if team else None}

    if (duty, team) in MAY[who]:
        assert invite(by, acme, **what).duty == duty
    else:
        with leaves_nothing(NotAllowed):
            invite(by, acme, **what)


@pytest.mark.parametrize(("duty", "team"), ASKED)
def test_an_owner_invites_to_any_duty_that_goes_with_the_team(
    olive: Person, acme: Organization, payments: Team, duty: str, team: str, leaves_nothing: Block
) -> None:
    what = {"duty": duty, "team": payments if team else None}

    if (duty, team and "payments") in MAY["olive"]:
        assert invite(olive, acme, **what).duty == duty
    else:
        with leaves_nothing(ValidationError) as refused:
            invite(olive, acme, **what)
        assert list(refused.value.message_dict) == ["team"]


def test_another_organization_is_not_there(
    oskar: Person, olive: Person, lena: Person, acme: Organization, core: Team, leaves_nothing: Block
) -> None:
    with leaves_nothing(NotThere):
        invite(oskar, acme)
    for by in (olive, lena):
        with leaves_nothing(NotThere):
            invite(by, acme, team=core)


@pytest.mark.parametrize("duty", ["", "root", "OWNER", "owner ", "\x00"])
def test_a_duty_that_is_none_is_refused(olive: Person, acme: Organization, duty: str, leaves_nothing: Block) -> None:
    with leaves_nothing(ValidationError):
        invite(olive, acme, duty=duty)


@pytest.mark.parametrize(
    "email",
    ["", "nora", "nora@", "@new.test", "a@b", "nora@new.test\n", "nora@new.test\r\nBcc: x@evil.test",
     "nora@new.test, x@evil.test", "<nora@new.test>", "a" * 250 + "@new.test", "nora@new.test\x00"],
)  # fmt: skip
def test_what_is_no_e_mail_is_refused_at_its_field(
    olive: Person, acme: Organization, email: str, leaves_nothing: Block
) -> None:
    if email.strip() == "nora@new.test":
        assert invite(olive, acme, email=email).email == "nora@new.test"
        return
    with leaves_nothing(ValidationError) as refused:
        invite(olive, acme, email=email)
    assert list(refused.value.message_dict) == ["email"]


@pytest.mark.parametrize("name", ["a\nb", "\u202enora", "a\x00b", "x" * 151])
def test_a_name_that_cannot_be_seen_is_refused(
    olive: Person, acme: Organization, name: str, leaves_nothing: Block
) -> None:
    with leaves_nothing(ValidationError) as refused:
        invite(olive, acme, name=name)
    assert list(refused.value.message_dict) == ["name"]


@pytest.mark.parametrize("email", ["nora@new.test", "NORA@new.TEST"])
def test_a_second_invitation_of_the_same_e_mail_is_refused(
    olive: Person, acme: Organization, globex: Organization, oskar: Person, email: str, leaves_nothing: Block
) -> None:
    invite(olive, acme)

    with leaves_nothing(ValidationError, match="invited already"):
        invite(olive, acme, email=email, duty=Duty.OWNER)
    assert invite(oskar, globex, email=email).organization == globex


def test_who_belongs_there_already_is_not_invited(
    olive: Person, acme: Organization, mia: Person, leaves_nothing: Block
) -> None:
    EmailAddress.objects.create(user=mia, email="mia@private.test", verified=True)

    for email in ("mia@acme.test", "MIA@acme.test", "mia@private.test"):
        with leaves_nothing(ValidationError, match="belongs to Acme already"):
            invite(olive, acme, email=email)


def test_whether_somebody_is_in_another_organization_is_not_told(
    olive: Person, acme: Organization, oskar: Person
) -> None:
    Person.objects.filter(pk=oskar.pk).update(is_active=False)

    assert invite(olive, acme, email="oskar@globex.test").email == "oskar@globex.test"


def test_there_are_not_any_number_of_open_ones(
    olive: Person, acme: Organization, monkeypatch: pytest.MonkeyPatch, leaves_nothing: Block
) -> None:
    monkeypatch.setattr("accounts.usecases.invitations.OPEN_AT_MOST", 1)
    invite(olive, acme)

    with leaves_nothing(ValidationError, match="Revoke those"):
        invite(olive, acme, email="other@new.test")


# The mail


def sent_mail(invitation: Invitation) -> str:
    """Send it, and give the token in it."""
    send_invitation(invitation.pk)
    (token,) = re.findall(r"/invitation/([\w-]+)/", str(mail.outbox[-1].body))
    return token


def test_the_broker_gets_an_id_and_nothing_else(
    olive: Person, acme: Organization, told: list[tuple[Any, ...]], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        invitation = invite(olive, acme)

    assert told == [("accounts.tasks.send_invitation", [invitation.pk])]


def test_the_token_is_in_the_mail_alone(olive: Person, acme: Organization, settings: Any) -> None:
    settings.PORTAL_URL = "https://gatehouse.example"
    invitation = invite(olive, acme, at=database_now())

    token = sent_mail(invitation)

    invitation.refresh_from_db()
    message = mail.outbox[0]
    assert message.to == ["nora@new.test"]
    assert message.subject == "Gatehouse: invitation to Acme"
    assert f"https://gatehouse.example/invitation/{token}/" in str(message.body)
    assert len(token) >= 43
    assert invitation.token_hash == hash_of(token)
    assert invitation.sent_at is not None
    assert token not in json.dumps([list(model.objects.values()) for model in (Invitation, Entry)], default=str)


def test_a_task_that_comes_twice_sends_one_mail(olive: Person, acme: Organization) -> None:
    invitation = invite(olive, acme, at=database_now())

    for _ in range(2):
        send_invitation(invitation.pk)

    assert len(mail.outbox) == 1


def test_a_task_with_something_else_than_an_id_does_nothing(db: None) -> None:
    for told in ("1", None, True, {"pk": 1}, 987654):
        send_invitation(told)

    assert mail.outbox == []


@pytest.mark.parametrize("ending", ["revoked_at", "accepted_at", "expires_at"])
def test_what_has_ended_is_not_sent(olive: Person, acme: Organization, ending: str) -> None:
    invitation = invite(olive, acme, at=database_now() - timedelta(days=1))
    Invitation.objects.update(**{ending: invitation.created_at + timedelta(minutes=1)})

    send_invitation(invitation.pk)
    send_unsent_invitations()

    assert mail.outbox == []


def test_beat_sends_what_the_broker_lost(olive: Person, acme: Organization) -> None:
    invite(olive, acme, at=database_now())

    for _ in range(2):
        send_unsent_invitations()

    assert len(mail.outbox) == 1


def test_a_mail_server_that_is_away_is_asked_again(
    olive: Person, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = invite(olive, acme)

    def away(*args: object) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(locmem.EmailBackend, "send_messages", away)
        invitation_mails.send_invitation(invitation_id=invitation.pk, at=AT)
    invitation.refresh_from_db()
    assert invitation.sent_at is None

    invitation_mails.send_unsent_invitations(at=AT + timedelta(minutes=1))
    assert mail.outbox == []
    invitation_mails.send_unsent_invitations(at=AT + timedelta(minutes=20))
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("name", ["{0.__class__}", "%s", "<b>Acme</b>", "{{ 7|add:7 }}", "Acme\nBcc: x@evil.test"])
def test_a_name_is_text_in_a_mail(olive: Person, acme: Organization, name: str) -> None:
    Organization.objects.update(name=name)
    invitation = invite(olive, acme, at=database_now())

    sent_mail(invitation)

    assert mail.outbox[0].subject == f"Gatehouse: invitation to {' '.join(name.split())}"
    assert name in str(mail.outbox[0].body)
    assert mail.outbox[0].recipients() == ["nora@new.test"]


# Again


def test_another_mail_has_another_link_and_the_old_one_is_dead(olive: Person, acme: Organization) -> None:
    at = database_now() - timedelta(hours=1)
    invitation = invite(olive, acme, at=at)
    first = sent_mail(invitation)
    Invitation.objects.update(sent_at=at)

    send_invitation_again(by=olive, invitation=invitation, at=database_now())
    assert Invitation.objects.get().token_hash == ""
    second = sent_mail(invitation)

    assert first != second
    assert Invitation.objects.get().token_hash == hash_of(second)
    assert Invitation.objects.get().expires_at > at + timedelta(days=7)
    assert [entry.kind for entry in Entry.objects.all()] == ["accounts.person.invited"] * 2


def test_who_presses_twice_sends_one_mail(olive: Person, acme: Organization, leaves_nothing: Block) -> None:
    invitation = invite(olive, acme)

    with leaves_nothing(ValidationError, match="moment ago"):
        send_invitation_again(by=olive, invitation=invitation, at=AT + timedelta(seconds=30))
    send_invitation_again(by=olive, invitation=invitation, at=LATER)
    with leaves_nothing(ValidationError, match="moment ago"):
        send_invitation_again(by=olive, invitation=invitation, at=LATER)


def test_one_that_has_expired_is_good_again(olive: Person, acme: Organization) -> None:
    invitation = invite(olive, acme)
    much_later = AT + timedelta(days=30)
    assert invitation.is_expired(at=much_later)

    send_invitation_again(by=olive, invitation=invitation, at=much_later)

    assert not Invitation.objects.get().is_expired(at=much_later)


@pytest.mark.parametrize("decide", [send_invitation_again, revoke_invitation])
@pytest.mark.parametrize("ending", ["revoked_at", "accepted_at"])
def test_what_has_ended_stays_so(
    olive: Person, acme: Organization, decide: Callable[..., Any], ending: str, leaves_nothing: Block
) -> None:
    invitation = invite(olive, acme)
    Invitation.objects.update(**{ending: AT})

    with leaves_nothing(ValidationError):
        decide(by=olive, invitation=invitation, at=LATER)


@pytest.mark.parametrize("decide", [send_invitation_again, revoke_invitation])
@pytest.mark.parametrize(
    ("who", "refusal"),
    [("hugo", NotAllowed), ("ada", NotAllowed), ("mia", NotThere), ("oskar", NotThere), ("lena", NotThere)],
)
def test_who_may_not_invite_may_not_send_or_revoke(
    request: pytest.FixtureRequest, olive: Person, acme: Organization, platform: Team, decide: Callable[..., Any],
    who: str, refusal: type[Exception], leaves_nothing: Block,
) -> None:  # fmt: skip
    invitation, somebody = invite(olive, acme, team=platform), request.getfixturevalue(who)

    with leaves_nothing(refusal):
        decide(by=somebody, invitation=invitation, at=LATER)


@pytest.mark.parametrize("decide", [send_invitation_again, revoke_invitation])
def test_nobody_sends_or_revokes_what_gives_more_than_they_may(
    olive: Person, lena: Person, acme: Organization, payments: Team, decide: Callable[..., Any], leaves_nothing: Block
) -> None:
    leads = invite(olive, acme, duty=Duty.LEAD, team=payments)

    for somebody in (lena, anna(acme)):
        with leaves_nothing(NotAllowed):
            decide(by=somebody, invitation=leads, at=LATER)


def test_a_revoked_one_frees_the_e_mail(olive: Person, lena: Person, acme: Organization, payments: Team) -> None:
    invitation = invite(lena, acme, team=payments)

    revoke_invitation(by=olive, invitation=invitation, at=LATER, reason="Not coming")

    assert Entry.objects.order_by("-sequence")[0].kind == "accounts.invitation.revoked"
    assert invite(olive, acme, at=LATER).duty == Duty.MEMBER
