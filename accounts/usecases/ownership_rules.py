"""Deciding by what imported IAM users find their team and owner: the names of the tags, and rules in their order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max

from accounts import access, arns
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, Organization, OwnershipRule, Person, Team
from accounts.usecases.records import about
from portal.ledger.record import record

# Each is asked for each new IAM user of an import.
RULES_AT_MOST = 200


@transaction.atomic
def set_tag_names(
    *, by: Person, organization: Organization, team_tag: str, owner_tag: str, at: datetime, reason: str = ""
) -> Organization:
    """Say by which tags IAM users name their team and their owner. The next import of each account follows.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field, for a name that no tag can have, two that are one, or names that are set already.
    """
    held = _held(by=by, organization=organization)
    before = {"team_tag": held.team_tag, "owner_tag": held.owner_tag}
    names = {"team_tag": _checked_key("team_tag", team_tag), "owner_tag": _checked_key("owner_tag", owner_tag)}
    if names["team_tag"].lower() == names["owner_tag"].lower():
        raise ValidationError({"owner_tag": "Team and owner need a tag each; upper and lower case count as the same."})
    if names == before:
        raise ValidationError("These are the tags already.")
    held.team_tag, held.owner_tag = names["team_tag"], names["owner_tag"]
    held.save(update_fields=["team_tag", "owner_tag"])
    _record(
        Kind.TAG_NAMES_SET, held, organization=held, by=by, at=at, reason=reason, details=names | {"before": before}
    )
    return held


@transaction.atomic
def create_ownership_rule(
    *,
    by: Person,
    organization: Organization,
    at: datetime,
    path_prefix: str = "/",
    name_pattern: str = "*",
    account: Account | None = None,
    team: Team | None = None,
    owner: Person | None = None,
    reason: str = "",
) -> OwnershipRule:
    """Add a rule behind all others.

    :raises access.NotThere: also for a team or an account of another organization.
    :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field, for a path, pattern or owner that can be none, or a rule that says nothing.
    """
    _held(by=by, organization=organization)
    rules = OwnershipRule.objects.filter(organization=organization)
    if rules.count() >= RULES_AT_MOST:
        raise ValidationError(f"An organization has at most {RULES_AT_MOST} rules. Delete one that takes nothing.")
    rule = OwnershipRule(organization=organization, position=1 + (rules.aggregate(last=Max("position"))["last"] or 0))
    _shape(rule, path_prefix=path_prefix, name_pattern=name_pattern, account=account, team=team, owner=owner)
    rule.save(force_insert=True)
    _record(
        Kind.OWNERSHIP_RULE_CREATED, rule, organization=organization, by=by, at=at, reason=reason, details=_says(rule)
    )
    return rule


@transaction.atomic
def change_ownership_rule(
    *,
    by: Person,
    rule: OwnershipRule,
    at: datetime,
    path_prefix: str,
    name_pattern: str,
    account: Account | None,
    team: Team | None,
    owner: Person | None,
    reason: str = "",
) -> OwnershipRule:
    """Have a rule say something else, in its place. What it said of IAM users follows at their next import.

    :raises access.NotThere: :raises access.NotAllowed: :raises ValidationError: as for a new one; also when nothing
        would change.
    """
    _, rule = _held_rule(by=by, rule=rule)
    before = _says(rule)
    _shape(rule, path_prefix=path_prefix, name_pattern=name_pattern, account=account, team=team, owner=owner)
    if _says(rule) == before:
        raise ValidationError("This is what the rule says already.")
    rule.save(update_fields=["path_prefix", "name_pattern", "account", "team", "owner"])
    details = _says(rule) | {"before": before}
    _record(
        Kind.OWNERSHIP_RULE_CHANGED,
        rule,
        organization=rule.organization,
        by=by,
        at=at,
        reason=reason,
        details=details,
    )
    return rule


@transaction.atomic
def move_ownership_rule(
    *, by: Person, rule: OwnershipRule, to: int, at: datetime, reason: str = ""
) -> list[OwnershipRule]:
    """Put a rule at another place, counted from 1; returns all in their new order.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it stands there already, or there is no such place.
    """
    rules, rule = _held_rule(by=by, rule=rule)
    place = rules.index(rule) + 1
    if to == place or not 1 <= to <= len(rules):
        raise ValidationError("Somebody has changed the rules meanwhile. Look at their order again.")
    rules.insert(to - 1, rules.pop(place - 1))
    _renumber(rules)
    details = {"place": to, "before": {"place": place}}
    _record(
        Kind.OWNERSHIP_RULE_MOVED, rule, organization=rule.organization, by=by, at=at, reason=reason, details=details
    )
    return rules


@transaction.atomic
def delete_ownership_rule(*, by: Person, rule: OwnershipRule, at: datetime, reason: str = "") -> None:
    """Take a rule away. What it alone said of IAM users ends with their next import.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    """
    _, rule = _held_rule(by=by, rule=rule)
    _record(
        Kind.OWNERSHIP_RULE_DELETED,
        rule,
        organization=rule.organization,
        by=by,
        at=at,
        reason=reason,
        details=_says(rule),
    )
    rule.delete()


def _held(*, by: Person, organization: Organization) -> Organization:
    access.require(by=by, to=Permission.CHANGE_OWNERSHIP, organization=organization)
    # Locked against somebody else who changes the rules: their places are counted from what is read here.
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _held_rule(*, by: Person, rule: OwnershipRule) -> tuple[list[OwnershipRule], OwnershipRule]:
    """All rules of the organization in their order, and this one among them.

    :raises access.NotThere: also when it was deleted meanwhile.
    """
    if not OwnershipRule.objects.visible_to(by).filter(pk=rule.pk).exists():
        raise access.NotThere
    organization = _held(by=by, organization=rule.organization)
    rows = OwnershipRule.objects.filter(organization=organization).select_related("account", "team", "owner")
    rules = list(rows.order_by("position", "pk"))
    found = next((row for row in rules if row.pk == rule.pk), None)
    if found is None:
        raise access.NotThere
    return rules, found


def _shape(rule: OwnershipRule, **what: Any) -> None:
    """Set the fields of a rule and check them."""
    for name in ("account", "team"):
        if what[name] is not None and what[name].organization_id != rule.organization_id:
            raise access.NotThere
    if what["owner"] is not None and not what["owner"].belongs_to(rule.organization):
        raise ValidationError({"owner": "Choose somebody of your organization."})
    if not arns.PATH.fullmatch(what["path_prefix"]):
        raise ValidationError({"path_prefix": "A path begins and ends with a slash, such as /people/."})
    if not arns.USER_NAME_PATTERN.fullmatch(what["name_pattern"]):
        raise ValidationError(
            {"name_pattern": "A pattern has letters, digits, + = , . @ - _ and the wildcards * and ?."}
        )
    for name, value in what.items():
        setattr(rule, name, value)
    rule.full_clean(exclude=["organization", "position"])


def _renumber(rules: list[OwnershipRule]) -> None:
    # Past all others first: two rules never have the same place, not even on the way.
    last = 1 + max(rule.position for rule in rules)
    OwnershipRule.objects.filter(pk__in=[rule.pk for rule in rules]).update(position=F("position") + last)
    for place, rule in enumerate(rules, start=1):
        rule.position = place
    OwnershipRule.objects.bulk_update(rules, ["position"])


def _checked_key(field: str, key: str) -> str:
    key = key.strip()
    if not arns.TAG_KEY.fullmatch(key) or arns.is_reserved_tag(key):
        raise ValidationError({field: "A tag's key has 1 to 128 letters, digits, spaces and . : / = + - @ _."})
    return key


def _says(rule: OwnershipRule) -> dict[str, str]:
    return {
        "path_prefix": rule.path_prefix,
        "name_pattern": rule.name_pattern,
        "account": "" if rule.account is None else rule.account.account_id,
        "team": "" if rule.team is None else rule.team.name,
        "owner": "" if rule.owner is None else rule.owner.email,
    }


def _record(
    kind: Kind,
    subject: OwnershipRule | Organization,
    *,
    organization: Organization,
    by: Person,
    at: datetime,
    reason: str,
    details: dict[str, Any],
) -> None:
    record(organization=organization, kind=kind, by=by, subject=about(subject), at=at, reason=reason, details=details)
