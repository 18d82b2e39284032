"""Changing many IAM users at once: those ticked on a page, or all that a filter leaves; and how far that has come."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import decided
from accounts.models import BulkChange, IAMUser
from accounts.models.credentials import UNUSED_AFTER
from accounts.usecases import bulk
from accounts.views import bulk_progress, dialogs
from accounts.views.assignment import LONGEST_ID
from accounts.views.bulk_forms import FORMS
from accounts.views.iam_user_filter import narrowed
from accounts.views.organization import PortalRequest, organization_of

KINDS = {kind.value.replace("_", "-"): kind for kind in FORMS}
# As many as a dialog names before it only counts.
LISTED = 8
KEY_WARNINGS = {
    BulkChange.Kind.ASK_TO_ROTATE: "Each owner gets one mail that names their keys. Nothing changes in AWS.",
    BulkChange.Kind.ROTATE_KEY: "A second key is made for each, whose secret is sealed for the owner. You will not see "
    "it. The old key goes on working until its owner has the new one in use.",
    BulkChange.Kind.MAKE_KEY_INACTIVE: f"Only keys that were not used for {UNUSED_AFTER.days} days; AWS is asked once "
    "more before each. Nothing works with them from then on. The page that follows can make them active again.",
}
WARNINGS = {
    BulkChange.Kind.REMOVE_FROM_GROUP: "Each loses what the group allows as soon as AWS has done it.",
    **KEY_WARNINGS,
    BulkChange.Kind.SET_TAG: "Where an IAM user has a tag of this key, it gets this value. Its other tags stay.",
}
DESTRUCTIVE = {BulkChange.Kind.DELETE, BulkChange.Kind.MAKE_KEY_INACTIVE}
CHANGED_SINCE = (
    "The list has changed since you selected all of it: {now} fit now, and {then} did. Go back and look again."
)


@require_http_methods(["GET", "POST"])
def start(request: PortalRequest, kind: str) -> HttpResponse:
    """The change, for those that the request names; whoever may not is told so before they are to sign in anew."""
    if kind not in KINDS:
        raise Http404
    access.require_anywhere(by=request.user, to=bulk.PERMISSIONS[KINDS[kind]], organization=organization_of(request))
    if KINDS[kind] == BulkChange.Kind.DELETE:
        return _start_deleting(request, kind)
    return _start(request, kind)


@reauthentication_required
def _start_deleting(request: PortalRequest, kind: str) -> HttpResponse:
    return _start(request, kind)


def _start(request: PortalRequest, slug: str) -> HttpResponse:
    kind, organization = KINDS[slug], organization_of(request)
    asked = request.POST if request.method == "POST" else request.GET
    ids, refusal = _chosen(request, asked)
    named = _named(ids)
    form = FORMS[kind](request.POST or None, by=request.user, organization=organization, iam_users=named)
    if refusal and request.method == "POST":
        form.add_error(None, refusal)
    if request.method == "POST" and form.is_valid():
        what = {"kind": kind, "change": form.change(), "reason": form.cleaned_data["reason"], "iam_users": ids}
        begun = decided(
            form, bulk.start_bulk_change, by=request.user, organization=organization, at=timezone.now(), **what
        )
        if begun is not None:
            return dialogs.done(request, reverse("bulk_change", args=[begun.pk]))
    return _ask(request, slug, form, ids, named, refusal=refusal)


def _ask(
    request: PortalRequest, slug: str, form: Any, ids: list[int], named: list[IAMUser], *, refusal: str
) -> HttpResponse:
    kind, asked = KINDS[slug], request.POST or request.GET
    count = f"{len(ids):,} IAM user{'' if len(ids) == 1 else 's'}"
    is_possible = bool(ids) and not refusal
    context = {
        "title": f"{kind.label} {count}" if kind == BulkChange.Kind.DELETE else f"{kind.label}: {count}",
        "form": form,
        "button": f"{kind.label} {count}" if is_possible else "",
        "button_kind": "danger" if kind in DESTRUCTIVE else "primary",
        "back": reverse("team"),
        "post_to": reverse("start_bulk_change", args=[slug]),
        "fields": "accounts/_bulk_fields.html",
        "warning": WARNINGS.get(kind, ""),
        "named": named,
        "more": len(ids) - len(named),
        "refusal": refusal,
        "ids": [] if "fits" in asked else ids,
        "fits": asked.get("fits", ""),
        "narrowing": asked.get("narrowing", ""),
    }
    if kind == BulkChange.Kind.DELETE:
        return render(request, "accounts/delete_iam_users.html", context)
    return dialogs.show(request, **context)


def _chosen(request: PortalRequest, asked: QueryDict) -> tuple[list[int], str]:
    """The ids of those that the request names, and why it cannot be they.

    :raises access.NotThere: when the person does not see one of them here.
    """
    seen = IAMUser.objects.seen_in(organization_of(request), by=request.user)
    if "fits" in asked:
        return _all_that_fit(request, asked)
    texts = set(asked.getlist("iam_user"))
    if not all(text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID for text in texts):
        raise access.NotThere
    ids = list(seen.filter(pk__in=texts).order_by("user_name", "pk").values_list("pk", flat=True))
    if len(ids) != len(texts):
        raise access.NotThere
    return ids, ""


def _all_that_fit(request: PortalRequest, asked: QueryDict) -> tuple[list[int], str]:
    """All that the list's filters leave: as many as the person was shown, or it is not what they have decided about."""
    filters = narrowed(request, QueryDict(asked.get("narrowing", "")))
    if not filters.is_valid():
        return [], "The list cannot be narrowed so. Go back, change the filters and select again."
    ids = list(filters.qs.order_by("pk").values_list("pk", flat=True)[: bulk.ROWS_AT_MOST + 1])
    if len(ids) > bulk.ROWS_AT_MOST:
        return ids, f"More than {bulk.ROWS_AT_MOST:,} fit. Go back and narrow the list: that many are changed at once."
    if str(len(ids)) != asked["fits"]:
        return ids, CHANGED_SINCE.format(now=len(ids), then=asked["fits"])
    return ids, ""


def _named(ids: list[int]) -> list[IAMUser]:
    rows = IAMUser.objects.filter(pk__in=ids[:LISTED]).select_related("account", "team", "owner")
    return sorted(rows, key=lambda row: (row.user_name, row.pk))


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """How far one has come, and what came of each row; a plan is shown as one."""
    bulk_change = find(request, pk)
    may_undo = bulk_change.kind == BulkChange.Kind.MAKE_KEY_INACTIVE and access.may_anywhere(
        by=request.user, to=Permission.CHANGE_ACCESS_KEYS, organization=bulk_change.organization
    )
    context = bulk_progress.context(request, bulk_change) | {"may_undo": may_undo}
    return render(request, "accounts/bulk_change.html", context)


@require_GET
def progress(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while rows are decided and carried to AWS."""
    return render(request, "accounts/_bulk_progress.html", bulk_progress.context(request, find(request, pk)))


def find(request: PortalRequest, pk: int) -> BulkChange:
    """The bulk change, if the person sees it in the organization they are looking at; else 404."""
    rows = BulkChange.objects.visible_to(request.user).filter(organization=organization_of(request))
    return get_object_or_404(rows.select_related("by", "organization"), pk=pk)
