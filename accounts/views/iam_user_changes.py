"""The dialogs that change IAM users: each asks, calls one use-case, and leads to where the outcome is seen."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import (
    CreateIAMUserForm,
    ReasonForm,
    TagIAMUserForm,
    decided,
)
from accounts.models import IAMUser
from accounts.usecases import iam_users
from accounts.views import dialogs
from accounts.views.iam_users import changeable, page_of
from accounts.views.organization import PortalRequest, organization_of


@require_http_methods(["GET", "POST"])
def create(request: PortalRequest) -> HttpResponse:
    """Create IAM user."""
    form = _creation_form(request)
    if request.method == "POST" and form.is_valid():
        what = dict(form.cleaned_data)
        what["group_names"], what["policy_arns"] = what.pop("groups"), what.pop("policies")
        iam_user = decided(form, iam_users.create_iam_user, by=request.user, at=timezone.now(), **what)
        if iam_user is not None:
            return dialogs.done(request, page_of(iam_user))
    return _show_creation(request, form)


@require_GET
def create_fields(request: PortalRequest) -> HttpResponse:
    """The form's fields once more, when the team or the account was changed: what was typed stays."""
    form = _asked_form(request)
    return render(request, "accounts/_create_iam_user_fields.html", {"form": form, "difference": form.difference()})


@require_http_methods(["GET", "POST"])
def create_difference(request: PortalRequest) -> HttpResponse:
    """What the IAM user could do with the groups and policies that are ticked."""
    if request.method == "POST":
        return _show_creation(request, _creation_form(request))
    form = _asked_form(request)
    if not request.htmx:
        return _show_creation(request, form)
    return render(request, "accounts/_access_difference.html", {"difference": form.difference()})


def _asked_form(request: PortalRequest) -> CreateIAMUserForm:
    many = {name: request.GET.getlist(name) for name in ("groups", "policies")}
    return _creation_form(request, initial=request.GET.dict() | many)


def _show_creation(request: PortalRequest, form: CreateIAMUserForm) -> HttpResponse:
    return dialogs.show(
        request,
        title="Create IAM user",
        form=form,
        button="Create IAM user",
        back=reverse("team"),
        fields="accounts/_create_iam_user_fields.html",
        post_to=reverse("create_iam_user"),
        difference=form.difference(),
    )


def _creation_form(request: PortalRequest, initial: dict[str, Any] | None = None) -> CreateIAMUserForm:
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.CREATE_IAM_USER, organization=organization)
    data = request.POST if request.method == "POST" else None
    return CreateIAMUserForm(data, by=request.user, organization=organization, initial=initial)


@require_http_methods(["GET", "POST"])
def tag(request: PortalRequest, pk: int) -> HttpResponse:
    """Set tags."""
    iam_user = changeable(request, pk, Permission.TAG_IAM_USER)
    form = TagIAMUserForm(request.POST or None, team=iam_user.team, initial={"tags": iam_user.peoples_tags})
    if request.method == "POST" and form.is_valid():
        changed = decided(
            form, iam_users.tag_iam_user, by=request.user, iam_user=iam_user, at=timezone.now(), **form.cleaned_data
        )
        if changed is not None:
            return dialogs.done(request, page_of(iam_user))
    return dialogs.show(request, title=f"Tags of {iam_user}", form=form, button="Set tags", back=page_of(iam_user))


@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Delete IAM user: whoever may not is told so before they are asked for a fresh sign-in."""
    return _delete(request, changeable(request, pk, Permission.DELETE_IAM_USER))


@reauthentication_required
def _delete(request: PortalRequest, iam_user: IAMUser) -> HttpResponse:
    """A page that says what will go."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        deleted = decided(
            form,
            iam_users.delete_iam_user,
            by=request.user,
            iam_user=iam_user,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        if deleted is not None:
            return redirect(page_of(iam_user))
    keys = iam_user.access_keys.present().order_by("create_date", "pk")
    context = {"title": f"Delete IAM user {iam_user}", "iam_user": iam_user, "form": form, "keys": keys}
    return render(request, "accounts/delete_iam_user.html", context)
