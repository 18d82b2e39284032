"""What is not there is told alike everywhere: under DEBUG too, where Django would list its addresses instead."""

from collections.abc import Callable
from http import HTTPStatus

from csp.constants import HEADER
from csp.utils import build_policy
from django.http import Http404, HttpRequest, HttpResponse
from django.views.defaults import page_not_found


class MissingMiddleware:
    """Answers a view's 404, and an address that leads to no view, with the portal's own page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code == HTTPStatus.NOT_FOUND and request.resolver_match is None:
            return _told(request, Http404())
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook; every other exception goes its own way."""
        return _told(request, exception) if isinstance(exception, Http404) else None


def _told(request: HttpRequest, missing: Http404) -> HttpResponse:
    answer = page_not_found(request, missing)
    # Under DEBUG csp's middleware leaves out every 404, for the sake of the page of Django's that this replaces.
    answer[HEADER] = build_policy()
    return answer
