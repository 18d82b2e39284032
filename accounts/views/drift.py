"""Drift of one AWS account: what waits for a decision, deciding it, and what was decided before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_tables2 import RequestConfig

from accounts import access
from accounts.access import Permission
from accounts.forms import DriftForm, decided
from accounts.models import Account, Drift, IAMUser, Organization, Person
from accounts.models.drift import DriftQuerySet
from accounts.usecases import drift as usecases
from accounts.views import dialogs, differences
from accounts.views.drift_tables import OpenDriftTable, PastDriftTable
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.tables import PAGE

# As many as a dialog lists before it only counts.
LISTED = 8
ID_LENGTH = 15


@require_GET
def plan(request: PortalRequest, pk: int) -> HttpResponse:
    """What differs in one account, and what became of what differed before."""
    access.require_anywhere(by=request.user, to=Permission.VIEW_ACCOUNTS, organization=organization_of(request))
    account = _account(request, pk)
    waiting = _seen(request, account).open()
    may_decide = _may_decide(request)
    table = OpenDriftTable(
        waiting.order_by("iam_user__user_name", "attribute", "pk"),
        may_decide=may_decide,
        are_chosen=request.GET.get("choose") == "all",
    )
    RequestConfig(request, paginate=PAGE).configure(table)
    context = {
        "account": account,
        "table": table,
        "may_decide": may_decide,
        "counts": waiting.aggregate(differences=Count("pk"), iam_users=Count("iam_user", distinct=True)),
        **_past(request, account),
    }
    return render(request, "accounts/drift.html", context)


@require_GET
def past(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes when a delivery arrives."""
    access.require_anywhere(by=request.user, to=Permission.VIEW_ACCOUNTS, organization=organization_of(request))
    account = _account(request, pk)
    return render(request, "accounts/_past_drift.html", {"account": account, **_past(request, account)})


@require_http_methods(["GET", "POST"])
def adopt(request: PortalRequest, pk: int) -> HttpResponse:
    """Adopt."""
    warning = "Nothing changes in AWS. What AWS holds now counts as decided from then on."
    return _decide(request, pk, usecases.adopt_drift, button="Adopt", warning=warning)


@require_http_methods(["GET", "POST"])
def revert(request: PortalRequest, pk: int) -> HttpResponse:
    """Revert."""
    warning = "AWS is made as it was decided here; what was done there since goes."
    return _decide(request, pk, usecases.revert_drift, button="Revert", warning=warning)


def count_by_account(person: Person, organization: Organization) -> list[dict[str, Any]]:
    """How many differences wait in each account, of those that the person may decide about."""
    if not access.may_anywhere(by=person, to=Permission.DECIDE_DRIFT, organization=organization):
        return []
    waiting = Drift.objects.visible_to(person).filter(organization=organization).open()
    grouped = waiting.order_by().values("account", name=F("account__name")).annotate(count=Count("pk"))
    return [dict(row) for row in grouped.order_by("name", "account")]


def waiting_of(iam_user: IAMUser) -> list[differences.Difference]:
    """What waits for a decision of one IAM user."""
    return [
        differences.of(drift) for drift in iam_user.drift.filter(state=Drift.State.OPEN).order_by("attribute", "pk")
    ]


def _decide(
    request: PortalRequest, pk: int, use_case: Callable[..., list[Drift]], *, button: str, warning: str
) -> HttpResponse:
    account = _account(request, pk)
    access.require_anywhere(by=request.user, to=Permission.DECIDE_DRIFT, organization=account.organization)
    chosen = _chosen(request, account)
    if not chosen:
        return _ask_to_choose(request, account)
    seen_at = max(drift.read_at for drift in chosen if drift.read_at)
    form = DriftForm(request.POST or None, initial={"seen_at": seen_at.isoformat()})
    back = _back(request, account, chosen)
    if request.method == "POST" and form.is_valid():
        done = decided(form, use_case, by=request.user, drifts=chosen, at=timezone.now(), **form.cleaned_data)
        if done is not None:
            return dialogs.done(request, back)
    count = len(chosen)
    return dialogs.show(
        request,
        title=f"{button} {count} difference{'' if count == 1 else 's'}",
        form=form,
        button=button,
        warning=warning,
        back=back,
        fields="accounts/_decide_drift.html",
        chosen=[differences.of(drift) for drift in chosen[:LISTED]],
        more=max(0, count - LISTED),
        is_anew=button == "Revert" and any(drift.kind == Drift.Kind.GONE for drift in chosen),
    )


def _ask_to_choose(request: PortalRequest, account: Account) -> HttpResponse:
    if request.htmx:
        return render(request, "accounts/_no_drift_chosen.html", {"account": account})
    messages.info(request, "Tick the differences that you want to decide about first.")
    return redirect("drift", pk=account.pk)


def _chosen(request: PortalRequest, account: Account) -> list[Drift]:
    """Those that the address names.

    :raises access.NotThere: when one of them is not the person's to see, or not of this account.
    """
    asked = set(request.GET.getlist("drift"))
    if not all(text.isascii() and text.isdecimal() and len(text) <= ID_LENGTH for text in asked):
        raise access.NotThere
    found = list(_seen(request, account).filter(pk__in=[int(text) for text in asked]).order_by("pk"))
    if len(found) != len(asked):
        raise access.NotThere
    return found


def _back(request: PortalRequest, account: Account, chosen: list[Drift]) -> str:
    if request.GET.get("on") == "iam_user":
        return reverse("iam_user", args=[chosen[0].iam_user_id])
    return reverse("drift", args=[account.pk])


def _account(request: PortalRequest, pk: int) -> Account:
    """The account, where the person sees it or something that drifted in it."""
    mine = Account.objects.visible_to(request.user).values("pk")
    drifted = Drift.objects.visible_to(request.user).filter(account=pk).values("account")
    rows = Account.objects.filter(organization=organization_of(request))
    return get_object_or_404(rows.filter(Q(pk__in=mine) | Q(pk__in=drifted)), pk=pk)


def _seen(request: PortalRequest, account: Account) -> DriftQuerySet:
    return (
        Drift.objects.visible_to(request.user)
        .filter(account=account)
        .select_related("iam_user__team", "iam_user__organization", "organization")
    )


def _may_decide(request: PortalRequest) -> bool:
    return access.may_anywhere(by=request.user, to=Permission.DECIDE_DRIFT, organization=organization_of(request))


def _past(request: PortalRequest, account: Account) -> dict[str, Any]:
    rows = _seen(request, account).ended().order_by("-read_at", "-pk")
    table = PastDriftTable(rows, at=timezone.now())
    RequestConfig(request, paginate=PAGE).configure(table)
    return {"past": table, "query": request.GET.urlencode()}
