"""Whose an imported IAM user is: what its tags tell, else the first rule that fits, else nobody has said it yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.db.models import QuerySet

from accounts.models import IAMUser, Membership, Organization, OwnershipRule, Team

KIND_TAG, PURPOSE_TAG = "kind", "purpose"
# What a person said of an IAM user stays; what these said follows them.
FOLLOWED = frozenset({IAMUser.SaidBy.TAGS, IAMUser.SaidBy.RULE})
# The fields that follow, for whoever writes many rows at once.
FIELDS = ("team", "owner", "team_said_by", "owner_said_by")
# The most unassigned IAM users that one look, or one "Apply rules", reads.
READ_AT_ONCE = 5_000


class Told(Protocol):
    """What AWS tells of an IAM user: a detail of the import's, or the row that was filled from one."""

    @property
    def user_name(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def tags(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Said:
    """A team's or a person's id and who said it; None and nobody."""

    id: int | None = None
    by: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whose an IAM user is, and the rule that said a part of it."""

    team: Said
    owner: Said
    rule: OwnershipRule | None


class Owners:
    """What one organization says: read once in four queries at most, asked for many IAM users without any.

    A tag is whatever somebody in the AWS account wrote: it names a team of the organization by name or slug, or a
    person with an active membership in it by e-mail, or it is not heard.
    """

    def __init__(self, organization: Organization) -> None:
        self._team_tag, self._owner_tag = organization.team_tag.lower(), organization.owner_tag.lower()
        teams = list(Team.objects.filter(organization=organization).order_by("-pk").values_list("pk", "name", "slug"))
        # A name goes before a slug; a name that is there in two cases is the older team's.
        self._teams = {slug.lower(): pk for pk, _, slug in teams} | {name.lower(): pk for pk, name, _ in teams}
        members = Membership.objects.active().in_organization(organization)
        self._people = {email.lower(): pk for pk, email in members.values_list("person", "person__email").distinct()}
        self._active = frozenset(self._people.values())
        self._rules = list(OwnershipRule.objects.filter(organization=organization).order_by("position", "pk"))

    def of(self, account_id: int | None, told: Told) -> Verdict:
        """Whose it is; `account_id` is that of the account's row."""
        tags = _by_key(told)
        team = _said_in(tags, self._team_tag, self._teams)
        owner = _said_in(tags, self._owner_tag, self._people)
        if team.id is not None and owner.id is not None:
            return Verdict(team, owner, None)
        rule = self._fitting(account_id, told)
        if rule is None:
            return Verdict(team, owner, None)
        if team.id is None and rule.team_id is not None:
            team = Said(rule.team_id, IAMUser.SaidBy.RULE)
        # Who was disabled since, or has left, owns nothing.
        if owner.id is None and rule.owner_id in self._active:
            owner = Said(rule.owner_id, IAMUser.SaidBy.RULE)
        return Verdict(team, owner, rule)

    def fill(self, row: IAMUser, told: Told) -> None:
        """Set team, owner, kind and purpose of a new row. Kind and purpose are told by tags once, later by people."""
        self.refresh(row, told)
        tags = _by_key(told)
        if tags.get(KIND_TAG, "").lower() == IAMUser.Kind.APPLICATION:
            row.kind = IAMUser.Kind.APPLICATION
            row.purpose = _one_line(tags.get(PURPOSE_TAG, ""))[:200]

    def refresh(self, row: IAMUser, told: Told) -> bool:
        """Have team and owner follow tags and rules where no person said them; whether that changed the row."""
        return self._follow(row, self.of(row.account_id, told))

    def _follow(self, row: IAMUser, verdict: Verdict) -> bool:
        before = (row.team_id, row.owner_id, row.team_said_by, row.owner_said_by)
        if row.team_id is None or row.team_said_by in FOLLOWED:
            row.team_id, row.team_said_by = verdict.team.id, verdict.team.by
        if row.owner_id is None or row.owner_said_by in FOLLOWED:
            row.owner_id, row.owner_said_by = verdict.owner.id, verdict.owner.by
        return before != (row.team_id, row.owner_id, row.team_said_by, row.owner_said_by)

    def _fitting(self, account_id: int | None, told: Told) -> OwnershipRule | None:
        fitting = (
            rule for rule in self._rules if rule.fits(account_id=account_id, path=told.path, user_name=told.user_name)
        )
        return next(fitting, None)


@dataclass
class Preview:
    """What tags and rules would do to the unassigned now.

    :ivar unassigned: how many there are. :ivar read: how many were looked at.
    :ivar assigned: how many of those would get a team or an owner.
    :ivar by_rule: how many of those through each rule, by its id.
    """

    unassigned: int = 0
    read: int = 0
    assigned: int = 0
    by_rule: dict[int, int] = field(default_factory=dict)


def preview(organization: Organization) -> Preview:
    """Look at the unassigned IAM users of an organization, and change nothing."""
    rows = unassigned_of(organization)
    found = Preview(unassigned=rows.count())
    owners = Owners(organization)
    for row, verdict in _verdicts(owners, rows[:READ_AT_ONCE].iterator()):
        found.read += 1
        gets = {said.by for said, has in ((verdict.team, row.team_id), (verdict.owner, row.owner_id)) if has is None}
        found.assigned += bool(gets - {""})
        if verdict.rule is not None and IAMUser.SaidBy.RULE in gets:
            found.by_rule[verdict.rule.pk] = found.by_rule.get(verdict.rule.pk, 0) + 1
    return found


def unassigned_of(organization: Organization) -> QuerySet[IAMUser]:
    """Those in AWS or on their way there that have no team or no owner."""
    return IAMUser.objects.in_organization(organization).present().unassigned().order_by("pk")


def _verdicts(owners: Owners, rows: Iterable[IAMUser]) -> Iterator[tuple[IAMUser, Verdict]]:
    return ((row, owners.of(row.account_id, row)) for row in rows)


def _by_key(told: Told) -> dict[str, str]:
    # In keys of IAM users' tags upper and lower case count as the same (IAM User Guide, "Tagging IAM resources").
    return {key.lower(): value for key, value in told.tags.items()}


def _said_in(tags: Mapping[str, str], key: str, known: Mapping[str, int]) -> Said:
    found = known.get(tags.get(key, "").strip().lower())
    return Said() if found is None else Said(found, IAMUser.SaidBy.TAGS)


def _one_line(text: str) -> str:
    """Without what is not printed: NUL, which no database holds, and the marks that turn the order of letters."""
    return "".join(character for character in text if character.isprintable()).strip()
