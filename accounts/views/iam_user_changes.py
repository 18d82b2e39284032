"""The dialogs that change IAM users: each asks, calls one use-case, and leads to where the outcome is seen."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import (
    AddToGroupForm,
    CreateIAMUserForm,
    OptionalReasonForm,
    ReasonForm,
    TagIAMUserForm,
    decided,
)
from accounts.models import GroupMembership, IAMUser
from accounts.usecases import group_grants, iam_users
from accounts.views import dialogs
from accounts.views.iam_users import find
from accounts.views.organization import PortalRequest, organization_of


@require_http_methods(["GET", "POST"])
def create(request: PortalRequest) -> HttpResponse:
    """Create IAM user."""
    form = _creation_form(request)
    if request.method == "POST" and form.is_valid():
        what = dict(form.cleaned_data)
        what["group_names"] = what.pop("groups")
        iam_user = decided(form, iam_users.create_iam_user, by=request.user, at=timezone.now(), **what)
        if iam_user is not None:
            return dialogs.done(request, _page_of(iam_user))
    return dialogs.show(
        request,
        title="Create IAM user",
        form=form,
        button="Create IAM user",
        back=reverse("team"),
        fields="accounts/_create_iam_user_fields.html",
    )


@require_GET
def create_fields(request: PortalRequest) -> HttpResponse:
    """The form's fields once more, when the team or the account was changed: what was typed stays."""
    form = _creation_form(request, initial=request.GET.dict() | {"groups": request.GET.getlist("groups")})
    return render(request, "accounts/_create_iam_user_fields.html", {"form": form})


def _creation_form(request: PortalRequest, initial: dict[str, Any] | None = None) -> CreateIAMUserForm:
    organization = organization_of(request)
    access.require_anywhere(by=request.user, to=Permission.CREATE_IAM_USER, organization=organization)
    data = request.POST if request.method == "POST" else None
    return CreateIAMUserForm(data, by=request.user, organization=organization, initial=initial)


@require_http_methods(["GET", "POST"])
def tag(request: PortalRequest, pk: int) -> HttpResponse:
    """Set tags."""
    iam_user = _changeable(request, pk, Permission.TAG_IAM_USER)
    form = TagIAMUserForm(request.POST or None, initial={"tags": iam_user.peoples_tags})
    if request.method == "POST" and form.is_valid():
        changed = decided(
            form, iam_users.tag_iam_user, by=request.user, iam_user=iam_user, at=timezone.now(), **form.cleaned_data
        )
        if changed is not None:
            return dialogs.done(request, _page_of(iam_user))
    return dialogs.show(request, title=f"Tags of {iam_user}", form=form, button="Set tags", back=_page_of(iam_user))


@require_http_methods(["GET", "POST"])
def add_to_group(request: PortalRequest, pk: int) -> HttpResponse:
    """Add to group."""
    iam_user = _changeable(request, pk, Permission.CHANGE_GROUPS)
    form = AddToGroupForm(request.POST or None, by=request.user, iam_user=iam_user)
    if request.method == "POST" and form.is_valid():
        added = decided(
            form,
            group_grants.put_into_group,
            by=request.user,
            iam_user=iam_user,
            group_name=form.cleaned_data["groups"],
            until=form.cleaned_data["until"],
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        if added is not None:
            return dialogs.done(request, _page_of(iam_user))
    return dialogs.show(
        request,
        title=f"Add {iam_user} to a group",
        form=form,
        button="Add to group",
        back=_page_of(iam_user),
        fields="accounts/_add_to_group_fields.html",
        another=reverse("request_group", args=[iam_user.pk]),
    )


@require_http_methods(["GET", "POST"])
def remove_from_group(request: PortalRequest, pk: int, membership: int) -> HttpResponse:
    """Remove from group."""
    iam_user = _changeable(request, pk, Permission.CHANGE_GROUPS)
    rows = GroupMembership.objects.filter(iam_user=iam_user).select_related("iam_group")
    group_name = get_object_or_404(rows, pk=membership).iam_group.group_name
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        removed = decided(
            form,
            iam_users.remove_iam_user_from_group,
            by=request.user,
            iam_user=iam_user,
            group_name=group_name,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
        if removed is not None:
            return dialogs.done(request, _page_of(iam_user))
    return dialogs.show(
        request,
        title=f"Remove {iam_user} from {group_name}",
        form=form,
        button="Remove from group",
        back=_page_of(iam_user),
        warning=f"{iam_user} loses what the group allows as soon as AWS has done it. You can add it again.",
    )


@require_http_methods(["GET", "POST"])
def delete(request: PortalRequest, pk: int) -> HttpResponse:
    """Delete IAM user: whoever may not is told so before they are asked for a fresh sign-in."""
    return _delete(request, _changeable(request, pk, Permission.DELETE_IAM_USER))


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
            return redirect(_page_of(iam_user))
    keys = iam_user.access_keys.present().order_by("create_date", "pk")
    context = {"title": f"Delete IAM user {iam_user}", "iam_user": iam_user, "form": form, "keys": keys}
    return render(request, "accounts/delete_iam_user.html", context)


def _changeable(request: PortalRequest, pk: int, permission: Permission) -> IAMUser:
    """The IAM user for a form. The use-case asks again; here it saves people a form that could only be refused."""
    iam_user = find(request, pk)
    access.require_on_iam_user(by=request.user, to=permission, iam_user=iam_user)
    return iam_user


def _page_of(iam_user: IAMUser) -> str:
    return reverse("iam_user", args=[iam_user.pk])
