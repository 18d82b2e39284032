"""Which organization a person is looking at, and the frame that every page stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.middleware import HtmxDetails

from accounts import access
from accounts.models import Organization, Person

SESSION_KEY = "organization"


class PortalRequest(HttpRequest):
    """A request of a person, in the organization that they are looking at; None where they belong to none.

    Only pages that ask for a sign-in may call it so: elsewhere `user` may be anonymous.
    """

    user: Person
    htmx: HtmxDetails
    organization: Organization | None
    organizations: list[Organization]
    frame: dict[str, Any]


# Nothing that only shows ends a duty between two questions of its own. What changes something asks the database.
ONLY_SHOWING = ("GET", "HEAD")


class CurrentOrganizationMiddleware:
    """Puts the organization on the request: the one chosen before, as long as the person belongs to it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PortalRequest) -> HttpResponse:
        request.organizations = _own(request) if request.user.is_authenticated else []
        request.organization = _current(request)
        return self.get_response(request)


def organization_of(request: PortalRequest) -> Organization:
    """The organization that the person is looking at.

    :raises access.NotThere: when they belong to none.
    """
    if request.organization is None:
        raise access.NotThere
    return request.organization


def _own(request: PortalRequest) -> list[Organization]:
    """Those that the person belongs to, by name."""
    if request.method not in ONLY_SHOWING:
        return list(Organization.objects.of(request.user).order_by("name", "pk"))
    request.user.read_active_duties()
    return list(dict.fromkeys(membership.organization for membership in request.user.active_duties()))


def _current(request: PortalRequest) -> Organization | None:
    if not request.organizations:
        return None
    chosen = request.session.get(SESSION_KEY, 0)
    return next((own for own in request.organizations if own.pk == chosen), request.organizations[0])


@require_POST
def switch(request: PortalRequest, slug: str) -> HttpResponseRedirect:
    """Look at another of one's own organizations."""
    organization = get_object_or_404(Organization.objects.of(request.user), slug=slug)
    request.session[SESSION_KEY] = organization.pk
    return redirect("home")


# What the side bar offers: address, words, icon, and the permission that it takes.
NAVIGATION = (
    ("home", "Home", "home", None),
    ("my_access", "My access", "key", None),
    ("team", "Team", "users", access.Permission.VIEW_IAM_USERS),
    ("people", "People", "user", access.Permission.VIEW_PEOPLE),
    ("teams", "Teams", "list", access.Permission.VIEW_PEOPLE),
    ("offboardings", "Offboarding", "sign-out", access.Permission.VIEW_ORGANIZATION),
    ("accounts", "Accounts", "cloud", access.Permission.VIEW_ACCOUNTS),
    ("requests", "Requests", "inbox", access.Permission.VIEW_REQUESTS),
    ("deliveries", "Deliveries", "send", access.Permission.VIEW_DELIVERIES),
    ("ledger", "Ledger", "book", access.Permission.VIEW_LEDGER),
)


def shell(request: PortalRequest) -> dict[str, Any]:
    """What the frame of a page needs: the person's organizations and where they can go."""
    organization = getattr(request, "organization", None)
    if organization is None:
        return {"organizations": [], "navigation": []}
    # Each part that a page renders with the request asks again.
    if not hasattr(request, "frame"):
        request.frame = _frame(request, organization)
    return request.frame


def _frame(request: PortalRequest, organization: Organization) -> dict[str, Any]:
    return {
        "organizations": request.organizations,
        "navigation": list(_navigation(request, organization)),
        "may_enter_records_room": access.may_enter_records_room(request.user),
    }


def _navigation(request: PortalRequest, organization: Organization) -> Iterator[dict[str, Any]]:
    allowed = access.permissions_in(by=request.user, organization=organization)
    for name, words, icon, permission in NAVIGATION:
        if permission is None or permission in allowed:
            address = reverse(name)
            is_here = request.path == address or (address != "/" and request.path.startswith(address))
            yield {"address": address, "words": words, "icon": icon, "is_here": is_here}
