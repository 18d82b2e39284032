"""What people fill in to change many IAM users at once, or to upload a file of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.forms import AssignForm
from accounts.models import BulkChange, IAMGroup, Organization, Person
from accounts.usecases import bulk_keys

# As many names as a field suggests.
SUGGESTED = 200


class SuggestingInput(forms.TextInput):
    """A field to type into that suggests names, which a browser narrows while one types."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
        self._names = names

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The input with its list beside it."""
        listed = f"{name}-names"
        field = super().render(name, value, {**(attrs or {}), "list": listed}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((one,) for one in self._names))
        return format_html('{}<datalist id="{}">{}</datalist>', field, listed, options)


class BulkForm(forms.Form):
    """Why; each kind of change asks for more."""

    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(self, *args: Any, by: Person, organization: Organization, iam_users: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def change(self) -> dict[str, Any]:
        """What it says, as a bulk change keeps it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "reason"}


class GroupForm(BulkForm):
    """A group by its name: it has the same in each account, and is another group in each."""

    group = forms.CharField(label="Group", max_length=128, help_text="In each account the group of this name.")
    field_order = ("group", "reason")

    def __init__(self, *args: Any, by: Person, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, by=by, organization=organization, **kwargs)
        groups = IAMGroup.objects.visible_to(by).present().filter(organization=organization)
        names = groups.order_by("group_name").values_list("group_name", flat=True).distinct()
        self.fields["group"].widget = SuggestingInput(list(names[:SUGGESTED]))


class SetTagForm(BulkForm):
    """One tag; the others of each IAM user stay."""

    key = forms.CharField(label="Key", max_length=128)
    value = forms.CharField(label="Value", max_length=256, required=False)
    field_order = ("key", "value", "reason")


class DeleteForm(BulkForm):
    """Why: nothing is deleted without it."""

    reason = forms.CharField(
        label="Reason", max_length=2000, help_text="Kept in the ledger.", widget=forms.Textarea(attrs={"rows": 2})
    )


class AssignManyForm(AssignForm):
    """Whose they are, as for those of one page."""

    def change(self) -> dict[str, Any]:
        """What it says, with ids for rows."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        return {name: getattr(value, "pk", value) for name, value in said.items()}


class CSVForm(forms.Form):
    """A file of IAM users, and why."""

    file = forms.FileField(
        label="CSV file",
        help_text="At most 10,000 rows and 5 MB.",
        error_messages={"required": "Choose a file."},
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")


FORMS: dict[BulkChange.Kind, type[BulkForm | AssignManyForm]] = {
    BulkChange.Kind.ADD_TO_GROUP: GroupForm,
    BulkChange.Kind.REMOVE_FROM_GROUP: GroupForm,
    BulkChange.Kind.SET_TAG: SetTagForm,
    BulkChange.Kind.ASSIGN: AssignManyForm,
    BulkChange.Kind.DELETE: DeleteForm,
    **dict.fromkeys(bulk_keys.OF_KEYS, BulkForm),
}
