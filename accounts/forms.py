"""What people fill in. Forms read and shape; the use-cases decide, and their refusals come back to the fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet

from accounts import access, envelope, limits, quotas
from accounts.access import Permission
from accounts.closures import Holding
from accounts.iam_user_forms import in_words, named, values_of
from accounts.models import Account, IAMUser, Organization, Person, Team
from accounts.policy.words import Difference, difference

Decision = TypeVar("Decision")


def decided(form: forms.Form, use_case: Callable[..., Decision], **what: Any) -> Decision | None:
    """Call the use-case; None when it refused, with its words at the form's fields."""
    try:
        return use_case(**what)
    except ValidationError as refusal:
        _put_at_fields(form, refusal)
        return None


def _put_at_fields(form: forms.Form, refusal: ValidationError) -> None:
    if not hasattr(refusal, "error_dict"):
        form.add_error(None, refusal)
        return
    for field, errors in refusal.error_dict.items():
        for error in errors:
            form.add_error(field if field in form.fields and field != NON_FIELD_ERRORS else None, error)


class TagsField(forms.CharField):
    """Tags as lines of `key = value`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}))
        kwargs.setdefault("help_text", "One tag on each line, such as cost-center = 4711.")
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> dict[str, str]:
        tags: dict[str, str] = {}
        # Not splitlines(): a value that AWS holds may have one of Unicode's many other ends of a line in it.
        for line in re.split(r"\r\n|\r|\n", super().clean(value)):
            if line.strip():
                key, tag_value = self._parse(line)
                if key in tags:
                    raise ValidationError(f"{key} stands there twice.")
                tags[key] = tag_value
        return tags

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{key} = {tag_value}" for key, tag_value in sorted(value.items()))
        return value

    @staticmethod
    def _parse(line: str) -> tuple[str, str]:
        # As prepare_value writes it: a key that AWS holds may have an equals sign in it.
        key, separator, value = line.partition(" = " if " = " in line else "=")
        if not separator or not key.strip():
            raise ValidationError(f"Write {line.strip()} as key = value.")
        return key.strip(), value.strip()


class TheirsField(forms.ModelChoiceField):
    """One of the rows that the person may choose. Any other does not exist for them, whoever's it is.

    :raises access.NotThere: where the address of another would have been answered with 404 too.
    """

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError:
            raise access.NotThere from None


class CreateIAMUserForm(forms.Form):
    """A new IAM user; offers only what this person may choose for this team and account."""

    user_name = forms.CharField(
        label="User name",
        max_length=200,
        help_text="As it will be in AWS: letters, digits and + = , . @ - _",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    kind = forms.ChoiceField(label="For", choices=IAMUser.Kind.choices, initial=IAMUser.Kind.PERSON)
    team = forms.ModelChoiceField(label="Team", queryset=Team.objects.none(), empty_label=None)
    account = forms.ModelChoiceField(label="AWS account", queryset=Account.objects.none(), empty_label=None)
    owner = forms.ModelChoiceField(
        label="Owner",
        queryset=Person.objects.none(),
        required=False,
        empty_label="Nobody yet",
        help_text="Who answers for it and its keys.",
    )
    purpose = forms.CharField(
        label="Purpose",
        max_length=200,
        required=False,
        help_text="For an application: what it does, and where it runs.",
    )
    groups = forms.MultipleChoiceField(label="Groups", required=False, widget=forms.CheckboxSelectMultiple)
    policies = forms.MultipleChoiceField(label="Policies", required=False, widget=forms.CheckboxSelectMultiple)
    tags = TagsField(label="Tags")
    console_access = forms.BooleanField(
        label="Console access", required=False, help_text="A password, sealed for the owner. You will not see it."
    )
    access_key = forms.BooleanField(
        label="Access key", required=False, help_text="Its secret is sealed for the owner. You will not see it."
    )
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(self, *args: Any, by: Person, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by = by
        teams = access.teams_for(by=by, to=Permission.CREATE_IAM_USER, organization=organization)
        self._choice("team").queryset = teams.order_by("name", "pk")
        self._choice("owner").queryset = Person.objects.members_of(organization).order_by("name", "pk")
        self._offer_accounts_and_grants()

    def difference(self) -> Difference | None:
        """What the IAM user could do with what is ticked; None where nothing can be chosen."""
        team, account = self._chosen("team"), self._chosen("account")
        if team is None or account is None:
            return None
        after = Holding(account, boundary_arn=envelope.boundary_of(team, account))
        after = after.joining(*self._ticked("groups")).attaching(*self._ticked("policies"))
        return difference(before=Holding(account).closure(), after=after.closure())

    def _ticked(self, name: str) -> list[str]:
        """Of what the person may choose: what others' policies carry is not theirs to ask."""
        offered = values_of(self.fields[name])
        return [value for value in self[name].value() or () if value in offered]

    def _offer_accounts_and_grants(self) -> None:
        """The accounts follow from the team, groups and policies from both: as chosen, else the first of each."""
        team = self._chosen("team")
        if team is None:
            return
        self._tell_limits(team)
        open_to = access.accounts_for(by=self._by, team=team)
        self._choice("account").queryset = Account.objects.importable().filter(pk__in=open_to).order_by("name", "pk")
        account = self._chosen("account")
        if account is not None:
            groups = envelope.groups_for(by=self._by, team=team, account=account).order_by("group_name", "pk")
            self._offer_many("groups", [(group.group_name, group.group_name) for group in groups])
            self._offer_many("policies", named(envelope.policies_for(by=self._by, team=team, account=account)))
            self.fields["groups"].help_text = f"At most {quotas.groups(account, ()).most}."
            self.fields["policies"].help_text = f"At most {quotas.attached_policies(account, ()).most}."
            # The field was looked at already, and Django keeps what it said then.
            self["account"].help_text = in_words(quotas.iam_users(account))

    def _offer_many(self, name: str, choices: list[tuple[str, str]]) -> None:
        if choices:
            cast("forms.MultipleChoiceField", self.fields[name]).choices = choices

    def _tell_limits(self, team: Team) -> None:
        """What the team's envelope asks of each of its IAM users, and how many more it may have."""
        room, rules = limits.room_of(team), limits.tag_rules_of(team)
        if room.limit is not None:
            # The field has been asked what it holds, and keeps the help that it had then.
            self["team"].help_text = f"It has {room}."
        if rules:
            self.fields["tags"].help_text += f" {limits.asked_tags(team)}"
            self.fields["tags"].initial = {rule.key: rule.values[0] for rule in rules if len(rule.values) == 1}

    def _choice(self, name: str) -> forms.ModelChoiceField:
        return cast("forms.ModelChoiceField", self.fields[name])

    def _chosen(self, name: str) -> Any:
        """The row that the field holds, if the person may choose it; else the one that a browser would show first."""
        field = self._choice(name)
        try:
            chosen = field.to_python(self[name].value())
        except ValidationError:
            chosen = None
        return chosen or cast("QuerySet", field.queryset).first()


