"""The records room: Django's own admin, for members with a duty."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver

from accounts import access


class RecordsRoom(AdminSite):
    """Every model, searchable, scoped to what the person may see. Signing in and out is allauth's."""

    site_header = "Records room"
    site_title = "Gatehouse"
    index_title = "Records"
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: type[ModelAdmin] | None = None,
        **options: Any,
    ) -> None:
        """Take in an admin that says which permission of ours it takes.

        The apps that come along (Django's, allauth's) bring admins of their own for every tenant's rows: they stay out.
        """
        if getattr(admin_class, "permission", None):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Django's, without the view that tells of any row of any model whether it exists."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may look at records at all; what they see there, each admin decides."""
        return access.may_enter_records_room(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the portal's own sign-in, and those who are signed in without a duty to their home."""
        if request.user.is_authenticated:
            return redirect("home")
        return redirect_to_login(request.GET.get("next", "/admin/"))

    # Django's own signing out and change of password would go past allauth's; their types promise a page.
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_logout")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")
