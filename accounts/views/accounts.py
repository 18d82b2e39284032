"""AWS accounts: which are connected, since when the portal knows what is in them, and reading one anew."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_tables2 import SingleTableView

from accounts import access
from accounts.access import Permission
from accounts.forms import PaceForm, decided
from accounts.models import Account, Boundary, Drift, IAMProvider, IAMUser
from accounts.usecases import accounts, imports
from accounts.views import dialogs, states, summaries
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.tables import PAGE, AccountTable


class AccountList(SingleTableView):
    """The organization's AWS accounts, as far as the person sees them."""

    request: PortalRequest
    table_class = AccountTable
    template_name = "accounts/accounts.html"
    table_pagination = PAGE

    def get_queryset(self) -> QuerySet[Account]:
        access.require_anywhere(
            by=self.request.user, to=Permission.VIEW_ACCOUNTS, organization=organization_of(self.request)
        )
        return _accounts(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        organization = organization_of(self.request)
        may_connect = access.may(by=self.request.user, to=Permission.CONNECT_ACCOUNT, organization=organization)
        sees_all = access.may(by=self.request.user, to=Permission.VIEW_ORGANIZATION, organization=organization)
        return super().get_context_data(**kwargs) | {"may_connect": may_connect, "may_see_ownership": sees_all}


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One AWS account."""
    return render(request, "accounts/account.html", _context(request, pk))


@require_GET
def progress(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the account is being read."""
    return render(request, "accounts/_account_facts.html", _context(request, pk))


@require_http_methods(["GET", "POST"])
def set_pace(request: PortalRequest, pk: int) -> HttpResponse:
    """Set pace."""
    account = get_object_or_404(_accounts(request), pk=pk)
    access.require(by=request.user, to=Permission.CONNECT_ACCOUNT, organization=account.organization)
    kept = {"calls_per_second": account.calls_per_second, "calls_burst": account.calls_burst}
    form, page = PaceForm(request.POST or None, initial=kept), reverse("account", args=[pk])
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        if decided(form, accounts.set_pace, by=request.user, account=account, at=timezone.now(), **what):
            return dialogs.done(request, page)
    return dialogs.show(request, title=f"Pace of {account.name}", form=form, button="Set pace", back=page)


@require_POST
def refresh(request: PortalRequest, pk: int) -> HttpResponse:
    """Refresh now."""
    account = get_object_or_404(_accounts(request), pk=pk)
    try:
        imports.refresh_account(by=request.user, account=account, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("account", pk=account.pk)


def _accounts(request: PortalRequest) -> QuerySet[Account]:
    rows = Account.objects.visible_to(request.user).filter(organization=organization_of(request))
    seen = IAMUser.objects.visible_to(request.user).present()
    return rows.annotate(seen_iam_users=Count("iam_users", filter=Q(iam_users__in=seen), distinct=True))


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    account = get_object_or_404(_accounts(request), pk=pk)
    last = account.imports.of_whole_accounts().order_by("-created_at", "-pk")[:5]
    readings = [(row, states.of_import(row)) for row in last]
    person, organization = request.user, account.organization
    may_connect = access.may(by=person, to=Permission.CONNECT_ACCOUNT, organization=organization)
    boundary = Boundary.objects.filter(account=account).first()
    return {
        "boundary": boundary,
        "boundary_shown": states.of_boundary(boundary, None, at=timezone.now()) if boundary else None,
        "sees_boundary": access.may(by=person, to=Permission.VIEW_ORGANIZATION, organization=organization),
        "account": account,
        "imports": readings,
        "state": states.of_account(account),
        "quotas": summaries.quotas(account),
        "root": summaries.root(account),
        "passwords": summaries.passwords(account),
        "providers": IAMProvider.objects.present().filter(account=account).order_by("arn", "pk"),
        "pace": states.pace_of(account),
        "drift_count": Drift.objects.visible_to(person).filter(account=account).open().count(),
        "is_moving": any(shown.is_moving for _, shown in readings),
        "is_importable": Account.objects.importable().filter(pk=pk).exists(),
        "may_refresh": access.may(by=person, to=Permission.REFRESH_ACCOUNT, organization=organization),
        "may_connect": may_connect,
        "advice": states.advice_on_account(may_connect=may_connect),
    }
