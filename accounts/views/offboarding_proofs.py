"""The proof of an offboarding: as a page to print, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import access
from accounts.access import Permission
from accounts.views.exports import harmless
from accounts.views.offboardings import find, may_decide
from accounts.views.organization import PortalRequest
from accounts.views.proof import Fact, Holding, Proof, Step

COLUMNS = ("what", "account_id", "arn", "words", "value", "source", "at", "entry", "by")


@require_GET
def page(request: PortalRequest, pk: int) -> HttpResponse:
    """The proof."""
    return render(request, "accounts/offboarding_proof.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while AWS is read."""
    return render(request, "accounts/_offboarding_proof.html", _context(request, pk))


@require_GET
def export(request: PortalRequest, pk: int, form: str) -> HttpResponse:
    """The same as a file."""
    if form not in ("json", "csv"):
        raise Http404
    found = find(request, pk)
    proof = Proof(found, by=request.user, at=timezone.now())
    answer: HttpResponse = JsonResponse(told(proof), json_dumps_params={"indent": 2, "ensure_ascii": False})
    if form == "csv":
        answer = HttpResponse(csv_text(proof), content_type="text/csv; charset=utf-8")
    name = f"offboarding-{found.organization.slug}-{found.pk}-{proof.at:%Y%m%dT%H%M%SZ}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def told(proof: Proof) -> dict[str, Any]:
    """The proof as JSON: times in ISO 8601, and what is not done first."""
    offboarding = proof.offboarding
    return {
        "as_of": proof.at.isoformat(),
        "organization": str(offboarding.organization),
        "person": {"name": str(offboarding.person), "email": offboarding.person.email},
        "state": offboarding.state,
        "begun_at": offboarding.begun_at.isoformat(),
        "begun_by": str(offboarding.begun_by),
        "reason": offboarding.reason,
        "delete_after": offboarding.delete_after.isoformat(),
        "undone_at": _iso(offboarding.undone_at),
        "concluded_at": _iso(offboarding.concluded_at),
        "verdict": proof.verdict.words,
        "not_done": proof.left,
        "iam_users": [_holding(holding) for holding in proof.holdings],
        "applications": [
            {
                "arn": one.row.iam_user.arn,
                "owner": "" if one.row.iam_user.owner is None else one.row.iam_user.owner.email,
                "needs_another_owner": one.needs_owner,
                "active_access_keys": [key.access_key_id for key in one.keys],
            }
            for one in proof.applications
        ],
        "accounts": [
            {
                "account_id": one.account.account_id,
                "name": one.account.name,
                "state": one.account.state,
                "read_at": _iso(one.account.read_at),
                "is_read_since": one.is_read_since,
            }
            for one in proof.readings
        ],
    }


def csv_text(proof: Proof) -> str:
    """The same, a line for each fact, step, account and thing that is not done (RFC 4180, every cell quoted)."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for line in _lines(proof):
        writer.writerow([harmless(str(line.get(name) or "")) for name in COLUMNS])
    return file.getvalue()


def _lines(proof: Proof) -> Iterator[dict[str, Any]]:
    yield {"what": "verdict", "words": str(proof.offboarding), "value": proof.verdict.words, "at": _iso(proof.at)}
    yield from ({"what": "not done", "words": sentence} for sentence in proof.left)
    for holding in proof.holdings:
        whose = {"account_id": holding.iam_user.account.account_id, "arn": holding.iam_user.arn}
        known = {"source": holding.known.source, "at": _iso(holding.known.at)}
        yield {"what": "IAM user", **whose, "words": holding.iam_user.user_id, "value": holding.shown.words, **known}
        yield from ({"what": "step", **whose, **_step(step)} for step in holding.steps)
        yield from ({"what": "fact", **whose, **_fact(fact)} for fact in holding.facts)
    for reading in proof.readings:
        account = reading.account
        known = {"source": "account authorization details", "at": _iso(account.read_at)}
        yield {"what": "account", "account_id": account.account_id, "words": account.name, **known}


def _holding(holding: Holding) -> dict[str, Any]:
    return {
        "arn": holding.iam_user.arn,
        "unique_id": holding.iam_user.user_id,
        "state": holding.shown.words,
        "source": holding.known.source,
        "read_at": _iso(holding.known.at),
        "steps": [_step(step) for step in holding.steps],
        "holds": [_fact(fact) for fact in holding.facts],
        "not_done": holding.left,
    }


def _step(step: Step) -> dict[str, Any]:
    done_at = None if step.delivery is None else step.delivery.done_at
    return {
        "words": step.words,
        "entry": step.entry.sequence,
        "by": step.entry.by_name,
        "decided_at": step.entry.at.isoformat(),
        "value": step.shown.words,
        "at": _iso(done_at),
        "error": "" if step.delivery is None else step.delivery.error,
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {"words": fact.words, "value": fact.value, "source": fact.known.source, "at": _iso(fact.known.at)}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    found = find(request, pk)
    return {
        "offboarding": found,
        "proof": Proof(found, by=request.user, at=timezone.now()),
        "may_decide": may_decide(request, found),
        "may_view_ledger": access.may(by=request.user, to=Permission.VIEW_LEDGER, organization=found.organization),
    }
