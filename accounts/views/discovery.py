"""The accounts of an AWS organization: find them through one account, connect many at once, test them together."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh
from django_tables2 import SingleTableView

from accounts import access
from accounts.forms import ConnectAccountsForm, decided
from accounts.importers import role_documents
from accounts.models import Account, DiscoveredAccount
from accounts.usecases import connections, discovery
from accounts.views import states
from accounts.views.connections import attachment, find
from accounts.views.filters import SEARCH_LENGTH
from accounts.views.organization import PortalRequest
from accounts.views.tables import PAGE, DiscoveredAccountTable


class DiscoveredAccountList(SingleTableView):
    """What AWS Organizations told through one account."""

    request: PortalRequest
    table_class = DiscoveredAccountTable
    template_name = "accounts/discovered_accounts.html"
    table_pagination = PAGE

    @cached_property
    def via(self) -> Account:
        """The account that was asked."""
        return find(self.request, self.kwargs["pk"])

    def get_queryset(self) -> QuerySet[DiscoveredAccount]:
        rows = DiscoveredAccount.objects.visible_to(self.request.user).filter(account=self.via)
        wanted = self.request.GET.get("q", "")[:SEARCH_LENGTH].strip().replace("\x00", "")
        named = Q(name__icontains=wanted) | Q(email__icontains=wanted)
        return rows.filter(named | Q(member_account_id__contains=wanted.replace("-", "") or wanted)) if wanted else rows

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"organization": self.via.organization}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = DiscoveredAccount.objects.filter(account=self.via)
        untested = Account.objects.untested().filter(organization=self.via.organization)
        return super().get_context_data(**kwargs) | {
            "wanted": self.request.GET.get("q", ""),
            "connectable": found.connectable().count(),
            "untested": untested.count(),
            "parts": range(1, len(_stack_sets(self.via)) + 1),
            "form": ConnectAccountsForm(),
            "is_embedded": settings.AWS_IS_EMBEDDED,
            **_context(self.via),
        }


@require_GET
def progress(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the accounts are being read; then the whole page is another."""
    context = _context(find(request, pk))
    if request.htmx and not (context["discovery_state"] and context["discovery_state"].is_moving):
        return HttpResponseClientRefresh()
    return render(request, "accounts/_discovery.html", context)


@require_POST
def discover(request: PortalRequest, pk: int) -> HttpResponse:
    """Discover accounts."""
    account = find(request, pk)
    try:
        discovery.discover_accounts(by=request.user, account=account, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("discovered_accounts", pk=pk)


@require_POST
def connect(request: PortalRequest, pk: int) -> HttpResponse:
    """Connect accounts: those that are marked, or all that can be."""
    via, form = find(request, pk), ConnectAccountsForm(request.POST)
    marked = None if "all" in request.POST else request.POST.getlist("accounts")
    made = None
    if form.is_valid():
        made = decided(
            form,
            discovery.connect_accounts,
            by=request.user,
            via=via,
            member_account_ids=marked,
            at=timezone.now(),
            **form.cleaned_data,
        )
    if made is None:
        messages.error(request, " ".join(str(message) for errors in form.errors.values() for message in errors))
    else:
        count = f"{len(made)} account{'' if len(made) == 1 else 's'}"
        messages.info(request, f"Connected {count}. Put the role in place in each, then test the connections.")
    return redirect("discovered_accounts", pk=pk)


@require_POST
def test(request: PortalRequest, pk: int) -> HttpResponse:
    """Test connections: all that were not tested yet."""
    account = find(request, pk)
    started = connections.test_new_connections(by=request.user, organization=account.organization, at=timezone.now())
    count = len(started)
    messages.info(request, f"{count} connection{' is' if count == 1 else 's are'} being tested.")
    return redirect("accounts")


@require_GET
def stack_set(request: PortalRequest, pk: int, part: int) -> HttpResponse:
    """A CloudFormation template for a StackSet over the accounts that were discovered and connected."""
    templates = _stack_sets(find(request, pk))
    if not 1 <= part <= len(templates):
        raise access.NotThere
    return attachment(templates[part - 1], "application/json", f"gatehouse-roles-{part}.json")


@require_POST
def put_embedded_roles(request: PortalRequest, pk: int) -> HttpResponse:
    """Put the roles in place, where AWS is embedded."""
    account = find(request, pk)
    untested = Account.objects.untested().filter(organization=account.organization).order_by("pk")
    connections.put_embedded_roles(by=request.user, accounts=list(untested), at=timezone.now())
    messages.info(request, "The embedded AWS is given the roles. Test the connections now.")
    return redirect("discovered_accounts", pk=pk)


def _stack_sets(via: Account) -> tuple[str, ...]:
    """Not for the management account itself: a StackSet of AWS Organizations leaves it out."""
    if not role_documents.can_be_written():
        return ()
    found = DiscoveredAccount.objects.filter(account=via).values("member_account_id")
    rows = Account.objects.filter(organization=via.organization, account_id__in=found).exclude(pk=via.pk)
    return role_documents.stack_set_templates(rows)


def _context(via: Account) -> dict[str, Any]:
    row = via.discoveries.order_by("-created_at", "-pk").first()
    found = via.discoveries.filter(state="applied").order_by("-created_at", "-pk").first()
    return {
        "via": via,
        "discovery": row,
        "discovery_state": states.of_discovery(row) if row else None,
        "applied": found,
        "count": DiscoveredAccount.objects.filter(account=via).count(),
    }
