"""What an owner fills in about an envelope: boxes by AWS account, and lines for tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts import access
from accounts.forms import TheirsField
from accounts.limits import TagRule
from accounts.models import Account, Envelope, IAMGroup, IAMPolicy, Team
from accounts.usecases import envelopes

NONE = ("", "None")
# An id of the database's is no longer; Python refuses to read thousands of digits at all.
LONGEST_ID = 18


class BoxesByAccount(forms.CheckboxSelectMultiple):
    """Boxes under a heading for each AWS account."""

    template_name = "components/_boxes.html"


class TheirsBoxes(forms.ModelMultipleChoiceField):
    """Some of the organization's rows. Any other does not exist for whoever asks.

    :raises access.NotThere: where the address of another would have been answered with 404 too.
    """

    widget = BoxesByAccount

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except ValidationError:
            raise access.NotThere from None


class TagRulesField(forms.CharField):
    """Required tags as lines of `key = value, value`; a key alone takes any value."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})
        super().__init__(required=False, max_length=20_000, widget=widget, **kwargs)

    def clean(self, value: Any) -> list[TagRule]:
        lines = re.split(r"\r\n|\r|\n", super().clean(value))
        return [self._parse(line) for line in lines if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(f"{rule.key} = {', '.join(rule.values)}" if rule.values else rule.key for rule in value)

    @staticmethod
    def _parse(line: str) -> TagRule:
        key, _, values = line.partition(" = " if " = " in line else "=")
        return TagRule(key.strip(), tuple(dict.fromkeys(part.strip() for part in values.split(",") if part.strip())))


class WarningsField(forms.MultipleChoiceField):
    """Sentences that somebody has ticked: compared with what is warned of, and with nothing else."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: str) -> bool:
        return True


class EnvelopeForm(forms.Form):
    """The whole envelope of a team; offers the groups and policies of the chosen AWS accounts."""

    accounts = TheirsBoxes(label="AWS accounts", queryset=Account.objects.none(), required=False)
    groups = TheirsBoxes(label="Groups", queryset=IAMGroup.objects.none(), required=False)
    policies = TheirsBoxes(label="Managed policies", queryset=IAMPolicy.objects.none(), required=False)
    permissions_boundary = TheirsField(
        label="Permissions boundary",
        queryset=IAMPolicy.objects.none(),
        required=False,
        help_text="Each new IAM user of the team has it: it never may more than this allows.",
    )
    path = forms.CharField(
        label="Path",
        max_length=512,
        help_text="Under which the team's IAM users are made.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    tag_rules = TagRulesField(
        label="Required tags",
        help_text="One on each line, such as cost-center = 4711, 4712. A key alone takes any value.",
    )
    iam_user_limit = forms.IntegerField(
        label="IAM users at most", min_value=0, required=False, help_text="Empty for any number."
    )
    acknowledged = WarningsField(label="I want it all the same", required=False)
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Account.objects.filter(organization=team.organization)
        cast("forms.ModelChoiceField", self.fields["accounts"]).queryset = rows.order_by("name", "pk")
        chosen = {str(getattr(value, "pk", value)) for value in self["accounts"].value() or []}
        groups = IAMGroup.objects.present().filter(organization=team.organization)
        policies = IAMPolicy.objects.present().filter(organization=team.organization)
        self._offer_by_account("groups", groups.order_by("account__name", "account", "group_name", "pk"), chosen)
        ordered = policies.order_by("account__name", "account", "policy_name", "pk")
        self._offer_by_account("policies", ordered, chosen)
        self._offer_by_account("permissions_boundary", ordered, chosen, first=[NONE])

    @staticmethod
    def said_by(envelope: Envelope | None) -> dict[str, Any]:
        """What the form begins with."""
        content = envelopes.content_of(envelope)
        said = {name: getattr(content, name) for name in content.__dataclass_fields__}
        return said | {"version": 1 if envelope is None else envelope.version}

    def warn(self, warnings: Iterable[str]) -> None:
        """Offer the sentences to be ticked; the next answer is compared with them."""
        field = cast("forms.ChoiceField", self.fields["acknowledged"])
        field.choices, field.required = [(words, words) for words in warnings], True

    def _offer_by_account(
        self, name: str, rows: QuerySet[Any], chosen: set[str], *, first: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Any row of the organization is valid here, for the use-case to judge; shown are those of chosen accounts."""
        field = cast("forms.ModelChoiceField", self.fields[name])
        field.queryset = rows
        ids = [text for text in chosen if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID]
        shown = rows.filter(account__in=ids).select_related("account")
        field.choices = [*first, *_by_account(shown)]


class RequestEnvelopeForm(EnvelopeForm):
    """The same for those who ask for it: an owner is warned, and ticks."""

    reason = forms.CharField(
        label="Reason", max_length=2000, help_text="Whoever decides reads it, and the ledger keeps it."
    )

    def change(self) -> dict[str, Any]:
        """What is asked for, as the kind of request takes it."""
        said = self.cleaned_data
        content = {name: said[name] for name in envelopes.Content.__dataclass_fields__}
        several = {name: tuple(content[name]) for name in ("accounts", "groups", "policies", "tag_rules")}
        path = said["path"].strip()
        return {"content": envelopes.Content(**content | several | {"path": path}), "version": said["version"]}


def _by_account(rows: Iterable[Any]) -> list[tuple[str, list[tuple[int, str]]]]:
    return [
        (str(account), [(row.pk, str(row)) for row in group])
        for account, group in groupby(rows, key=lambda row: row.account)
    ]
