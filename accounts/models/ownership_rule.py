"""Rules that say whose an imported IAM user is, where its tags do not."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models.account import Account
from accounts.models.facts import TenantRow
from accounts.models.organization import Organization, Team

if TYPE_CHECKING:
    from accounts.models.person import Person


@lru_cache(maxsize=1024)
def _compiled(name_pattern: str) -> re.Pattern[str]:
    """As a regular expression that takes time in proportion to pattern and name, whatever the pattern.

    Each literal after a `*` is looked for from where the last one ended and never again: the atomic groups forbid the
    retrying by which patterns such as `a*a*a*a*b` would take for ever. The last one must end the name.
    """
    first, *rest = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", name_pattern))
    if not rest:
        return re.compile(first, re.IGNORECASE)
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{between}.*{rest[-1]}", re.IGNORECASE)


class OwnershipRuleQuerySet(models.QuerySet["OwnershipRule"]):
    """Which rules somebody may see."""

    def visible_to(self, person: Person) -> OwnershipRuleQuerySet:
        """All of the organizations that the person sees whole."""
        return self.filter(organization__in=Organization.objects.seen_whole_by(person))


class OwnershipRule(TenantRow):
    """An IAM user of this path and name belongs to this team and owner; the first rule that fits decides.

    `name_pattern` is one of `*` and `?` over the whole user name, ignoring case; `path_prefix` begins and ends with a
    slash. Both must fit. Without an account the rule holds in all of the organization's.
    """

    position = models.PositiveIntegerField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    path_prefix = models.CharField(max_length=512, default="/")
    name_pattern = models.CharField(max_length=128, default="*")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="ownership_rules")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    objects = OwnershipRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "position"], name="ownership_rule_position_once"),
            models.CheckConstraint(
                condition=Q(team__isnull=False) | Q(owner__isnull=False),
                name="ownership_rule_says_something",
                violation_error_message="A rule names a team, an owner, or both.",
            ),
            models.CheckConstraint(
                condition=Q(path_prefix__startswith="/") & Q(path_prefix__endswith="/"),
                name="ownership_rule_path_form",
                violation_error_message="A path begins and ends with a slash.",
            ),
            models.CheckConstraint(
                condition=Q(name_pattern__regex=r"^[A-Za-z0-9_+=,.@*?-]+$"),
                name="ownership_rule_pattern_form",
                violation_error_message="A pattern has letters, digits, + = , . @ - _ and the wildcards * and ?.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path_prefix}{self.name_pattern}"

    def fits(self, *, account_id: int | None, path: str, user_name: str) -> bool:
        """Whether the rule is about an IAM user of this name; `account_id` is that of the account's row.

        Paths tell upper from lower case and names do not, as in AWS (IAM and AWS STS quotas, "IAM name requirements").
        """
        is_there = self.account_id in (None, account_id) and path.startswith(self.path_prefix)
        return is_there and _compiled(self.name_pattern).fullmatch(user_name) is not None
