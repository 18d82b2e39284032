"""Changing many access keys from the key board, and making active again what such a change made inactive."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, decided
from accounts.models import AccessKey
from accounts.usecases import bulk, bulk_keys
from accounts.views import dialogs
from accounts.views.assignment import LONGEST_ID
from accounts.views.bulk import CHANGED_SINCE, DESTRUCTIVE, KEY_WARNINGS, LISTED, find
from accounts.views.key_board_filter import narrowed
from accounts.views.organization import PortalRequest, organization_of

KINDS = {kind.value.replace("_", "-"): kind for kind in bulk_keys.OF_KEYS}


@require_http_methods(["GET", "POST"])
def start(request: PortalRequest, kind: str) -> HttpResponse:
    """The change, for the keys that the request names."""
    if kind not in KINDS:
        raise Http404
    what, organization = KINDS[kind], organization_of(request)
    access.require_anywhere(by=request.user, to=bulk.PERMISSIONS[what], organization=organization)
    asked = request.POST if request.method == "POST" else request.GET
    ids, refusal = _chosen(request, asked)
    form = OptionalReasonForm(request.POST or None)
    if refusal and request.method == "POST":
        form.add_error(None, refusal)
    if request.method == "POST" and form.is_valid():
        begun = decided(
            form, bulk_keys.start_key_change, by=request.user, organization=organization, kind=what, keys=ids,
            at=timezone.now(), **form.cleaned_data,
        )  # fmt: skip
        if begun is not None:
            return dialogs.done(request, reverse("bulk_change", args=[begun.pk]))
    return _ask(request, kind, form, ids, refusal=refusal)


def _ask(request: PortalRequest, slug: str, form: Any, ids: list[int], *, refusal: str) -> HttpResponse:
    kind, asked = KINDS[slug], request.POST or request.GET
    count = f"{len(ids):,} access key{'' if len(ids) == 1 else 's'}"
    is_possible = bool(ids) and not refusal
    named = list(AccessKey.objects.filter(pk__in=ids[:LISTED]).select_related("iam_user").order_by("create_date", "pk"))
    return dialogs.show(
        request,
        title=f"{kind.label}: {count}",
        form=form,
        button=f"{kind.label}: {count}" if is_possible else "",
        button_kind="danger" if kind in DESTRUCTIVE else "primary",
        back=reverse("key_board"),
        post_to=reverse("start_key_change", args=[slug]),
        fields="accounts/_bulk_key_fields.html",
        warning=KEY_WARNINGS[kind] if is_possible else "",
        named=named,
        more=len(ids) - len(named),
        refusal=refusal,
        ids=[] if "fits" in asked else ids,
        fits=asked.get("fits", ""),
        narrowing=asked.get("narrowing", ""),
    )


def _chosen(request: PortalRequest, asked: QueryDict) -> tuple[list[int], str]:
    """The ids of the keys that the request names, and why it cannot be they.

    :raises access.NotThere: when the person does not see one of them here.
    """
    if "fits" in asked:
        return _all_that_fit(request, asked)
    texts = set(asked.getlist("access_key"))
    if not all(text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID for text in texts):
        raise access.NotThere
    seen = AccessKey.objects.present().seen_in(organization_of(request), by=request.user)
    ids = list(seen.filter(pk__in=texts).order_by("create_date", "pk").values_list("pk", flat=True))
    if len(ids) != len(texts):
        raise access.NotThere
    return ids, ""


def _all_that_fit(request: PortalRequest, asked: QueryDict) -> tuple[list[int], str]:
    """All that the board's filters leave: as many as the person was shown, or it is not what they decide about."""
    filters = narrowed(request, QueryDict(asked.get("narrowing", "")))
    if not filters.is_valid():
        return [], "The list cannot be narrowed so. Go back, change the filters and select again."
    ids = list(filters.qs.order_by("create_date", "pk").values_list("pk", flat=True)[: bulk.ROWS_AT_MOST + 1])
    if len(ids) > bulk.ROWS_AT_MOST:
        return ids, f"More than {bulk.ROWS_AT_MOST:,} fit. Go back and narrow the list: that many are changed at once."
    if str(len(ids)) != asked["fits"]:
        return ids, CHANGED_SINCE.format(now=len(ids), then=asked["fits"])
    return ids, ""


@require_http_methods(["GET", "POST"])
def undo(request: PortalRequest, pk: int) -> HttpResponse:
    """Make active again."""
    bulk_change, back = find(request, pk), reverse("bulk_change", args=[pk])
    access.require_anywhere(by=request.user, to=Permission.CHANGE_ACCESS_KEYS, organization=bulk_change.organization)
    form = OptionalReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        begun = decided(
            form, bulk_keys.undo_key_change, by=request.user, bulk_change=bulk_change, at=timezone.now(),
            **form.cleaned_data,
        )  # fmt: skip
        if begun is not None:
            return dialogs.done(request, reverse("bulk_change", args=[begun.pk]))
    return dialogs.show(
        request, title="Make the keys of this change active again", form=form, button="Make active", back=back,
        warning="What was made inactive by this change works again. A key that somebody else has made inactive since "
        "is left as it is.",
    )  # fmt: skip
