"""What people fill in where a secret is asked for, or handed over."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts.forms import OptionalReasonForm, TheirsField
from accounts.models import Organization, Person


class OwnKeyForm(OptionalReasonForm):
    """Why, and the public key of the browser in which one asks for a key of one's own; a script fills it in."""

    browser_key = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)


class HandOverForm(OptionalReasonForm):
    """To whom, and why."""

    recipient = TheirsField(label="Person", queryset=Person.objects.none(), empty_label="Choose somebody")
    field_order = ("recipient", "reason")

    def __init__(self, *args: Any, by: Person, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Person.objects.members_of(organization).exclude(pk=by.pk)
        cast("forms.ModelChoiceField", self.fields["recipient"]).queryset = people.order_by("name", "pk")
