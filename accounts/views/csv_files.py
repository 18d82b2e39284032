"""IAM users from a file: what it must look like, the plan that it makes, and applying that or not."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.usecases import bulk_plans
from accounts.usecases.csv_file import BYTES_AT_MOST, COLUMNS
from accounts.views.bulk import find
from accounts.views.bulk_forms import CSVForm
from accounts.views.organization import PortalRequest, organization_of

# Each column, whether it must be filled in, and what is in it.
DOCUMENTED = (
    ("user_name", "needed", "Its name in AWS: 1 to 64 letters, digits or any of + = , . @ - _"),
    ("account", "needed", "The 12 digits of the AWS account, or its name here"),
    ("team", "for new ones", "The team's name; whoever leads one team may leave it empty"),
    ("kind", "", "person or application; empty is person"),
    ("owner", "", "The e-mail of whoever answers for it"),
    ("purpose", "for applications", "What it does, and where it runs; at most 200 characters"),
    ("groups", "", "Names of IAM groups with | between them"),
    ("tags", "", "key=value with | between them"),
)
EXAMPLES = (
    (
        "orders-reader", "123456789012", "Data platform", "application", "mia@example.com", "Reads orders each night",
        "readers", "stage=prod|cost-center=4711",
    ),
    ("mia", "123456789012", "Data platform", "person", "mia@example.com", "", "developers|readers", ""),
)  # fmt: skip


@require_http_methods(["GET", "POST"])
def upload(request: PortalRequest) -> HttpResponse:
    """The columns, and the file: a good one leads to its plan."""
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.CREATE_IAM_USER, organization=organization)
    form = CSVForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        what = {"name": file.name, "content": file.read(BYTES_AT_MOST + 1), "reason": form.cleaned_data["reason"]}
        plan = decided(form, bulk_plans.plan_csv, by=request.user, organization=organization, at=timezone.now(), **what)
        if plan is not None:
            return redirect("bulk_change", pk=plan.pk)
    context: dict[str, Any] = {"form": form, "columns": DOCUMENTED, "back": reverse("team")}
    return render(request, "accounts/csv_import.html", context)


@require_GET
def example(request: PortalRequest) -> HttpResponse:
    """A file with two rows to begin with."""
    access.require_anywhere(by=request.user, to=Permission.CREATE_IAM_USER, organization=organization_of(request))
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *EXAMPLES])
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="iam-users-example.csv"'
    return answer


@require_POST
def apply(request: PortalRequest, pk: int) -> HttpResponse:
    """Apply the plan."""
    plan = find(request, pk)
    try:
        bulk_plans.apply_plan(by=request.user, plan=plan, at=timezone.now())
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return redirect("bulk_change", pk=pk)


@require_POST
def discard(request: PortalRequest, pk: int) -> HttpResponse:
    """Discard the plan."""
    plan = find(request, pk)
    try:
        bulk_plans.discard_plan(by=request.user, plan=plan, at=timezone.now())
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("bulk_change", pk=pk)
    messages.info(request, "The plan is gone, and nothing was changed.")
    return redirect("csv_import")
