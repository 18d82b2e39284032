"""The portal's addresses, and Django's own list of IAM users as its admin makes it, unchanged."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from accounts.models import IAMUser


class DefaultAdmin(admin.ModelAdmin):
    """As the tutorial has it: columns, filters and a search."""

    list_display = ("user_name", "account", "team", "owner", "kind")
    list_filter = ("kind", "account")
    search_fields = ("user_name",)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True

    # Django would ask the person's Django permissions, of which people here have none.
    has_module_permission = has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


class DefaultSite(admin.AdminSite):
    """Open to whoever is signed in: what is measured is its list."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class CountQueries:
    """Says in a header of each answer how many queries it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        count = 0

        def counted(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*args)

        with connection.execute_wrapper(counted):
            answer = self._get_response(request)
        answer.headers["X-Queries"] = str(count)
        return answer


default = DefaultSite(name="default")
default.register(IAMUser, DefaultAdmin)
urlpatterns = [path("default/", default.urls), path("", include("portal.urls"))]
