"""Carrying invitations out: the mail with the link. Its token is made here and is nowhere else but in the mail."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Invitation
from accounts.models.invitation import hash_of

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32
# Longer than any task may run: until then nobody else sends the same mail.
LEASE = timedelta(minutes=3)
# A mail server that would not take it is asked again after this.
RETRY = timedelta(minutes=15)
AT_ONCE = 100


def send_invitation(*, invitation_id: int, at: datetime) -> None:
    """Send the mail of an invitation, if it is still to be sent and no other worker is about to.

    Where a worker ends between the mail and its note, the mail is sent again with another link, which is the good one.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    claimed = Invitation.objects.unsent(at=at).filter(pk=invitation_id)
    if claimed.update(token_hash=hash_of(token), lease_until=at + LEASE) != 1:
        logger.info("Invitation %s has no mail to send", invitation_id)
        return
    invitation = Invitation.objects.select_related("organization", "team", "invited_by").get(pk=invitation_id)
    own = Invitation.objects.filter(pk=invitation_id, token_hash=hash_of(token))
    try:
        _mail(invitation, token)
    except (SMTPException, OSError) as error:
        # By its kind alone: what a mail server says may have the mail in it.
        logger.warning("The mail of invitation %s was not taken: %s", invitation_id, type(error).__name__)
        own.update(lease_until=at + RETRY)
        return
    own.update(sent_at=at)


def send_unsent_invitations(*, at: datetime) -> None:
    """Send what the queue has forgotten, or a mail server would not take."""
    for pk in Invitation.objects.unsent(at=at).order_by("created_at", "pk").values_list("pk", flat=True)[:AT_ONCE]:
        send_invitation(invitation_id=pk, at=at)


def _mail(invitation: Invitation, token: str) -> None:
    context = {
        "invitation": invitation,
        "address": settings.PORTAL_URL + reverse("open_invitation", args=[token]),
        "portal_url": settings.PORTAL_URL,
    }
    subject = f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}invitation to {invitation.organization}"
    body = render_to_string("accounts/email/invitation.txt", context)
    send_mail(" ".join(subject.split()), body, settings.DEFAULT_FROM_EMAIL, [invitation.email])
