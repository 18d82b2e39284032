"""The components that a plain include would make clumsy: those with a body, with a time or with an identifier.

Each tag renders the part of its name in `templates/components/`, whose README says what it is for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

register = template.Library()

JUST_NOW = timedelta(minutes=1)


@register.simple_block_tag
def page_header(content: SafeString, title: str, **parameters: Any) -> SafeString:
    """The head of a page; the body holds its buttons."""
    return _part("page_header", title=title, content=content, **parameters)


@register.simple_block_tag
def card(content: SafeString, title: str = "", **parameters: Any) -> SafeString:
    """One thing on a page, with its heading."""
    return _part("card", title=title, content=content, **parameters)


@register.simple_block_tag
def dialog(content: SafeString, title: str, **parameters: Any) -> SafeString:
    """What htmx loads into the page's dialog."""
    return _part("dialog", title=title, content=content, **parameters)


@register.simple_block_tag
def empty(content: SafeString, title: str, icon: str = "inbox") -> SafeString:
    """What would stand here, and in the body how to begin. Not inside a `for`, whose own `empty` this would be."""
    return _part("empty", title=title, content=content, icon=icon)


@register.simple_block_tag
def menu(content: SafeString, words: str, **parameters: Any) -> SafeString:
    """A button that opens a list; the body holds its links and buttons, `id` is unique on the page."""
    return _part("menu", words=words, content=content, **parameters)


@register.simple_block_tag
def chart(content: SafeString, title: str, **parameters: Any) -> SafeString:
    """A server-made SVG with its title; `table` is the same in figures."""
    return _part("chart", title=title, content=content, **parameters)


@register.inclusion_tag("components/_identifier.html")
def identifier(value: str, words: str = "") -> dict[str, str]:
    """An ARN, key id or account, shortened in the middle where room is short; `words` names it on the copy button."""
    return {"value": value, "words": words}


@register.inclusion_tag("components/_time.html")
def ago(when: datetime | None, never: str = "Never") -> dict[str, Any]:
    """How long ago, with the exact time on hover; `never` where there is none."""
    return {"when": when, "never": never}


@register.inclusion_tag("components/_fact.html")
def fact(value: object, source: str = "", at: datetime | None = None) -> dict[str, Any]:
    """What AWS holds, with where that is known from and since when."""
    return {"value": value, "source": source, "when": at}


@register.filter
def since(when: datetime) -> str:
    """How long ago it was, as people say it."""
    return in_words(when, at=timezone.now())


@register.filter
def clock(when: datetime) -> str:
    """The time of the day, with the day where that is another than today."""
    local = timezone.localtime(when)
    return formats.date_format(local, "H:i" if local.date() == timezone.localdate() else "j M, H:i")


def in_words(when: datetime, *, at: datetime) -> str:
    """How long before or after `at` it was: the largest unit alone, since a list is read at a glance."""
    if abs(at - when) < JUST_NOW:
        return "just now"
    if when > at:
        return f"in {timeuntil(when, at, depth=1)}".replace("\xa0", " ")
    return f"{timesince(when, at, depth=1)} ago".replace("\xa0", " ")


def _part(name: str, **parameters: Any) -> SafeString:
    return render_to_string(f"components/_{name}.html", parameters)
