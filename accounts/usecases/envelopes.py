"""Deciding what a team's lead may hand out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts import access, arns
from accounts.access import Permission
from accounts.closures import Holding
from accounts.kinds import Kind
from accounts.limits import TagRule
from accounts.models import Account, Envelope, IAMGroup, IAMPolicy, Person, Team
from accounts.policy.closure import Closure, PolicyDocument, closure_of
from accounts.policy.escalation import escalations
from accounts.usecases.records import about
from portal.ledger.record import record

IAM_USERS_AT_MOST = 1_000_000
# AWS's own limit of tags, less the portal's.
TAG_RULES_AT_MOST = arns.TAGS_PER_USER - 1
TAG_VALUES_AT_MOST = 50
# Of a team that has no envelope yet.
FIRST_VERSION = 1
ANY_NUMBER = "any number"
NONE = "none"


@dataclass(frozen=True)
class Content:
    """All that an envelope says: of the accounts' groups and policies those that may be handed out, and the limits."""

    accounts: Sequence[Account]
    groups: Sequence[IAMGroup]
    policies: Sequence[IAMPolicy]
    permissions_boundary: IAMPolicy | None
    path: str
    tag_rules: Sequence[TagRule]
    iam_user_limit: int | None

    def told(self) -> dict[str, Any]:
        """In the form of a request's change, by the rows' ids; `of_told` hears it."""
        boundary = self.permissions_boundary
        return {
            "accounts": sorted(row.pk for row in self.accounts),
            "groups": sorted(row.pk for row in self.groups),
            "policies": sorted(row.pk for row in self.policies),
            "permissions_boundary": None if boundary is None else boundary.pk,
            "path": self.path,
            "tag_rules": [{"key": rule.key, "values": list(rule.values)} for rule in self.tag_rules],
            "iam_user_limit": self.iam_user_limit,
        }

    def in_words(self) -> dict[str, Any]:
        """As the ledger and the pages say it; names of people's choosing stand in values only."""
        return {
            "accounts": sorted(str(account) for account in self.accounts),
            "groups": sorted(f"{group} in {group.account}" for group in self.groups),
            "policies": sorted(f"{policy} in {policy.account}" for policy in self.policies),
            "permissions_boundary": NONE if self.permissions_boundary is None else self.permissions_boundary.arn,
            "path": self.path,
            "tags": [str(rule) for rule in self.tag_rules],
            "IAM users": ANY_NUMBER if self.iam_user_limit is None else str(self.iam_user_limit),
        }


class NotAcknowledged(ValidationError):
    """Something that was newly chosen carries more than a lead should give, and nobody has said that they know.

    :ivar warnings: what it carries, a sentence for each.
    """

    def __init__(self, warnings: list[str]) -> None:
        super().__init__({"acknowledged": "Read what these carry, and tick what you want all the same."})
        self.warnings = warnings


@transaction.atomic
def change_envelope(  # noqa: PLR0913 -- each is a field of the form, and all are keywords
    *,
    by: Person,
    team: Team,
    accounts: Collection[Account],
    groups: Collection[IAMGroup],
    policies: Collection[IAMPolicy],
    permissions_boundary: IAMPolicy | None,
    path: str,
    tag_rules: Collection[TagRule],
    iam_user_limit: int | None,
    at: datetime,
    version: int | None = None,
    acknowledged: Collection[str] = (),
    reason: str = "",
) -> Envelope:
    """Say anew what the team's lead may hand out. What was handed out before stays.

    `version` is the one that the person looked at; None looks at none. `acknowledged` are the warnings that they saw.

    :raises access.NotThere: also for anything of another organization. :raises access.NotAllowed: as everywhere.
    :raises NotAcknowledged: for a newly chosen group or policy that carries administration or a known way to it.
    :raises ValidationError: by field; also when nothing would change, or somebody has changed it meanwhile.
    """
    access.require(by=by, to=Permission.CHANGE_ENVELOPE, organization=team.organization)
    content = Content(
        tuple(accounts), tuple(groups), tuple(policies), permissions_boundary, path.strip(), tuple(tag_rules),
        iam_user_limit,
    )  # fmt: skip
    return put(team=team, content=content, by=by, reason=reason, at=at, version=version, acknowledged=acknowledged)


