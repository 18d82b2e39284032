"""Deciding about invitations: invite a person, send the mail again, revoke, accept."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from celery import current_app
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import access
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Duty, Invitation, Membership, Organization, Person, Team
from accounts.usecases import memberships
from accounts.usecases.names import checked_name
from accounts.usecases.records import about
from portal.ledger.record import Subject, record

SEND_TASK = "accounts.tasks.send_invitation"
# Who presses twice, or wants to annoy, sends one mail.
BETWEEN_MAILS = timedelta(minutes=1)
# More than anybody answers for; beyond it, somebody uses the portal to send mail.
OPEN_AT_MOST = 500
NAME_LENGTH = 150


class SignInFirst(Exception):
    """The e-mail belongs to somebody who is here already: they accept once they have signed in."""


class SomebodyElse(Exception):
    """The invitation is another person's than the one who is signed in.

    :ivar invitation: the invitation.
    """

    def __init__(self, invitation: Invitation) -> None:
        super().__init__("This invitation is for somebody else.")
        self.invitation = invitation


@transaction.atomic
def invite_person(
    *,
    by: Person,
    organization: Organization,
    email: str,
    duty: str,
    at: datetime,
    team: Team | None = None,
    name: str = "",
    reason: str = "",
) -> Invitation:
    """Have a mail sent by which somebody joins the organization; whether they are in the portal already is not told.

    An owner gives any duty. An admin invites members of any team, a lead members of their own.

    :raises access.NotThere: also for a team of another organization. :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field, for what is no e-mail, for who is invited or belongs here already, or for a duty
        that does not go with the team.
    """
    _require(by=by, organization=organization, duty=duty, team=team)
    memberships.lock(organization)
    invitation = Invitation(
        organization=organization, email=_checked_email(email), duty=duty, team=team, invited_by=by, created_at=at,
        lease_until=at, expires_at=at + timedelta(days=settings.INVITATION_DAYS),
    )  # fmt: skip
    if name.strip():
        invitation.name = checked_name(name, field="name", longest=NAME_LENGTH)
    _check_new(invitation)
    invitation.save(force_insert=True)
    _send(invitation, by=by, reason=reason, at=at, more={})
    return invitation


@transaction.atomic
def send_invitation_again(*, by: Person, invitation: Invitation, at: datetime, reason: str = "") -> Invitation:
    """Have another mail sent, with a new link and the whole time to follow it; the old link leads nowhere from now on.

    :raises access.NotThere: :raises access.NotAllowed: as for inviting. :raises ValidationError: when it was accepted
        or revoked, or a mail is on its way or was sent a moment ago.
    """
    _hold(invitation, by=by)
    _require(by=by, organization=invitation.organization, duty=invitation.duty, team=invitation.team)
    last = invitation.sent_at or invitation.lease_until
    if last > at - BETWEEN_MAILS:
        raise ValidationError("A mail was sent a moment ago. Wait a minute before you send another.")
    invitation.token_hash, invitation.sent_at, invitation.invited_by, invitation.lease_until = "", None, by, at
    invitation.expires_at = at + timedelta(days=settings.INVITATION_DAYS)
    invitation.save(update_fields=["token_hash", "sent_at", "invited_by", "lease_until", "expires_at"])
    _send(invitation, by=by, reason=reason, at=at, more={"again": True})
    return invitation


@transaction.atomic
def revoke_invitation(*, by: Person, invitation: Invitation, at: datetime, reason: str = "") -> Invitation:
    """Take an invitation back: its link leads nowhere from now on.

    :raises access.NotThere: :raises access.NotAllowed: as for inviting. :raises ValidationError: when it was accepted
        or revoked before.
    """
    _hold(invitation, by=by)
    _require(by=by, organization=invitation.organization, duty=invitation.duty, team=invitation.team)
    invitation.revoked_at, invitation.token_hash = at, ""
    invitation.save(update_fields=["revoked_at", "token_hash"])
    _record(Kind.INVITATION_REVOKED, invitation, by=by, reason=reason, at=at, more={})
    return invitation


def good_invitation(*, token_hash: str, at: datetime) -> Invitation:
    """The invitation that the link leads to, as long as whoever sent it might still give what it gives.

    :raises access.NotThere: alike for one that never was, has expired, was accepted or revoked, or is of a disabled
        person.
    """
    rows = Invitation.objects.good(at=at).exclude(token_hash="").select_related("organization", "team", "invited_by")
    invitation = rows.filter(token_hash=token_hash).first()
    if invitation is None or not _may(invitation.invited_by, invitation):
        raise access.NotThere
    person = person_of(invitation)
    if person is not None and not person.is_active:
        raise access.NotThere
    return invitation


def person_of(invitation: Invitation) -> Person | None:
    """Who has the e-mail of the invitation already, as the one they sign in with or as another that was verified."""
    verified = EmailAddress.objects.filter(email__iexact=invitation.email, verified=True).values("user")
    return Person.objects.filter(Q(email__iexact=invitation.email) | Q(pk__in=verified)).first()


@transaction.atomic
def accept_invitation(
    *, by: Person | None, token_hash: str, at: datetime, name: str = "", password: str = ""
) -> Membership:
    """Join the organization; the link is the proof that the e-mail is theirs, and serves once.

    Who is new says a name and a password and can sign in with the e-mail from then on. `by` is whoever is signed in.

    :raises access.NotThere: as `good_invitation`. :raises SignInFirst: for nobody, where the e-mail is somebody's.
    :raises SomebodyElse: for anybody but the person whose e-mail it is.
    :raises ValidationError: by field, for a name or a password that will not do.
    """
    memberships.lock(good_invitation(token_hash=token_hash, at=at).organization)
    # Asked again once nobody else can change duties there: an owner may just have ended those of who sent it.
    invitation = good_invitation(token_hash=token_hash, at=at)
    person = person_of(invitation)
    if by is not None and by != person:
        raise SomebodyElse(invitation)
    if by is None and person is not None:
        raise SignInFirst
    accepted = Invitation.objects.good(at=at).filter(pk=invitation.pk, token_hash=token_hash)
    if accepted.update(accepted_at=at, token_hash="") != 1:
        raise access.NotThere
    person = person or _new_person(invitation, name=name, password=password, at=at)
    return _join(invitation, person, at)


def _require(*, by: Person, organization: Organization, duty: str, team: Team | None) -> None:
    if team is not None and team.organization_id != organization.pk:
        raise access.NotThere
    access.require(by=by, to=Permission.INVITE_PERSON, organization=organization, team=team)
    if duty != Duty.MEMBER:
        access.require(by=by, to=Permission.CHANGE_DUTIES, organization=organization)
    memberships.check_duty(organization=organization, duty=duty, team=team)


def _may(person: Person, invitation: Invitation) -> bool:
    """Whether the person might make this invitation now: what somebody gave who has left is given no more."""
    organization, team = invitation.organization, invitation.team
    may_invite = access.may(by=person, to=Permission.INVITE_PERSON, organization=organization, team=team)
    return may_invite and invitation.duty in access.duties_open_to(by=person, organization=organization)


def _hold(invitation: Invitation, *, by: Person) -> None:
    """Lock the row and read it again: of two who decide at once, the second must see what the first decided."""
    if not Invitation.objects.visible_to(by).filter(pk=invitation.pk).exists():
        raise access.NotThere
    invitation.refresh_from_db(from_queryset=Invitation.objects.select_for_update(no_key=True))
    if invitation.accepted_at is not None:
        raise ValidationError(f"{invitation} has accepted this invitation.")
    if invitation.revoked_at is not None:
        raise ValidationError("This invitation was revoked.")


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise ValidationError({"email": f"“{email[:80]}” is no e-mail address."}) from None
    return email


def _check_new(invitation: Invitation) -> None:
    organization = invitation.organization
    invitations = Invitation.objects.open().filter(organization=organization)
    if invitations.filter(email__iexact=invitation.email).exists():
        raise ValidationError({"email": "This person is invited already. Send that again, or revoke it."})
    if invitations.count() >= OPEN_AT_MOST:
        raise ValidationError(f"{OPEN_AT_MOST} invitations are open. Revoke those that nobody will accept.")
    person = person_of(invitation)
    if person is not None and person.belongs_to(organization):
        raise ValidationError({"email": f"{person} belongs to {organization} already. An owner adds a duty there."})
    invitation.full_clean(exclude=["organization", "team", "invited_by"])


def _new_person(invitation: Invitation, *, name: str, password: str, at: datetime) -> Person:
    name = checked_name(name, field="name", longest=NAME_LENGTH)
    try:
        validate_password(password, Person(email=invitation.email, name=name))
    except ValidationError as refusal:
        raise ValidationError({"password": refusal.messages}) from None
    try:
        with transaction.atomic():
            person = Person.objects.create_person(email=invitation.email, name=name, password=password, created_at=at)
    except IntegrityError:
        # Two links of two organizations, followed in the same second: the second one signs in instead.
        raise SignInFirst from None
    EmailAddress.objects.create(user=person, email=invitation.email, verified=True, primary=True)
    return person


def _join(invitation: Invitation, person: Person, at: datetime) -> Membership:
    organization, duty, team = invitation.organization, invitation.duty, invitation.team
    had = Membership.objects.filter(
        person=person, organization=organization, duty=duty, team=team, ended_at__isnull=True
    ).first()
    membership = had or memberships.give(organization=organization, person=person, duty=duty, team=team, at=at)
    details = {"e-mail": invitation.email, "duty": duty, "team": "" if team is None else team.name}
    record(
        organization=organization,
        kind=Kind.INVITATION_ACCEPTED,
        by=person,
        subject=about(person),
        at=at,
        details=details | {"invited by": str(invitation.invited_by)},
    )
    return membership


def _send(invitation: Invitation, *, by: Person, reason: str, at: datetime, more: dict[str, object]) -> None:
    _record(Kind.PERSON_INVITED, invitation, by=by, reason=reason, at=at, more=more)
    # An id alone: the token is made where the mail is.
    pk = invitation.pk
    transaction.on_commit(
        lambda: current_app.send_task(SEND_TASK, args=[pk], queue="interactive", retry=False, ignore_result=True),
        robust=True,
    )


def _record(
    kind: Kind, invitation: Invitation, *, by: Person, reason: str, at: datetime, more: dict[str, object]
) -> None:
    team = invitation.team
    details = {"duty": invitation.duty, "team": "" if team is None else team.name}
    record(
        organization=invitation.organization,
        kind=kind,
        by=by,
        subject=Subject("invitation", str(invitation.pk), invitation.email),
        at=at,
        reason=reason,
        details=details | more,
    )
