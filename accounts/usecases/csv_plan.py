"""What a file of IAM users would do, row by row, as the person who gives it: nothing is changed by planning it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from accounts import access, arns, envelope, limits, quotas
from accounts.access import Permission
from accounts.models import Account, BulkRow, IAMUser, Organization, Person, Team
from accounts.usecases.csv_file import BETWEEN, CSVRefused, CSVRow, Problem
from accounts.usecases.iam_users import checked_tags

KINDS = {"person": IAMUser.Kind.PERSON, "application": IAMUser.Kind.APPLICATION}
TAKEN = "This account has an IAM user of this name already; upper and lower case count as the same."
LOOKED_UP_AT_ONCE = 500


@dataclass(frozen=True)
class Planned:
    """What becomes of one row: `plan` is what a BulkRow keeps, the row's own cells with it."""

    position: int
    name: str
    iam_user: int | None
    state: str
    plan: dict[str, Any]


class Wrong(Exception):
    """A cell that cannot be."""

    def __init__(self, column: str, words: str) -> None:
        super().__init__(words)
        self.column, self.words = column, words


def in_words(plan: dict[str, Any]) -> str:
    """What a row of a plan says, for people: "application of team Payments, groups a, b, tags stage = prod"."""
    tags = [f"{tag['key']} = {tag['value']}" for tag in plan.get("tags", [])]
    parts = [
        f"{plan['kind']} of team {plan['team_name']}" if plan.get("team_name") else "",
        f"group{'s' if len(plan['groups']) > 1 else ''} {', '.join(plan['groups'])}" if plan.get("groups") else "",
        f"tag{'s' if len(tags) > 1 else ''} {', '.join(tags)}" if tags else "",
    ]
    return ", ".join(part for part in parts if part)