def put(
    *,
    team: Team,
    content: Content,
    by: Person,
    reason: str,
    at: datetime,
    version: int | None = None,
    acknowledged: Collection[str] = (),
) -> Envelope:
    """Change an envelope, inside a use-case that has asked whether it may be.

    :raises access.NotThere: :raises NotAcknowledged: :raises ValidationError: as for `change_envelope`.
    """
    check(team=team, content=content)
    envelope = _held(team)
    before = check_change(envelope=envelope, content=content, version=version)
    unread = [words for words in warnings(before=before, after=content) if words not in acknowledged]
    if unread:
        raise NotAcknowledged(warnings(before=before, after=content))
    _save(envelope, content)
    _record(envelope, before, content, by=by, reason=reason, at=at)
    return envelope


def check_change(*, envelope: Envelope | None, content: Content, version: int | None) -> Content:
    """What the envelope says now, where what it shall say differs and nobody has changed it meanwhile.

    :raises ValidationError: where not.
    """
    now = FIRST_VERSION if envelope is None else envelope.version
    if version is not None and version != now:
        raise ValidationError("Somebody has changed this envelope meanwhile. Look at it and change it again.")
    before = content_of(envelope)
    if before.in_words() == content.in_words():
        raise ValidationError("This is what the envelope says already.")
    return before


def of_told(told: Mapping[str, Any], *, team: Team) -> Content:
    """What `Content.told` told, of the team's organization.

    :raises access.NotThere: when one of its rows is not there any more.
    """
    boundary = [told["permissions_boundary"]] if told["permissions_boundary"] is not None else []
    return Content(
        _rows(Account.objects.filter(organization=team.organization_id), told["accounts"]),
        _rows(IAMGroup.objects.filter(organization=team.organization_id), told["groups"]),
        _rows(IAMPolicy.objects.filter(organization=team.organization_id), told["policies"]),
        next(iter(_rows(IAMPolicy.objects.filter(organization=team.organization_id), boundary)), None),
        told["path"],
        tuple(TagRule(rule["key"], tuple(rule["values"])) for rule in told["tag_rules"]),
        told["iam_user_limit"],
    )


def _rows(rows: QuerySet[Any], ids: Collection[int]) -> tuple[Any, ...]:
    found = tuple(rows.filter(pk__in=ids).order_by("pk"))
    if len(found) != len(ids):
        raise access.NotThere
    return found


def content_of(envelope: Envelope | None) -> Content:
    """What an envelope says; a team without one may do nothing."""
    if envelope is None:
        return Content((), (), (), None, "/", (), None)
    return Content(
        tuple(envelope.accounts.order_by("name", "pk")),
        tuple(envelope.groups.select_related("account").order_by("account__name", "group_name", "pk")),
        tuple(envelope.policies.select_related("account").order_by("account__name", "policy_name", "pk")),
        envelope.permissions_boundary,
        envelope.path,
        tuple(TagRule(rule["key"], tuple(rule["values"])) for rule in envelope.tag_rules),
        envelope.iam_user_limit,
    )


def differences(*, before: Content, after: Content) -> dict[str, dict[str, Any]]:
    """What differs, in words, as it was `before` and is `after`."""
    was, will_be = before.in_words(), after.in_words()
    changed = [name for name in will_be if was[name] != will_be[name]]
    return {"before": {name: was[name] for name in changed}, "after": {name: will_be[name] for name in changed}}


def warnings(*, before: Content, after: Content) -> list[str]:
    """A sentence for each group and policy that is newly chosen and carries administration, or a known way to it.

    Judged without the boundary: an IAM user that has none may be put into the group too.
    """
    groups = [group for group in after.groups if group not in before.groups]
    policies = [policy for policy in after.policies if policy not in before.policies]
    return [*_of_groups(groups), *_of_policies(policies)]


def _of_groups(groups: Iterable[IAMGroup]) -> Iterator[str]:
    for group in groups:
        yield from _sentence(
            f"Group {group} in {group.account}", Holding(group.account).joining(group.group_name).closure()
        )


def _of_policies(policies: Iterable[IAMPolicy]) -> Iterator[str]:
    for policy in policies:
        document: Mapping[str, object] = policy.document
        closure = closure_of([PolicyDocument(policy.policy_name, document)])
        yield from _sentence(f"Policy {policy} in {policy.account}", closure)


