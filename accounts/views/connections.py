"""Connecting an AWS account, step by step: name it, put the role in place, test the connection."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access
from accounts.access import Permission
from accounts.forms import ConnectAccountForm, decided
from accounts.importers import role_documents
from accounts.models import Account
from accounts.usecases import accounts, connections
from accounts.views import dialogs, states
from accounts.views.organization import PortalRequest, organization_of

# In the address: the documents let the role list the accounts of its AWS organization too.
WITH_DISCOVERY = "with-discovery"


@require_http_methods(["GET", "POST"])
def connect(request: PortalRequest) -> HttpResponse:
    """Connect account."""
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.CONNECT_ACCOUNT, organization=organization)
    form = ConnectAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = decided(
            form,
            accounts.connect_account,
            by=request.user,
            organization=organization,
            at=timezone.now(),
            **form.cleaned_data,
        )
        if account is not None:
            return dialogs.done(request, reverse("connection", args=[account.pk]))
    return dialogs.show(request, title="Connect account", form=form, button="Connect account", back=reverse("accounts"))


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """What is to be put in place in the account, and what the last test of it found."""
    account = find(request, pk)
    with_discovery = WITH_DISCOVERY in request.GET
    documents = documents_of(account, with_discovery=with_discovery)
    shown = next((document for document in documents if document.form == request.GET.get("as")), None)
    context = {
        "account": account,
        "role_name": account.role_arn.rpartition("/")[2],
        "hub": settings.HUB_PRINCIPAL_ARN,
        "document": shown or next(iter(documents), None),
        "with_discovery": with_discovery,
        "is_embedded": settings.AWS_IS_EMBEDDED,
    }
    return render(request, "accounts/connection.html", context | _tabs(documents, context) | _test_context(account))


@require_GET
def progress(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the connection is being tested."""
    account = find(request, pk)
    return render(request, "accounts/_connection_test.html", {"account": account, **_test_context(account)})


@require_GET
def document(request: PortalRequest, pk: int, form: str) -> HttpResponse:
    """One of the documents as a file."""
    account = find(request, pk)
    for found in documents_of(account, with_discovery=WITH_DISCOVERY in request.GET):
        if found.form == form:
            return attachment(found.text, found.content_type, f"gatehouse-role-{account.account_id}.{form}")
    raise access.NotThere


@require_POST
def test(request: PortalRequest, pk: int) -> HttpResponse:
    """Test connection."""
    account = find(request, pk)
    try:
        connections.test_connection(by=request.user, account=account, at=timezone.now())
    except ValidationError as refusal:
        messages.info(request, " ".join(refusal.messages))
    return redirect("connection", pk=pk)


@require_POST
def put_embedded_role(request: PortalRequest, pk: int) -> HttpResponse:
    """Put the role in place, where AWS is embedded."""
    account = find(request, pk)
    connections.put_embedded_roles(by=request.user, accounts=[account], at=timezone.now())
    messages.info(request, "The embedded AWS is given the role. Test the connection now.")
    return redirect("connection", pk=pk)


def find(request: PortalRequest, pk: int) -> Account:
    """The account, for those who connect accounts; 404 where they do not see it."""
    rows = Account.objects.visible_to(request.user).filter(organization=organization_of(request))
    account = get_object_or_404(rows, pk=pk)
    access.require(by=request.user, to=Permission.CONNECT_ACCOUNT, organization=account.organization)
    return account


def documents_of(account: Account, *, with_discovery: bool) -> tuple[role_documents.RoleDocument, ...]:
    """The documents; none while the portal does not know its own identity in AWS."""
    if not role_documents.can_be_written():
        return ()
    return role_documents.documents_of(account, with_discovery=with_discovery)


def attachment(text: str, content_type: str, name: str) -> HttpResponse:
    """The text as a file to be kept."""
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(text, content_type=content_type, headers={"Content-Disposition": disposition})


def _tabs(documents: tuple[role_documents.RoleDocument, ...], context: dict[str, Any]) -> dict[str, Any]:
    more = f"&{WITH_DISCOVERY}" if context["with_discovery"] else ""
    tabs = [
        {"address": f"?as={found.form}{more}", "words": found.words, "is_here": found == context["document"]}
        for found in documents
    ]
    return {"tabs": tabs}


def _test_context(account: Account) -> dict[str, Any]:
    row = account.connection_tests.order_by("-created_at", "-pk").first()
    return {
        "state": states.of_account(account),
        "test": row,
        "test_state": states.of_connection_test(row) if row else None,
        "checks": [(check, states.of_check(check)) for check in row.checks] if row else [],
    }
