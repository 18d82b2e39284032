"""The names that people give: to themselves, to others, to teams."""

from __future__ import annotations

from django.core.exceptions import ValidationError


def checked_name(name: str, *, field: str, longest: int) -> str:
    """The name without spaces around it.

    :raises ValidationError: at the field, for none, one that is too long, or one with characters that cannot be seen:
        they would write a name backwards, or break a mail's head.
    """
    name = name.strip()
    if not name:
        raise ValidationError({field: "Say a name."})
    if len(name) > longest:
        raise ValidationError({field: f"A name has at most {longest} characters; this one has {len(name)}."})
    if not name.isprintable():
        raise ValidationError({field: "A name has letters, digits, spaces and signs that can be seen."})
    return name
