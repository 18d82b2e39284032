"""The form in which the codes of an MFA device are typed; it never shows what was typed before."""

from __future__ import annotations

from typing import Any

from django import forms


class EmptyAgain(forms.TextInput):
    """An input that comes back empty where the form has an error."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class CodeField(forms.CharField):
    """One code of six digits; phones show digits to type."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": 6, "spellcheck": "false"}
        super().__init__(max_length=6, widget=EmptyAgain(attrs=attrs), **kwargs)


class TwoCodesForm(forms.Form):
    """Two codes that the device shows one after the other."""

    first_code = CodeField(label="First code", help_text="The six digits that your device shows now.")
    second_code = CodeField(label="Second code", help_text="Those that it shows next, up to 30 seconds later.")
