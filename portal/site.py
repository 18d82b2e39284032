"""The records room: Django's own admin, for members with a duty."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts import access


class RecordsRoom(AdminSite):
    """Every model, searchable, scoped to what the person may see. Signing in and out is allauth's."""

    site_header = "Records room"
    site_title = "Gatehouse"
    index_title = "Records"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may look at records at all; what they see there, each admin decides."""
        return access.may_enter_records_room(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Send people to the portal's own sign-in, and those who are signed in without a duty to their home."""
        if request.user.is_authenticated:
            return redirect("home")
        return redirect_to_login(request.GET.get("next", "/admin/"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        return redirect("account_logout")
