"""What people fill in to change one IAM user; each offers only what this person may choose."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from accounts import access, envelope, quotas
from accounts.closures import Holding
from accounts.models import GroupGrant, IAMGroup, IAMPolicy, IAMUser, Person
from accounts.models.iam_user_record import as_decided

# Nothing is chosen yet.
CHOOSE = ""


class DecisionForm(forms.Form):
    """What a use-case asks for; why stands at the end."""

    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def decision(self) -> dict[str, Any]:
        """What was filled in, by the names that the use-case has for it."""
        return dict(self.cleaned_data)


class RenameForm(DecisionForm):
    """Another name."""

    user_name = forms.CharField(
        label="User name",
        max_length=200,
        help_text="Letters, digits and + = , . @ - _, at most 64. Its ARN changes with it: policies that name the ARN "
        "must follow.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("user_name", "reason")


class PathForm(DecisionForm):
    """Another path."""

    path = forms.CharField(
        label="Path",
        max_length=512,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ("path", "reason")

    def __init__(self, *args: Any, by: Person, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        help_text = "Begins and ends with a slash. Its ARN changes with it."
        is_free = access.reaches_beyond_envelopes(by=by, organization=iam_user.organization)
        if iam_user.team is not None and not is_free:
            help_text += f" {iam_user.team}'s is {envelope.path_of(iam_user.team)}; yours may lie below it."
        self.fields["path"].help_text = help_text


class AccessForm(DecisionForm):
    """One choice that changes what the IAM user may do, so that a form can say what before it is saved."""

    chooses = ""
    # What the use-case calls the choice.
    keyword = "policy_arn"

    def decision(self) -> dict[str, Any]:
        return {self.keyword: self.cleaned_data[self.chooses], "reason": self.cleaned_data["reason"]}

    def chosen(self) -> str | None:
        """The choice as the form holds it, or the only one that there is; None where nothing is chosen yet."""
        choices = values_of(self.fields[self.chooses])
        value = self[self.chooses].value()
        if self.fields[self.chooses].required and not value:
            return None
        return next((choice for choice in choices if choice == value or value is None), None)

    def after(self, holding: Holding, choice: str) -> Holding:
        """What the IAM user holds once that is so."""
        raise NotImplementedError

    def _offer(self, choices: list[tuple[str, str]], *, help_text: str) -> None:
        field = cast("forms.ChoiceField", self.fields[self.chooses])
        field.choices, field.help_text = choices, help_text

    def _have_chosen(self, what: str, choices: list[tuple[str, str]], *, help_text: str) -> None:
        """Nothing is chosen beforehand: who only presses the button has decided nothing."""
        self._offer([(CHOOSE, f"Choose a {what}"), *choices], help_text=help_text)


class UntilField(forms.DateTimeField):
    """A time that is still to come."""

    def __init__(self, **kwargs: Any) -> None:
        picker = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
        super().__init__(label="Until", widget=picker, **kwargs)


class AddToGroupForm(AccessForm):
    """A group that this person may hand out and that the IAM user is not in for good."""

    groups = forms.ChoiceField(label="Group")
    until = UntilField(required=False, help_text="In UTC. Empty: for good.")
    chooses = "groups"
    field_order = ("groups", "until", "reason")

    def __init__(self, *args: Any, by: Person, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = joinable(envelope.groups_open_to(by=by, iam_user=iam_user), iam_user)
        room = quotas.groups(iam_user.account, as_decided(iam_user).group_names)
        self._have_chosen("group", [(name, name) for name in names], help_text=in_words(room))

    def decision(self) -> dict[str, Any]:
        told = self.cleaned_data
        return {"group_name": told["groups"], "until": told["until"], "reason": told["reason"]}

    def after(self, holding: Holding, choice: str) -> Holding:
        return holding.joining(choice)


class AttachPolicyForm(AccessForm):
    """A managed policy that this person may hand out and that is not attached."""

    policies = forms.ChoiceField(label="Policy")
    chooses = "policies"
    field_order = ("policies", "reason")

    def __init__(self, *args: Any, by: Person, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attached = as_decided(iam_user).attached_policy_arns
        policies = envelope.policies_open_to(by=by, iam_user=iam_user).exclude(arn__in=attached)
        room = quotas.attached_policies(iam_user.account, attached)
        self._have_chosen("policy", named(policies), help_text=in_words(room))

    def after(self, holding: Holding, choice: str) -> Holding:
        return holding.attaching(choice)


class BoundaryForm(AccessForm):
    """The policy that bounds what the IAM user may do: the team's, or any for those who stand above envelopes."""

    permissions_boundary = forms.ChoiceField(label="Permissions boundary", required=False)
    chooses = "permissions_boundary"
    field_order = ("permissions_boundary", "reason")

    def __init__(self, *args: Any, by: Person, iam_user: IAMUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policies = IAMPolicy.objects.present().filter(account=iam_user.account)
        required = envelope.boundary_of(iam_user.team, iam_user.account) if iam_user.team else ""
        if access.reaches_beyond_envelopes(by=by, organization=iam_user.organization):
            self._offer([("", "None"), *named(policies)], help_text="It allows nothing by itself.")
        else:
            told = "" if required else " The envelope of your team asks for none."
            self._offer(
                named(policies.filter(arn=required)), help_text=f"A lead may set the one of the team's envelope.{told}"
            )

    def after(self, holding: Holding, choice: str) -> Holding:
        return holding.bound_by(choice)


def named(policies: QuerySet[IAMPolicy]) -> list[tuple[str, str]]:
    """Policies as choices, those of AWS marked."""
    rows = policies.order_by("policy_name", "pk")
    return [(row.arn, f"{row.policy_name} (AWS's)" if row.is_aws_managed else row.policy_name) for row in rows]


def values_of(field: forms.Field) -> list[str]:
    """What can be chosen in the field."""
    choices = cast("list[tuple[str, str]]", cast("forms.ChoiceField", field).choices)
    return [str(value) for value, _ in choices]


def in_words(quota: quotas.Quota) -> str:
    """How much room there is: "8 of 10 groups"."""
    return f"{quota}. AWS takes no more." if quota.is_full else f"{quota}."


def joinable(groups: QuerySet[IAMGroup], iam_user: IAMUser) -> list[str]:
    """The names of those that it is not in; one that it is in until a time can be given for longer, or for good."""
    granted = GroupGrant.objects.filter(iam_user=iam_user).running().values("group_name")
    held = iam_user.group_memberships.exclude(iam_group__group_name__in=granted).values("iam_group")
    return list(groups.exclude(pk__in=held).order_by("group_name", "pk").values_list("group_name", flat=True))
