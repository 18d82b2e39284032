"""Asking for what one may not decide alone, and deciding about what others ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import access, requestable
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import GroupGrant, Person, Request
from accounts.usecases.approved import CARRIED, Approval
from accounts.usecases.granted import close_grant
from accounts.usecases.questions import ASKED
from accounts.usecases.records import about
from portal.ledger.models import Delivery
from portal.ledger.record import record

TELL_TASK = "accounts.tasks.tell_of_request"
# What one run of beat closes; the next closes what is left.
EXPIRED_AT_ONCE = 500
CLOSED = "This is decided already: {}."

State = Request.State


@transaction.atomic
def make_request(
    *, by: Person, kind: Kind, about: Any, change: Mapping[str, Any], reason: str, at: datetime
) -> Request:
    """Ask for a change that lies outside what the person may decide alone. `change` is what the kind takes.

    `about` is the row that it is about: the IAM user that shall be added to a group.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without a reason, for what cannot be, what they asked for already, or may decide alone.
    """
    # Each begins with who may ask for it.
    asked = ASKED[kind](by, about, change, at)
    if not reason.strip():
        raise ValidationError({"reason": "Say why: whoever decides about it will want to know."})
    request = Request(
        organization=asked.organization, account=asked.account, team=asked.team, kind=kind,
        subject_type=asked.subject.type, subject_id=asked.subject.id, subject_name=asked.subject.name,
        change=dict(asked.change), reason=reason, made_by=by, made_at=at,
        expires_at=min(filter(None, [at + timedelta(days=settings.REQUEST_DAYS), asked.latest])),
    )  # fmt: skip
    _check_first(request)
    request.binding = requestable.binding_of(request)
    request.save(force_insert=True)
    _record(Kind.REQUEST_MADE, request, by=by, at=at, reason=reason)
    _tell(request)
    return request


@transaction.atomic
def withdraw_request(*, by: Person, request: Request, at: datetime) -> Request:
    """Take back what one asked for oneself.

    :raises access.NotThere: when they do not see it. :raises ValidationError: when it is another's, or decided.
    """
    _require_visible(by=by, request=request)
    _hold(request)
    if request.made_by_id != by.pk:
        raise ValidationError("Only whoever asked for this can withdraw it.")
    Request.objects.close(request, State.WITHDRAWN, decided_at=at)
    _record(Kind.REQUEST_WITHDRAWN, request, by=by, at=at)
    return request


@transaction.atomic
def approve_request(
    *, by: Person, request: Request, at: datetime, words: str = "", acknowledged: Collection[str] = ()
) -> Request:
    """Approve exactly what was asked for, and have it done in the approver's name.

    Where it does not hold any more the request expires or lapses instead: its state says which, `words` why.
    `acknowledged` are the warnings that the approver has seen and ticked, where the use-case that it leads to warns.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for whoever asked, who became approver since, for what is decided, or what the use-case
        that it leads to refuses.
    """
    _require_approver(by=by, request=request)
    _hold(request)
    obstacle = requestable.obstacle(request, at=at)
    if obstacle:
        _close_unapproved(request, obstacle, at=at)
        return request
    if not Request.objects.close(request, State.APPROVED, decided_by=by, decided_at=at, words=words):
        raise ValidationError(CLOSED.format(request.get_state_display().lower()))
    _record(Kind.REQUEST_APPROVED, request, by=by, at=at, reason=words)
    CARRIED[Kind(request.kind)](Approval(by, request, at, acknowledged))
    _tell(request)
    return request


@transaction.atomic
def decline_request(*, by: Person, request: Request, words: str, at: datetime) -> Request:
    """Say no to what another asks for, and why.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: without words; for whoever asked, who became approver since, and for what is decided.
    """
    _require_approver(by=by, request=request)
    if not words.strip():
        raise ValidationError({"reason": "Say why: whoever asked will want to know."})
    _hold(request)
    Request.objects.close(request, State.DECLINED, decided_by=by, decided_at=at, words=words)
    _record(Kind.REQUEST_DECLINED, request, by=by, at=at, reason=words)
    _tell(request)
    return request


def expire_requests(*, at: datetime) -> int:
    """Close what nobody decided about in time; how many those were."""
    due = Request.objects.due(at).order_by("expires_at", "pk").select_related("organization")
    return sum(_expire(request, at) for request in due[:EXPIRED_AT_ONCE])


@transaction.atomic
def lapse(*, request: Request, words: str, delivery: Delivery, at: datetime) -> None:
    """A worker found that an approval does not hold any more, before it called AWS: what it gave ends."""
    if not Request.objects.close(request, State.LAPSED, since=State.APPROVED, words=words):
        return
    _record(Kind.REQUEST_LAPSED, request, by=None, at=at, details={"why": words})
    # After an earlier attempt AWS may hold it all the same: then it ends when its time is over, with a removal.
    if delivery.attempts <= 1 and not delivery.error:
        for grant in GroupGrant.objects.filter(request=request).running():
            close_grant(grant=grant, why=GroupGrant.Why.LAPSED, by=None, at=at)
    _tell(request)


@transaction.atomic
def _expire(request: Request, at: datetime) -> bool:
    return _close_unapproved(request, requestable.TOO_LATE, at=at)


def _close_unapproved(request: Request, words: str, *, at: datetime) -> bool:
    is_late = words == requestable.TOO_LATE
    state, kind = (State.EXPIRED, Kind.REQUEST_EXPIRED) if is_late else (State.LAPSED, Kind.REQUEST_LAPSED)
    if not Request.objects.close(request, state, decided_at=at, words=words):
        return False
    _record(kind, request, by=None, at=at, details={"why": words})
    _tell(request)
    return True


def _require_visible(*, by: Person, request: Request) -> None:
    if not Request.objects.visible_to(by).filter(pk=request.pk).exists():
        raise access.NotThere


def _require_approver(*, by: Person, request: Request) -> None:
    _require_visible(by=by, request=request)
    access.require(by=by, to=Permission.DECIDE_REQUEST, organization=request.organization)
    if by.pk == request.made_by_id:
        raise ValidationError("You asked for this yourself: somebody else decides about it.")
    if not requestable.may_approve(by=by, request=request):
        raise ValidationError("Only somebody who could decide when this was asked for can decide about it.")


def _hold(request: Request) -> None:
    """Locked and read again: of two who decide at once, the second must see what the first decided."""
    request.refresh_from_db(from_queryset=Request.objects.select_for_update(no_key=True))
    if not request.is_open:
        raise ValidationError(CLOSED.format(request.get_state_display().lower()))


def _check_first(request: Request) -> None:
    """Held by the lock on the subject's row: a form that is sent twice makes one request."""
    same = Request.objects.in_organization(request.organization).open().filter(kind=request.kind)
    of_subject = same.filter(subject_type=request.subject_type, subject_id=request.subject_id)
    if any(other.change == request.change for other in of_subject):
        raise ValidationError("This was asked for already, and waits for a decision.")


def _record(
    kind: Kind,
    request: Request,
    *,
    by: Person | None,
    at: datetime,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    told = {
        "kind": request.kind,
        "subject": request.subject_name,
        "change": request.change,
        "binding": request.binding,
        "requested_by": request.made_by.email,
        **(details or {}),
    }
    record(
        organization=request.organization, kind=kind, by=by, subject=about(request), at=at, reason=reason, details=told
    )


def _tell(request: Request) -> None:
    """Mail those whom it concerns, once this is committed."""

    def ring() -> None:
        current_app.send_task(TELL_TASK, args=[request.pk], retry=False, ignore_result=True)

    transaction.on_commit(ring, robust=True)
