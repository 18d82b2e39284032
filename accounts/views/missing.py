"""What is not there is told alike everywhere: under DEBUG too, where Django would list its addresses instead."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.defaults import page_not_found


class MissingMiddleware:
    """Answers a view's 404 with the portal's own page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook; every other exception goes its own way."""
        return page_not_found(request, exception) if isinstance(exception, Http404) else None