def _sentence(what: str, closure: Closure) -> Iterator[str]:
    """The gravest alone: who may do everything may also do the rest."""
    if closure.unknown:
        name, why = sorted(closure.unknown.items())[0]
        yield f"{what} could allow anything: {name}: {why}."
        return
    ways = escalations(closure)
    if ways:
        yield f"{what} lets an IAM user {ways[0].method.does}."


def check(*, team: Team, content: Content) -> None:
    """Return where an envelope of the team can say this.

    :raises access.NotThere: for anything of another organization. :raises ValidationError: by field.
    """
    rows = [*content.accounts, *content.groups, *content.policies]
    rows += [] if content.permissions_boundary is None else [content.permissions_boundary]
    if any(row.organization_id != team.organization_id for row in rows):
        raise access.NotThere
    chosen = {account.pk for account in content.accounts}
    _check_those_of_accounts("groups", content.groups, chosen)
    _check_those_of_accounts("policies", content.policies, chosen)
    if content.permissions_boundary is not None:
        _check_those_of_accounts("permissions_boundary", [content.permissions_boundary], chosen)
    if not arns.PATH.fullmatch(content.path):
        raise ValidationError({"path": "A path begins and ends with a slash, such as /portal/payments/."})
    limit = content.iam_user_limit
    if limit is not None and not 0 <= limit <= IAM_USERS_AT_MOST:
        raise ValidationError({"iam_user_limit": f"Choose a number from 0 to {IAM_USERS_AT_MOST:,}, or none."})
    _check_tag_rules(content.tag_rules)


def _check_those_of_accounts(field: str, rows: Collection[IAMGroup | IAMPolicy], chosen: set[int]) -> None:
    for row in rows:
        if row.account_id not in chosen:
            raise ValidationError({field: f"{row} is in {row.account}, which is not among the chosen AWS accounts."})
        if row.gone_at is not None:
            raise ValidationError({field: f"AWS no longer holds {row} in {row.account}."})


def _check_tag_rules(rules: Sequence[TagRule]) -> None:
    if len(rules) > TAG_RULES_AT_MOST:
        raise ValidationError({"tag_rules": f"An IAM user has at most {TAG_RULES_AT_MOST} tags of people's choosing."})
    if len({rule.key.lower() for rule in rules}) != len(rules):
        raise ValidationError({"tag_rules": "Two tags differ only in upper and lower case; AWS takes them for one."})
    for rule in rules:
        if not arns.TAG_KEY.fullmatch(rule.key) or arns.is_reserved_tag(rule.key):
            raise ValidationError({"tag_rules": f"{rule.key[:80]}: such a key no tag can have, or people cannot set."})
        if len(rule.values) > TAG_VALUES_AT_MOST or not all(arns.TAG_VALUE.fullmatch(value) for value in rule.values):
            raise ValidationError({"tag_rules": f"{rule.key}: a tag cannot have such values, or so many."})


def _held(team: Team) -> Envelope:
    Envelope.objects.get_or_create(organization=team.organization, team=team)
    # Locked against somebody else who changes it: the entry says what was before, and the version counts each change.
    return Envelope.objects.select_for_update(no_key=True).get(team=team)


def _save(envelope: Envelope, content: Content) -> None:
    envelope.permissions_boundary, envelope.path = content.permissions_boundary, content.path
    envelope.tag_rules = [{"key": rule.key, "values": list(rule.values)} for rule in content.tag_rules]
    envelope.iam_user_limit = content.iam_user_limit
    envelope.version += 1
    envelope.save(update_fields=["permissions_boundary", "path", "tag_rules", "iam_user_limit", "version"])
    envelope.accounts.set(content.accounts)
    envelope.groups.set(content.groups)
    envelope.policies.set(content.policies)


def _record(envelope: Envelope, before: Content, after: Content, *, by: Person, reason: str, at: datetime) -> None:
    record(
        organization=envelope.organization,
        kind=Kind.ENVELOPE_CHANGED,
        by=by,
        subject=about(envelope.team),
        at=at,
        reason=reason,
        details={"version": envelope.version, **differences(before=before, after=after)},
    )
