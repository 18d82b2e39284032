"""Groups that an IAM user is in until a time: in its list, and the dialogs that extend one or give it back."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import GroupGrant, IAMUser
from accounts.models.iam_user_record import is_in_for_good
from accounts.usecases import group_grants
from accounts.views import dialogs
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.request_forms import ExtendForm


def granted_groups(iam_user: IAMUser) -> dict[str, list[GroupGrant]]:
    """By the names of groups in lower case: the grants that keep it there, the last to end at the end.

    A group that it is in for good besides is left out: no time ends that.
    """
    found: dict[str, list[GroupGrant]] = {}
    for grant in GroupGrant.objects.filter(iam_user=iam_user).running().order_by("until", "pk"):
        found.setdefault(grant.group_name.lower(), []).append(grant)
    return {name: grants for name, grants in found.items() if not is_in_for_good(iam_user, name)}


@require_http_methods(["GET", "POST"])
def extend(request: PortalRequest, pk: int, grant: int) -> HttpResponse:
    """Extend."""
    row = _find(request, pk, grant)
    access.require_on_iam_user(by=request.user, to=Permission.CHANGE_GROUPS, iam_user=row.iam_user)
    form = ExtendForm(request.POST or None, initial={"until": row.until})
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        if decided(form, group_grants.extend_grant, by=request.user, grant=row, at=timezone.now(), **what):
            return dialogs.done(request, _page_of(row))
    title = f"Extend {row}"
    return dialogs.show(request, title=title, form=form, button="Extend", back=_page_of(row))


@require_http_methods(["GET", "POST"])
def give_back(request: PortalRequest, pk: int, grant: int) -> HttpResponse:
    """Give back."""
    row = _find(request, pk, grant)
    access.require_on_own_or(by=request.user, to=Permission.CHANGE_GROUPS, iam_user=row.iam_user)
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        what = form.cleaned_data
        if decided(form, group_grants.give_back_grant, by=request.user, grant=row, at=timezone.now(), **what):
            return dialogs.done(request, _page_of(row))
    warning = f"{row.iam_user} loses what the group allows as soon as AWS has done it, unless another grant needs it."
    title = f"Give back {row.group_name}"
    return dialogs.show(request, title=title, form=form, button="Give back", back=_page_of(row), warning=warning)


def _find(request: PortalRequest, pk: int, grant: int) -> GroupGrant:
    rows = GroupGrant.objects.visible_to(request.user).filter(organization=organization_of(request), iam_user=pk)
    return get_object_or_404(rows.select_related("iam_user__account", "iam_user__team", "organization"), pk=grant)


def _page_of(grant: GroupGrant) -> str:
    return reverse("iam_user", args=[grant.iam_user_id])