class TagIAMUserForm(forms.Form):
    """All tags of one IAM user that people may set."""

    tags = TagsField(label="Tags", help_text="One on each line, as key = value. A line taken away takes the tag away.")
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(self, *args: Any, team: Team | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if team is not None:
            self.fields["tags"].help_text += f" {limits.asked_tags(team)}"


class ReasonForm(forms.Form):
    """Why: nothing is done without it."""

    reason = forms.CharField(
        label="Reason", max_length=2000, help_text="Kept in the ledger.", widget=forms.Textarea(attrs={"rows": 2})
    )


class DriftForm(ReasonForm):
    """Why, and the latest reading among the differences that the person was shown."""

    seen_at = forms.DateTimeField(widget=forms.HiddenInput)


class OffboardForm(ReasonForm):
    """When what is disabled is deleted, and why they leave."""

    when = forms.ChoiceField(
        label="Delete their IAM users",
        widget=forms.RadioSelect,
        help_text="Until then it can be undone. What is deleted cannot be brought back.",
    )
    field_order = ("when", "reason")

    def __init__(self, *args: Any, days: int, at: datetime, **kwargs: Any) -> None:
        """`days` is for how long it can be undone; 0 offers no such time."""
        super().__init__(*args, **kwargs)
        self._at = at
        later = f"After {days} day{'' if days == 1 else 's'}"
        choices = [("later", later)] if days else []
        field = cast("forms.ChoiceField", self.fields["when"])
        field.choices = [*choices, ("now", "At once")]
        field.initial = "later" if days else "now"

    def clean(self) -> dict[str, Any]:
        """As the use-case takes it."""
        cleaned = super().clean() or {}
        when = cleaned.pop("when", "later")
        return {**cleaned, "delete_after": self._at if when == "now" else None}


class OptionalReasonForm(forms.Form):
    """Why, for those who want to say it."""

    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")


class RoleNameField(forms.CharField):
    """The name of the role by which the portal enters an account."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})
        super().__init__(label="Role name", max_length=64, initial="gatehouse-portal", widget=widget, **kwargs)


class ConnectAccountForm(forms.Form):
    """An AWS account, and the name of the role by which the portal enters it."""

    account_id = forms.CharField(
        label="Account ID",
        max_length=20,
        help_text="12 digits, such as 1111-2222-3333.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    name = forms.CharField(label="Name", max_length=120, help_text="What your people call it.")
    role_name = RoleNameField(help_text="The role that the portal assumes. The next page shows how to make it.")

    def clean_account_id(self) -> str:
        """People write 1111-2222-3333; AWS shows it so."""
        return self.cleaned_data["account_id"].replace("-", "").replace(" ", "")


class ConnectAccountsForm(forms.Form):
    """Accounts to be connected at once, and the name that the role has in all of them."""

    role_name = RoleNameField(help_text="The same in all of them.")


class PaceForm(forms.Form):
    """How fast the portal may call AWS in one account."""

    calls_per_second = forms.IntegerField(label="Calls per second", min_value=1, max_value=1000, required=False)
    calls_burst = forms.IntegerField(label="Calls at once", min_value=1, max_value=1000, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usual, burst = settings.AWS_CALLS_PER_SECOND, settings.AWS_CALLS_BURST
        self.fields[
            "calls_per_second"
        ].help_text = f"The most that the portal calls AWS in this account. Empty for the usual {usual:g}."
        self.fields["calls_burst"].help_text = f"After a quiet time. Empty for the usual {burst}."


class AssignForm(forms.Form):
    """Whose IAM users are; what is left empty stays as each has it."""

    team = TheirsField(label="Team", queryset=Team.objects.none(), required=False)
    owner = TheirsField(label="Owner", queryset=Person.objects.none(), required=False)
    kind = forms.ChoiceField(label="For", required=False)
    purpose = forms.CharField(
        label="Purpose",
        max_length=200,
        required=False,
        help_text="For an application: what it does, and where it runs.",
    )
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(
        self, *args: Any, by: Person, organization: Organization, iam_users: Sequence[IAMUser], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        teams = {iam_user.team for iam_user in iam_users if iam_user.team is not None}
        owners = access.owners_open_to(by=by, organization=organization, teams=teams)
        open_to = access.teams_for(by=by, to=Permission.ASSIGN_IAM_USER, organization=organization)
        is_free = access.may(by=by, to=Permission.ASSIGN_IAM_USER, organization=organization)
        if is_free or open_to.exclude(pk__in=[team.pk for team in teams]).exists():
            _offer(self, "team", open_to.order_by("name", "pk"), empty=_kept({row.team for row in iam_users}))
            owners = access.owners_open_to_any(by=by, organization=organization, teams=open_to)
        else:
            del self.fields["team"]
        _offer(self, "owner", owners.order_by("name", "pk"), empty=_kept({row.owner for row in iam_users}))
        kept = ("", _kept({row.get_kind_display() for row in iam_users}))
        cast("forms.ChoiceField", self.fields["kind"]).choices = [kept, *IAMUser.Kind.choices]


class OwnershipRuleForm(forms.Form):
    """Which IAM users, and whose they are."""

    name_pattern = forms.CharField(
        label="User name",
        max_length=128,
        initial="*",
        help_text="* is any letters, ? is one; upper and lower case count as the same.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    path_prefix = forms.CharField(
        label="Path",
        max_length=512,
        initial="/",
        help_text="This and all below it; / is every path.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    account = TheirsField(label="AWS account", queryset=Account.objects.none(), required=False)
    team = TheirsField(label="Team", queryset=Team.objects.none(), required=False)
    owner = TheirsField(label="Owner", queryset=Person.objects.none(), required=False)
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = Account.objects.filter(organization=organization)
        _offer(self, "account", accounts.order_by("name", "pk"), empty="All accounts")
        _offer(self, "team", Team.objects.filter(organization=organization).order_by("name", "pk"), empty="No team")
        _offer(self, "owner", Person.objects.members_of(organization).order_by("name", "pk"), empty="No owner")


class TagNamesForm(forms.Form):
    """The keys of the tags by which IAM users name their team and their owner."""

    team_tag = forms.CharField(label="Team", max_length=128, help_text="Its value is a team's name.")
    owner_tag = forms.CharField(label="Owner", max_length=128, help_text="Its value is a person's e-mail.")
    reason = forms.CharField(label="Reason", max_length=2000, required=False, help_text="Kept in the ledger.")


class PlaceForm(forms.Form):
    """A place in a list, counted from 1."""

    to = forms.IntegerField(min_value=1, max_value=100_000)


def _offer(form: forms.Form, name: str, rows: QuerySet[Any], *, empty: str) -> None:
    field = cast("forms.ModelChoiceField", form.fields[name])
    field.empty_label = empty
    field.queryset = rows


def _kept(values: Collection[object]) -> str:
    """What an empty choice keeps, by name where all have the same."""
    return f"As it is: {next(iter(values)) or 'none'}" if len(values) == 1 else "As each is"