class Planner:
    """Looks up once what many rows name, and plans each of them in the eyes of one person."""

    def __init__(self, *, by: Person, organization: Organization) -> None:
        self._by, self._organization = by, organization
        self._groups_asked: dict[tuple[int, int, tuple[str, ...]], str] = {}
        self._limits: dict[int, tuple[list[limits.TagRule], limits.Room]] = {}
        self._stands_above = access.reaches_beyond_envelopes(by=by, organization=organization)

    def plan(self, rows: list[CSVRow]) -> list[Planned]:
        """All of them, in their order.

        :raises CSVRefused: with every place that is wrong.
        """
        self._existing = self._look_up(rows)
        planned: list[Planned] = []
        problems: list[Problem] = []
        places: dict[tuple[int, str], int] = {}
        for row in rows:
            try:
                planned.append(self._plan_row(row, places))
            except Wrong as wrong:
                problems.append(Problem(row.position, wrong.column, wrong.words))
        if problems:
            raise CSVRefused(problems)
        return planned

    def _plan_row(self, row: CSVRow, places: dict[tuple[int, str], int]) -> Planned:
        name, account = row.cells["user_name"], self._account(row.cells["account"])
        if not name:
            raise Wrong("user_name", "Say what it is called.")
        first = places.setdefault((account.pk, name.lower()), row.position)
        if first != row.position:
            raise Wrong("user_name", f"{name} stands in row {first} too; upper and lower case count as the same.")
        there = self._existing.get((account.pk, name.lower()))
        if there is None:
            return self._create(row, account)
        return self._complete(row, there)

    def _create(self, row: CSVRow, account: Account) -> Planned:
        cells, name = row.cells, row.cells["user_name"]
        if not arns.NEW_USER_NAME.fullmatch(name):
            raise Wrong("user_name", "It has 1 to 64 letters, digits or any of + = , . @ - _ and no spaces.")
        team = self._team(cells.get("team", ""))
        self._ask("account", lambda: envelope.require_account(by=self._by, team=team, account=account))
        if account.pk not in self._importable:
            raise Wrong("account", "Its connection was not tested, or is refused.")
        kind = KINDS.get(cells.get("kind", "").lower() or "person")
        if kind is None:
            raise Wrong("kind", "It is person or application.")
        purpose = cells.get("purpose", "")
        if kind == IAMUser.Kind.APPLICATION and not purpose:
            raise Wrong("purpose", "Say what the application does: whoever finds its key will want to know.")
        if len(purpose) > 200:
            raise Wrong("purpose", "It has at most 200 characters.")
        owner = self._owner(cells.get("owner", ""))
        groups, tags = self._groups(cells, team, account), self._tags(cells, {})
        self._count_groups(account, groups)
        self._check_limits(team, tags)
        plan = {
            "account": account.pk, "team": team.pk, "team_name": team.name, "user_name": name, "kind": str(kind),
            "owner": owner.pk if owner else None, "purpose": purpose, "groups": groups, "tags": _listed(tags),
        }  # fmt: skip
        return self._planned(row, f"{name} in {account.name}", None, BulkRow.State.PENDING, plan)

    def _complete(self, row: CSVRow, iam_user: IAMUser) -> Planned:
        """A row of one that is there: what it lacks of groups and tags. A file moves nobody and takes nothing away."""
        if iam_user.pk not in self._seen:
            raise Wrong("user_name", TAKEN)
        if iam_user.team_id not in self._able:
            raise Wrong("user_name", f"Your duty does not include changing {iam_user}.")
        self._check_same(row.cells, iam_user)
        held = {group.lower() for group in _groups_of(iam_user)}
        asked = self._groups(row.cells, iam_user.team, iam_user.account)
        groups = [group for group in asked if group.lower() not in held]
        self._count_groups(iam_user.account, [*held, *groups])
        decided = iam_user.record.tags if hasattr(iam_user, "record") else iam_user.peoples_tags
        tags = self._tags(row.cells, decided)
        plan = {"groups": groups, "tags": _listed(tags)}
        state = BulkRow.State.PENDING if groups or tags else BulkRow.State.UNCHANGED
        return self._planned(row, f"{iam_user} in {iam_user.account.name}", iam_user.pk, state, plan)

    def _planned(self, row: CSVRow, name: str, iam_user: int | None, state: str, plan: dict[str, Any]) -> Planned:
        return Planned(row.position, name, iam_user, str(state), plan | {"cells": row.cells})

    def _check_same(self, cells: dict[str, str], iam_user: IAMUser) -> None:
        owner = iam_user.owner.email if iam_user.owner else ""
        held = {
            "team": iam_user.team.name if iam_user.team else "",
            "kind": str(iam_user.kind),
            "owner": owner,
            "purpose": iam_user.purpose,
        }
        for column, value in held.items():
            cell = cells.get(column, "")
            if cell and cell.lower() != value.strip().lower():
                is_now = f"it is {value}" if value else "it has none"
                raise Wrong(column, f"{iam_user} is there, and {is_now}. Leave the cell empty, or assign it instead.")

    def _groups(self, cells: dict[str, str], team: Team | None, account: Account) -> list[str]:
        names = list(dict.fromkeys(part.strip() for part in cells.get("groups", "").split(BETWEEN) if part.strip()))
        if names and team is not None:
            asked = (team.pk, account.pk, tuple(sorted(names)))
            if asked not in self._groups_asked:
                self._groups_asked[asked] = _refusal(
                    lambda: envelope.require_grants(by=self._by, team=team, account=account, group_names=names)
                )
            if self._groups_asked[asked]:
                raise Wrong("groups", self._groups_asked[asked])
        return names

    def _tags(self, cells: dict[str, str], held: dict[str, str]) -> dict[str, str]:
        """The tags that it lacks, or has with another value."""
        tags: dict[str, str] = {}
        for part in (part.strip() for part in cells.get("tags", "").split(BETWEEN)):
            key, separator, value = part.partition("=")
            if part and (not separator or not key.strip()):
                raise Wrong("tags", f"Write {part[:60]} as key=value.")
            if part:
                tags[key.strip()] = value.strip()
        spelled = {key.lower(): key for key in held}
        wanted = {spelled.get(key.lower(), key): value for key, value in tags.items()}
        self._ask("tags", lambda: checked_tags({**held, **wanted}) if wanted else None)
        return {key: value for key, value in wanted.items() if held.get(key) != value}

    def _count_groups(self, account: Account, groups: Collection[str]) -> None:
        quota = quotas.groups(account, groups)
        if quota.is_exceeded:
            raise Wrong("groups", f"AWS allows an IAM user at most {quota.most} groups.")

    def _check_limits(self, team: Team, tags: dict[str, str]) -> None:
        """What the envelope asks of a new IAM user of the team, those of the rows before counted."""
        if self._stands_above:
            return
        if team.pk not in self._limits:
            self._limits[team.pk] = (limits.tag_rules_of(team), limits.room_of(team))
        rules, room = self._limits[team.pk]
        for rule in rules:
            if not rule.is_kept_by(tags):
                raise Wrong("tags", f"IAM users of team {team} bear the tag {rule}.")
        if room.is_full:
            raise Wrong("team", f"Team {team} has {room} with the rows before, which is all it may have.")
        self._limits[team.pk] = (rules, room.with_one_more())

    def _ask(self, column: str, ask: Callable[[], object]) -> None:
        refusal = _refusal(ask)
        if refusal:
            raise Wrong(column, refusal)

    def _account(self, cell: str) -> Account:
        # A spreadsheet takes an account ID for a number and drops its leading zeros.
        number = cell.zfill(12) if cell.isascii() and cell.isdecimal() else cell
        found = self._accounts.get(number.lower())
        if found is None:
            raise Wrong("account", f"You have no AWS account “{cell[:60]}”: write its 12 digits or its name.")
        return found

    def _team(self, cell: str) -> Team:
        if not cell and len(self._teams) == 1:
            return next(iter(self._teams.values()))
        if cell.lower() not in self._teams:
            raise Wrong("team", f"You have no team “{cell[:60]}”." if cell else "Say which team it belongs to.")
        return self._teams[cell.lower()]

    def _owner(self, cell: str) -> Person | None:
        if not cell:
            return None
        if cell.lower() not in self._people:
            raise Wrong("owner", f"Nobody of your organization has the e-mail {cell[:80]}.")
        return self._people[cell.lower()]

    @cached_property
    def _accounts(self) -> dict[str, Account]:
        rows = Account.objects.visible_to(self._by).filter(organization=self._organization)
        by_name = {account.name.lower(): account for account in rows.order_by("-pk")}
        return by_name | {account.account_id: account for account in rows}

    @cached_property
    def _importable(self) -> set[int]:
        rows = Account.objects.importable().filter(organization=self._organization)
        return set(rows.values_list("pk", flat=True))

    @cached_property
    def _teams(self) -> dict[str, Team]:
        teams = access.teams_for(by=self._by, to=Permission.CREATE_IAM_USER, organization=self._organization)
        return {team.name.lower(): team for team in teams.select_related("organization")}

    @cached_property
    def _able(self) -> set[int | None]:
        """The teams whose IAM users the person may add groups and tags to, and None where also those of nobody."""
        reaches_all = access.may(by=self._by, to=Permission.CHANGE_GROUPS, organization=self._organization)
        return {team.pk for team in self._teams.values()} | ({None} if reaches_all else set())

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {person.email.lower(): person for person in Person.objects.members_of(self._organization)}

    @cached_property
    def _seen(self) -> set[int]:
        rows = IAMUser.objects.seen_in(self._organization, by=self._by)
        ids = [row.pk for row in self._existing.values()]
        found = (
            rows.filter(pk__in=ids[start : start + LOOKED_UP_AT_ONCE])
            for start in range(0, len(ids), LOOKED_UP_AT_ONCE)
        )
        return {pk for part in found for pk in part.values_list("pk", flat=True)}

    def _look_up(self, rows: list[CSVRow]) -> dict[tuple[int, str], IAMUser]:
        """Those that are there, by account and name in lower case."""
        vars(self).pop("_seen", None)
        names = sorted({row.cells["user_name"].lower() for row in rows})
        there = IAMUser.objects.in_organization(self._organization).present().annotate(lower_name=Lower("user_name"))
        there = there.select_related("account", "team", "owner", "record").prefetch_related(
            "group_memberships__iam_group"
        )
        found: dict[tuple[int, str], IAMUser] = {}
        for start in range(0, len(names), LOOKED_UP_AT_ONCE):
            part = there.filter(
                account__in=set(self._accounts.values()), lower_name__in=names[start : start + LOOKED_UP_AT_ONCE]
            )
            found |= {(row.account_id, row.user_name.lower()): row for row in part}
        return found


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except ValidationError as refusal:
        return " ".join(refusal.messages)
    return ""


def _groups_of(iam_user: IAMUser) -> list[str]:
    """As decided where the portal manages it, else as AWS holds it."""
    if hasattr(iam_user, "record"):
        return list(iam_user.record.group_names)
    return [row.iam_group.group_name for row in iam_user.group_memberships.all()]


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
