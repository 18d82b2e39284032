"""What people fill in about people, duties and teams."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts import access
from accounts.access import Permission
from accounts.forms import OptionalReasonForm, TheirsField
from accounts.models import Duty, Organization, Person, Team

EMAIL_LENGTH = 254


class AcceptForm(forms.Form):
    """Accepting, for who has a sign-in: nothing to fill in."""


class JoinForm(forms.Form):
    """Accepting, for who is new."""

    name = forms.CharField(label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        help_text="At least 12 characters; a few words are easy to keep.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class InviteForm(OptionalReasonForm):
    """Somebody's e-mail, and what they are to be; offers only what this person may give."""

    email = forms.CharField(
        label="E-mail",
        max_length=EMAIL_LENGTH,
        help_text="The link in the mail serves once, and proves that the e-mail is theirs.",
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}),
    )
    name = forms.CharField(label="Name", max_length=150, required=False, help_text="They can say another.")
    duty = forms.ChoiceField(label="Duty", initial=Duty.MEMBER)
    team = TheirsField(label="Team", queryset=Team.objects.none(), required=False, empty_label="No team")
    field_order = ["email", "name", "duty", "team", "reason"]

    def __init__(self, *args: Any, by: Person, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        duties = access.duties_open_to(by=by, organization=organization)
        cast("forms.ChoiceField", self.fields["duty"]).choices = [(duty.value, duty.label) for duty in duties]
        teams = access.teams_for(by=by, to=Permission.INVITE_PERSON, organization=organization)
        field = cast("forms.ModelChoiceField", self.fields["team"])
        field.queryset = teams.order_by("name", "pk")
        if not access.may(by=by, to=Permission.INVITE_PERSON, organization=organization):
            field.required, field.empty_label = True, None


class DutyForm(OptionalReasonForm):
    """One more duty of somebody who is here."""

    duty = forms.ChoiceField(label="Duty", choices=Duty.choices, initial=Duty.MEMBER)
    team = TheirsField(
        label="Team",
        queryset=Team.objects.none(),
        required=False,
        empty_label="No team",
        help_text="For leads and members; the other duties are for the whole organization.",
    )
    field_order = ["duty", "team", "reason"]

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(organization=organization).order_by("name", "pk")
        cast("forms.ModelChoiceField", self.fields["team"]).queryset = teams


class TeamForm(OptionalReasonForm):
    """What a team is called."""

    name = forms.CharField(label="Name", max_length=120)
    field_order = ["name", "reason"]
