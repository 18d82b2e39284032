"""The dialogs that change what an IAM user is called, where it is and what it may do, and what they say beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.iam_user_forms import (
    AccessForm,
    AddToGroupForm,
    AttachPolicyForm,
    BoundaryForm,
    DecisionForm,
    PathForm,
    RenameForm,
)
from accounts.models import GroupMembership, IAMUser
from accounts.policy.words import Difference
from accounts.usecases import group_grants, iam_users, iam_users_changes
from accounts.views import dialogs
from accounts.views.access_in_words import change_of
from accounts.views.iam_users import changeable, page_of
from accounts.views.organization import PortalRequest

DIFFERENCE = "accounts/_access_difference.html"


@require_http_methods(["GET", "POST"])
def rename(request: PortalRequest, pk: int) -> HttpResponse:
    """Rename."""
    iam_user = changeable(request, pk, Permission.CHANGE_IAM_USER)
    form = RenameForm(request.POST or None, initial={"user_name": iam_user.user_name})
    if _is_decided(request, iam_user, form, iam_users_changes.rename_iam_user):
        return dialogs.done(request, page_of(iam_user))
    return _show(request, iam_user, form, title=f"Rename {iam_user}", button="Rename")


@require_http_methods(["GET", "POST"])
def change_path(request: PortalRequest, pk: int) -> HttpResponse:
    """Change path."""
    iam_user = changeable(request, pk, Permission.CHANGE_IAM_USER)
    form = PathForm(request.POST or None, by=request.user, iam_user=iam_user, initial={"path": iam_user.path})
    if _is_decided(request, iam_user, form, iam_users_changes.change_path):
        return dialogs.done(request, page_of(iam_user))
    asking = {"another": reverse("request_path", args=[pk]), "ask": "Request another path"}
    title, words = f"Change the path of {iam_user}", "Outside the path of your team?"
    return _show(request, iam_user, form, title=title, button="Change path", another_words=words, **asking)


@require_http_methods(["GET", "POST"])
def set_boundary(request: PortalRequest, pk: int) -> HttpResponse:
    """Set boundary."""
    iam_user, form = _boundary_form(request, pk)
    if _is_decided(request, iam_user, form, iam_users_changes.change_boundary):
        return dialogs.done(request, page_of(iam_user))
    return _show_boundary_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def boundary_difference(request: PortalRequest, pk: int) -> HttpResponse:
    """What the chosen boundary would change."""
    iam_user, form = _boundary_form(request, pk)
    return _part(request, iam_user, form) or _show_boundary_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def attach_policy(request: PortalRequest, pk: int) -> HttpResponse:
    """Attach policy."""
    iam_user, form = _policy_form(request, pk)
    if _is_decided(request, iam_user, form, iam_users_changes.attach_policy):
        return dialogs.done(request, page_of(iam_user))
    return _show_policy_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def policy_difference(request: PortalRequest, pk: int) -> HttpResponse:
    """What the chosen policy would change."""
    iam_user, form = _policy_form(request, pk)
    return _part(request, iam_user, form) or _show_policy_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def add_to_group(request: PortalRequest, pk: int) -> HttpResponse:
    """Add to group."""
    iam_user, form = _group_form(request, pk)
    if _is_decided(request, iam_user, form, group_grants.put_into_group):
        return dialogs.done(request, page_of(iam_user))
    return _show_group_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def group_difference(request: PortalRequest, pk: int) -> HttpResponse:
    """What the chosen group would change."""
    iam_user, form = _group_form(request, pk)
    return _part(request, iam_user, form) or _show_group_form(request, iam_user, form)


@require_http_methods(["GET", "POST"])
def detach_policy(request: PortalRequest, pk: int) -> HttpResponse:
    """Detach policy: which, the address says by its ARN."""
    iam_user = changeable(request, pk, Permission.CHANGE_POLICIES)
    policy_arn = request.GET.get("policy", "")
    if policy_arn not in iam_user.attached_policy_arns:
        raise Http404
    form, name = DecisionForm(request.POST or None), policy_arn.rsplit("/", 1)[-1]
    if _is_decided(request, iam_user, form, iam_users_changes.detach_policy, policy_arn=policy_arn):
        return dialogs.done(request, page_of(iam_user))
    change = change_of(iam_user, lambda holding: holding.detaching(policy_arn))
    title = f"Detach {name} from {iam_user}"
    return _show(request, iam_user, form, title=title, button="Detach policy", difference=change)


@require_http_methods(["GET", "POST"])
def remove_from_group(request: PortalRequest, pk: int, membership: int) -> HttpResponse:
    """Remove from group."""
    iam_user = changeable(request, pk, Permission.CHANGE_GROUPS)
    rows = GroupMembership.objects.filter(iam_user=iam_user).select_related("iam_group")
    group_name = get_object_or_404(rows, pk=membership).iam_group.group_name
    form = DecisionForm(request.POST or None)
    if _is_decided(request, iam_user, form, iam_users.remove_iam_user_from_group, group_name=group_name):
        return dialogs.done(request, page_of(iam_user))
    change = change_of(iam_user, lambda holding: holding.leaving(group_name))
    title = f"Remove {iam_user} from {group_name}"
    return _show(request, iam_user, form, title=title, button="Remove from group", difference=change)


def _boundary_form(request: PortalRequest, pk: int) -> tuple[IAMUser, BoundaryForm]:
    iam_user = changeable(request, pk, Permission.CHANGE_BOUNDARY)
    initial = {"permissions_boundary": iam_user.permissions_boundary_arn} | request.GET.dict()
    return iam_user, BoundaryForm(request.POST or None, by=request.user, iam_user=iam_user, initial=initial)


def _show_boundary_form(request: PortalRequest, iam_user: IAMUser, form: BoundaryForm) -> HttpResponse:
    title, address = f"Set the permissions boundary of {iam_user}", reverse("boundary_difference", args=[iam_user.pk])
    asking = {"another": reverse("request_boundary", args=[iam_user.pk]), "ask": "Request another boundary"}
    return _show_choice(request, iam_user, form, title=title, button="Set boundary", address=address, **asking)


def _policy_form(request: PortalRequest, pk: int) -> tuple[IAMUser, AttachPolicyForm]:
    iam_user = changeable(request, pk, Permission.CHANGE_POLICIES)
    initial = request.GET.dict()
    return iam_user, AttachPolicyForm(request.POST or None, by=request.user, iam_user=iam_user, initial=initial)


def _show_policy_form(request: PortalRequest, iam_user: IAMUser, form: AttachPolicyForm) -> HttpResponse:
    title, address = f"Attach a policy to {iam_user}", reverse("policy_difference", args=[iam_user.pk])
    another, words = reverse("request_policy", args=[iam_user.pk]), "Request another policy"
    return _show_choice(
        request, iam_user, form, title=title, button="Attach policy", address=address, another=another, ask=words
    )


def _group_form(request: PortalRequest, pk: int) -> tuple[IAMUser, AddToGroupForm]:
    iam_user = changeable(request, pk, Permission.CHANGE_GROUPS)
    initial = request.GET.dict()
    return iam_user, AddToGroupForm(request.POST or None, by=request.user, iam_user=iam_user, initial=initial)


def _show_group_form(request: PortalRequest, iam_user: IAMUser, form: AddToGroupForm) -> HttpResponse:
    title, address = f"Add {iam_user} to a group", reverse("group_difference", args=[iam_user.pk])
    another = reverse("request_group", args=[iam_user.pk])
    return _show_choice(
        request,
        iam_user,
        form,
        title=title,
        button="Add to group",
        address=address,
        another=another,
        ask="Request another group",
    )


def _is_decided(
    request: PortalRequest, iam_user: IAMUser, form: DecisionForm, use_case: Callable[..., object], **what: Any
) -> bool:
    """Whether the form was sent and the use-case did not refuse it; its words are at the form's fields then."""
    if request.method != "POST" or not form.is_valid():
        return False
    told = {**form.decision(), **what}
    return decided(form, use_case, by=request.user, iam_user=iam_user, at=timezone.now(), **told) is not None


