"""The mails about secrets: that one was asked for again, and that one was handed over. None has a secret in it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.kinds import Kind
from accounts.models import IAMUser, Person
from accounts.models.sealed import Bond
from portal.ledger.models import Entry
from portal.secrets import seal
from portal.secrets.models import SealedSecret

# Whoever asks again and again is told of once in this time: the ledger has each.
QUIET = timedelta(hours=1)


def tell_of_asking_again(*, entry_id: uuid.UUID) -> int:
    """Tell its recipient and the IAM user's owner that somebody asked for an opened secret; the number of mails."""
    entry = Entry.objects.filter(pk=entry_id, kind=Kind.SECRET_ASKED_AGAIN).first()
    if entry is None or _was_told(entry):
        return 0
    sealed, iam_user = _of(entry)
    people = {person.pk: person for person in (sealed.recipient, iam_user.owner) if person is not None}
    for person in people.values():
        _send("Asked for again", "asked_again", person, entry, sealed, iam_user)
    return len(people)


def tell_of_hand_over(*, entry_id: uuid.UUID) -> int:
    """Tell the new recipient that a secret waits for them; the number of mails."""
    entry = Entry.objects.filter(pk=entry_id, kind=Kind.SECRET_HANDED_OVER).first()
    if entry is None:
        return 0
    sealed, iam_user = _of(entry)
    _send("For you", "handed_over", sealed.recipient, entry, sealed, iam_user)
    return 1


def _was_told(entry: Entry) -> bool:
    """Whether a mail about the same secret went out a little while ago."""
    earlier = Entry.objects.filter(
        organization=entry.organization_id, kind=entry.kind, subject_type=entry.subject_type,
        subject_id=entry.subject_id, sequence__lt=entry.sequence, at__gt=entry.at - QUIET,
    )  # fmt: skip
    return any(one.details["sealed"] == entry.details["sealed"] for one in earlier)


def _of(entry: Entry) -> tuple[SealedSecret, IAMUser]:
    rows = SealedSecret.objects.select_related("recipient").defer(*seal.WIPED)
    sealed = rows.get(pk=entry.details["sealed"])
    return sealed, IAMUser.objects.select_related("account", "owner").get(pk=Bond.of(sealed).iam_user_id)


def _send(about: str, template: str, person: Person, entry: Entry, sealed: SealedSecret, iam_user: IAMUser) -> None:
    is_recipient = person.pk == sealed.recipient_id
    path = reverse("secret" if is_recipient else "stop_key", args=[sealed.pk])
    context = {
        "person": person,
        "entry": entry,
        "sealed": sealed,
        "iam_user": iam_user,
        "access_key_id": entry.details.get("access_key_id", ""),
        "address": settings.PORTAL_URL + path,
    }
    # One line: a subject with a line break would be refused by Django, and a mail by its server.
    subject = " ".join(f"{about}: {sealed.purpose.lower()} of {iam_user}".split())
    send_mail(subject, render_to_string(f"accounts/mails/{template}.txt", context), None, [person.email])
