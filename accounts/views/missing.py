"""What is not there is told alike everywhere: under DEBUG too, where Django would list its addresses instead."""

from collections.abc import Callable

from csp.constants import HEADER
from csp.utils import build_policy
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
        if not isinstance(exception, Http404):
            return None
        answer = page_not_found(request, exception)
        # Under DEBUG csp's middleware leaves out every 404, for the sake of the page of Django's that this replaces.
        answer[HEADER] = build_policy()
        return answer
