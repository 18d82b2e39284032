"""Dialogs: a form that htmx puts over the page, and that is a page of its own without it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from accounts.views.organization import PortalRequest


def show(request: PortalRequest, *, title: str, **context: Any) -> HttpResponse:
    """The form: as a part for htmx, else in the frame of a page.

    The context needs `form`, `button` (its words) and `back` (where Cancel leads); it may say `warning`, `post_to`
    (where else than here) and `fields`, a template with the form's fields.
    """
    template = "accounts/_dialog_form.html" if request.htmx else "accounts/dialog_page.html"
    return render(request, template, {"title": title, "post_to": request.get_full_path(), **context})


def done(request: PortalRequest, address: str) -> HttpResponse:
    """On to where the outcome is seen."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
