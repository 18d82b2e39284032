"""The last look at an approval: what follows from a request is carried only while all that it is bound to holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from accounts import requestable
from accounts.models import Request
from portal.ledger.clock import database_now
from portal.ledger.handlers import Handler, Outdated
from portal.ledger.models import Delivery, Entry

NOT_APPROVED = "No approval of it holds."

# A use-case, which this storey cannot import: `lapse(request=…, words=…, delivery=…, at=…)`.
Lapse = Callable[..., None]


class Approvals:
    """Looks at approvals before AWS is called; `lapse` writes down that one does not hold any more."""

    def __init__(self) -> None:
        self.lapse: Lapse | None = None

    def require(self, entry: Entry, delivery: Delivery) -> None:
        """Return where the entry follows from no request, or from one that still holds.

        :raises Outdated: with the reason, after the request was closed.
        """
        if "request" not in entry.details:
            return
        now = database_now()
        request = _request_of(entry)
        words = _obstacle(request, entry, now)
        if not words:
            return
        if request is not None and self.lapse is not None:
            self.lapse(request=request, words=words, delivery=delivery, at=now)
        raise Outdated(f"The portal did not carry it out, and AWS was not asked: {words}")


approvals = Approvals()


def guarded(handler: Handler) -> Handler:
    """The same handler, which looks at the approval before it carries."""

    def carry(entry: Entry, delivery: Delivery) -> object:
        approvals.require(entry, delivery)
        return handler.carry(entry, delivery)

    return replace(handler, carry=carry)


def _request_of(entry: Entry) -> Request | None:
    rows = Request.objects.select_related("organization", "team", "made_by", "decided_by")
    return rows.filter(organization=entry.organization_id, pk=entry.details["request"]).first()


def _obstacle(request: Request | None, entry: Entry, now: datetime) -> str:
    if request is None or request.state != Request.State.APPROVED or request.decided_by is None:
        return NOT_APPROVED
    if not _is_what_was_approved(request, entry):
        return requestable.CHANGED
    return requestable.obstacle(request, at=now)


def _is_what_was_approved(request: Request, entry: Entry) -> bool:
    """Whether the entry carries out this very request; details that it has besides are not of the request."""
    same = (entry.kind, entry.subject_type, entry.subject_id, entry.by_id) == (
        request.kind,
        request.subject_type,
        request.subject_id,
        str(request.decided_by_id),
    )
    asked = all(entry.details.get(name, "") == value for name, value in request.change.items())
    return same and entry.details["binding"] == request.binding and asked
