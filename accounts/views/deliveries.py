"""The deliveries: where every decision stands on its way to AWS, and what to do about one that is stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from accounts import access
from accounts.access import Permission
from accounts.forms import ReasonForm, decided
from accounts.kinds import in_words
from accounts.usecases import deliveries
from accounts.views import charts, dialogs, states
from accounts.views.filters import DeliveryFilter
from accounts.views.organization import PortalRequest, organization_of
from accounts.views.tables import PAGE, DeliveryTable
from portal.ledger.models import Delivery
from portal.ledger.models.delivery import DeliveryQuerySet


class DeliveryList(SingleTableMixin, FilterView):
    """All deliveries of the organization."""

    request: PortalRequest
    table_class = DeliveryTable
    filterset_class = DeliveryFilter
    table_pagination = PAGE

    def get_template_names(self) -> list[str]:
        return ["accounts/_table.html" if self.request.htmx else "accounts/deliveries.html"]

    def get_queryset(self) -> QuerySet[Delivery]:
        return _deliveries(self.request)

    def get_filterset_kwargs(self, filterset_class: type[DeliveryFilter]) -> dict[str, Any]:
        return super().get_filterset_kwargs(filterset_class) | {"request": self.request}

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"at": timezone.now()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        stuck = _deliveries(self.request).stuck().count()
        subtitle = f"{stuck} stuck: somebody must decide" if stuck else "Nothing is stuck"
        bars = charts.deliveries_per_hour(_deliveries(self.request), at=timezone.now())
        delivered = sum(bar.count for bar in bars)
        return super().get_context_data(**kwargs) | {"subtitle": subtitle, "bars": bars, "delivered": delivered}


@require_GET
def detail(request: PortalRequest, pk: int) -> HttpResponse:
    """One delivery: what happened, and what to do."""
    return render(request, "accounts/delivery.html", _context(request, pk))


@require_GET
def facts(request: PortalRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the delivery moves."""
    return render(request, "accounts/_delivery_facts.html", _context(request, pk))


@require_http_methods(["GET", "POST"])
def try_again(request: PortalRequest, pk: int) -> HttpResponse:
    """Try again."""
    return _decide(
        request,
        pk,
        deliveries.try_again,
        button="Try again",
        warning="The portal reads what AWS holds first, so nothing is done twice.",
    )


@require_http_methods(["GET", "POST"])
def give_up(request: PortalRequest, pk: int) -> HttpResponse:
    """Give up."""
    return _decide(
        request,
        pk,
        deliveries.give_up,
        button="Give up",
        warning="This decision will never reach AWS. What waits behind it goes on. It cannot be undone. An access key "
        "that AWS may have made unheard is looked for, and deleted where it is certainly that one.",
    )


def _decide(
    request: PortalRequest, pk: int, use_case: Callable[..., Delivery], *, button: str, warning: str
) -> HttpResponse:
    delivery = get_object_or_404(_deliveries(request), pk=pk)
    access.require(by=request.user, to=Permission.CHANGE_DELIVERIES, organization=delivery.organization)
    page, form = reverse("delivery", args=[pk]), ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        if decided(form, use_case, by=request.user, delivery=delivery, reason=reason, at=timezone.now()):
            return dialogs.done(request, page)
    title = f"{button}: {in_words(delivery.entry.kind)}"
    return dialogs.show(request, title=title, form=form, button=button, warning=warning, back=page)


def _deliveries(request: PortalRequest) -> DeliveryQuerySet:
    organization = organization_of(request)
    access.require(by=request.user, to=Permission.VIEW_DELIVERIES, organization=organization)
    return Delivery.objects.of(organization).select_related("entry", "organization")


def _context(request: PortalRequest, pk: int) -> dict[str, Any]:
    delivery = get_object_or_404(_deliveries(request), pk=pk)
    organization = delivery.organization
    may_change = access.may(by=request.user, to=Permission.CHANGE_DELIVERIES, organization=organization)
    return {
        "delivery": delivery,
        "entry": delivery.entry,
        "words": in_words(delivery.entry.kind),
        "shown": states.of_delivery(delivery, at=timezone.now()),
        "advice": states.advice(delivery, may_change=may_change),
        "is_idle": delivery.is_open and delivery.state != Delivery.State.CALLING,
        "may_change": may_change,
        "may_view_ledger": access.may(by=request.user, to=Permission.VIEW_LEDGER, organization=organization),
    }
