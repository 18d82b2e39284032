"""A fresh sign-in before what destroys or reveals, also where htmx asks for a dialog."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpResponse
from django_htmx.http import HttpResponseClientRedirect

from accounts.views.organization import PortalRequest

Rest = ParamSpec("Rest")
View = Callable[Concatenate[PortalRequest, Rest], HttpResponse]


def freshly_signed_in(view: View[Rest]) -> View[Rest]:
    """The view, for whoever signed in a moment ago; others sign in again first, on a page of its own."""
    guarded = reauthentication_required(view)

    @wraps(view)
    def asked(request: PortalRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        try:
            answer: HttpResponse = guarded(request, *args, **kwargs)
        except ReauthenticationRequired:
            if not request.htmx:
                raise
            # The sign-in would land inside the dialog: the browser goes to the whole page, which asks for it.
            return HttpResponseClientRedirect(request.get_full_path())
        return answer

    return asked