def _show(request: PortalRequest, iam_user: IAMUser, form: DecisionForm, **context: Any) -> HttpResponse:
    fields = "accounts/_previewed_fields.html"
    # Whoever stands above envelopes has nothing to ask for.
    if access.reaches_beyond_envelopes(by=request.user, organization=iam_user.organization):
        context.pop("another", None)
    return dialogs.show(request, form=form, back=page_of(iam_user), fields=fields, **context)


def _show_choice(
    request: PortalRequest, iam_user: IAMUser, form: AccessForm, *, address: str, **context: Any
) -> HttpResponse:
    """The form with what its choice would change; `address` tells that of another."""
    post_to = address.removesuffix("difference/")
    return _show(
        request,
        iam_user,
        form,
        post_to=post_to,
        difference_address=address,
        difference=_difference(iam_user, form),
        **context,
    )


def _part(request: PortalRequest, iam_user: IAMUser, form: AccessForm) -> HttpResponse | None:
    """For htmx the difference alone."""
    if not request.htmx:
        return None
    return render(request, DIFFERENCE, {"difference": _difference(iam_user, form)})


def _difference(iam_user: IAMUser, form: AccessForm) -> Difference | None:
    """Of what the person may choose alone: what others' policies carry is not theirs to ask."""
    choice = form.chosen()
    return None if choice is None else change_of(iam_user, lambda holding: form.after(holding, choice))
