"""Saying by hand whose IAM users are: one from its page, many from the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from accounts import access
from accounts.access import Permission
from accounts.forms import AssignForm, decided
from accounts.models import IAMUser
from accounts.usecases import ownership
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of

# An id of the database's is no longer; Python refuses to read thousands of digits at all.
LONGEST_ID = 18


@require_http_methods(["GET", "POST"])
def assign(request: PortalRequest) -> HttpResponse:
    """Assign: those that the address names, and then the form."""
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.ASSIGN_IAM_USER, organization=organization)
    chosen = _chosen(request)
    form = AssignForm(request.POST or None, by=request.user, organization=organization, iam_users=chosen)
    if request.method == "POST" and form.is_valid():
        what = {"by": request.user, "iam_users": chosen, "at": timezone.now(), **form.cleaned_data}
        if decided(form, ownership.assign_iam_users, **what) is not None:
            return _done(request, chosen)
    return dialogs.show(
        request,
        title=f"Assign {chosen[0] if len(chosen) == 1 else 'IAM users'}",
        form=form,
        iam_users=chosen,
        button="Assign" if chosen else "",
        back=_back(chosen),
        post_to=reverse("assign_iam_users"),
        fields="accounts/_assign_fields.html",
        another=_asking(request, chosen),
        another_words="To a team that is not yours?" if "team" not in form.fields else "Not yours to move there?",
        ask="Request another team",
    )


def _asking(request: PortalRequest, chosen: list[IAMUser]) -> str:
    """Where a lead asks for one to be moved; whoever stands above envelopes has nothing to ask for."""
    is_free = access.may(by=request.user, to=Permission.ASSIGN_IAM_USER, organization=organization_of(request))
    return "" if is_free or len(chosen) != 1 else reverse("request_team", args=[chosen[0].pk])


def _chosen(request: PortalRequest) -> list[IAMUser]:
    """The IAM users that the request names.

    :raises access.NotThere: when the person does not see one of them here. :raises access.NotAllowed: when they see all
        and may not assign one: the use-case asks again, here it saves people a form that could only be refused.
    """
    texts = set((request.POST if request.method == "POST" else request.GET).getlist("iam_user"))
    if not all(text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID for text in texts):
        raise access.NotThere
    organization = organization_of(request)
    seen = IAMUser.objects.visible_to(request.user).in_organization(organization).filter(pk__in=texts)
    rows = list(seen.select_related("account", "team", "owner").order_by("user_name", "pk"))
    if len(rows) != len(texts):
        raise access.NotThere
    for team in {row.team for row in rows}:
        access.require(by=request.user, to=Permission.ASSIGN_IAM_USER, organization=organization, team=team)
    return rows


def _done(request: PortalRequest, assigned: list[IAMUser]) -> HttpResponse:
    """Back to the list or page that it was asked from, which shows the outcome."""
    names = str(assigned[0]) if len(assigned) == 1 else f"{len(assigned)} IAM users"
    messages.info(request, f"{names}: assigned.")
    return HttpResponseClientRefresh() if request.htmx else redirect(_back(assigned))


def _back(chosen: list[IAMUser]) -> str:
    return reverse("iam_user", args=[chosen[0].pk]) if len(chosen) == 1 else reverse("team")
