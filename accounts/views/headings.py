"""Heads of columns by which a list is sorted on the server, and what its address says besides."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from accounts.views.organization import PortalRequest

# What the address says of how to show the rows, and not of which.
OF_THE_SHOW = ("page", "sort", "select")


@dataclass(frozen=True)
class Heading:
    """A column's head: where pressing it leads, and which way it is sorted now."""

    words: str
    place: str
    address: str = ""
    sorted: str = ""


def heading(
    request: PortalRequest, words: str, name: str, place: str, *, is_here: bool, is_descending: bool
) -> Heading:
    """The head of a column that sorts; pressed where the list is sorted by it, it turns the list round."""
    is_down = is_here and is_descending
    query = request.GET.copy()
    query["sort"] = f"-{name}" if is_here and not is_down else name
    query.pop("page", None)
    query.pop("select", None)
    way = ("descending" if is_down else "ascending") if is_here else ""
    return Heading(words, place, f"?{query.urlencode()}", way)


def narrowing_of(request: PortalRequest) -> str:
    """The part of the address that says which rows: what a change of all that fit, or a file of them, is given."""
    query: QueryDict = request.GET.copy()
    for name in OF_THE_SHOW:
        query.pop(name, None)
    return query.urlencode()
