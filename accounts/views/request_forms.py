"""What people fill in to ask for something, to decide about it, and to let a grant end later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms

from accounts.forms import TheirsField
from accounts.iam_user_forms import CHOOSE, UntilField, joinable, named
from accounts.models import IAMGroup, IAMPolicy, IAMUser, Team
from accounts.models.iam_user_record import as_decided
from accounts.views.envelope_form import WarningsField
from accounts.views.people_forms import DutyForm

# No ARN: that there shall be no boundary is a choice of its own.
NOTHING = "none"


class QuestionForm(forms.Form):
    """Why: whoever decides wants to know."""

    reason = forms.CharField(
        label="Reason",
        max_length=2000,
        help_text="Whoever decides reads it, and the ledger keeps it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def change(self) -> dict[str, Any]:
        """What is asked for, as the kind of request takes it."""
        raise NotImplementedError


class RequestGroupForm(QuestionForm):
    """A group that this person may not hand out to the IAM user, and why it should be in it."""

    groups = forms.ChoiceField(label="Group")
    until = UntilField(required=False, help_text="In UTC. Empty: for good.")
    field_order = ("groups", "until", "reason")

    def __init__(self, *args: Any, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What lies in the envelope too: where it carries more than a lead may give, it is asked for as well.
        names = joinable(IAMGroup.objects.present().filter(account=iam_user.account), iam_user)
        choices = [(CHOOSE, "Choose a group"), *((name, name) for name in names)]
        cast("forms.ChoiceField", self.fields["groups"]).choices = choices

    def change(self) -> dict[str, Any]:
        return {"group": self.cleaned_data["groups"], "until": self.cleaned_data["until"]}


class RequestPolicyForm(QuestionForm):
    """A managed policy that this person may not hand out to the IAM user, and why it should have it."""

    policies = forms.ChoiceField(label="Policy")
    field_order = ("policies", "reason")

    def __init__(self, *args: Any, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attached = as_decided(iam_user).attached_policy_arns
        policies = IAMPolicy.objects.present().filter(account=iam_user.account).exclude(arn__in=attached)
        choices = [(CHOOSE, "Choose a policy"), *named(policies)]
        cast("forms.ChoiceField", self.fields["policies"]).choices = choices

    def change(self) -> dict[str, Any]:
        return {"policy": self.cleaned_data["policies"]}


class RequestBoundaryForm(QuestionForm):
    """A permissions boundary that this person may not set, or none at all."""

    permissions_boundary = forms.ChoiceField(label="Permissions boundary")
    field_order = ("permissions_boundary", "reason")

    def __init__(self, *args: Any, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = as_decided(iam_user).permissions_boundary_arn
        policies = IAMPolicy.objects.present().filter(account=iam_user.account).exclude(arn=held)
        nothing = [(NOTHING, "None: take it away")] if held else []
        choices = [(CHOOSE, "Choose a policy"), *named(policies), *nothing]
        cast("forms.ChoiceField", self.fields["permissions_boundary"]).choices = choices

    def change(self) -> dict[str, Any]:
        chosen = self.cleaned_data["permissions_boundary"]
        return {"permissions_boundary": "" if chosen == NOTHING else chosen}


class RequestPathForm(QuestionForm):
    """A path that is not the team's."""

    path = forms.CharField(
        label="Path",
        max_length=512,
        help_text="Begins and ends with a slash. Its ARN changes with it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("path", "reason")

    def change(self) -> dict[str, Any]:
        return {"path": self.cleaned_data["path"]}


class RequestTeamForm(QuestionForm):
    """Another team of the organization: by name alone, whether the person sees more of it or not."""

    team = TheirsField(label="Team", queryset=Team.objects.none(), empty_label="Choose a team")
    field_order = ("team", "reason")

    def __init__(self, *args: Any, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(organization=iam_user.organization_id).exclude(pk=iam_user.team_id or 0)
        cast("forms.ModelChoiceField", self.fields["team"]).queryset = teams.order_by("name", "pk")

    def change(self) -> dict[str, Any]:
        return {"team": self.cleaned_data["team"]}


class RequestDutyForm(QuestionForm, DutyForm):
    """One more duty of somebody, and why they should have it."""

    field_order = ["duty", "team", "reason"]

    def change(self) -> dict[str, Any]:
        return {"duty": self.cleaned_data["duty"], "team": self.cleaned_data["team"]}


class ExtendForm(forms.Form):
    """Until when instead."""

    until = UntilField(help_text="In UTC.")
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")


class ApproveForm(forms.Form):
    """What an approver has read and wants all the same, and what they want to say besides."""

    acknowledged = WarningsField(
        label="I want it all the same",
        error_messages={"required": "Read what these carry, and tick what you want all the same."},
    )
    words = forms.CharField(label="Remark", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(self, *args: Any, warnings: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if warnings:
            # What is not ticked the use-case refuses.
            cast("forms.ChoiceField", self.fields["acknowledged"]).choices = [(words, words) for words in warnings]
        else:
            del self.fields["acknowledged"]
