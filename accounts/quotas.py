"""How much room AWS leaves: what is there of what an account may have, from what AWS last told of it.

The live figures are GetAccountSummary's, which each import reads. Where it has not told of one, the default counts that
AWS documents (IAM and AWS STS quotas, "IAM object quotas").
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Account, IAMUser

DEFAULTS = {"UsersQuota": 5000, "GroupsPerUserQuota": 10, "AttachedPoliciesPerUserQuota": 10}
AS_TOLD = "its account summary"
AS_DOCUMENTED = "AWS's documented default"


@dataclass(frozen=True)
class Quota:
    """What is there, the most that AWS allows, and where the latter is known from: "8 of 10 groups"."""

    used: int
    most: int
    what: str
    source: str

    def __str__(self) -> str:
        return f"{self.used:,} of {self.most:,} {self.what}"

    @property
    def is_exceeded(self) -> bool:
        """Whether AWS would refuse it."""
        return self.used > self.most

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more."""
        return self.used >= self.most


def groups(account: Account, group_names: Collection[str]) -> Quota:
    """An IAM user's groups, once it is in these."""
    return _quota(account, "GroupsPerUserQuota", len(set(group_names)), "groups")


def attached_policies(account: Account, policy_arns: Collection[str]) -> Quota:
    """The managed policies attached to an IAM user, once it has these."""
    return _quota(account, "AttachedPoliciesPerUserQuota", len(set(policy_arns)), "policies")


def iam_users(account: Account) -> Quota:
    """The account's IAM users, those on their way there too."""
    return _quota(account, "UsersQuota", _iam_users(account), "IAM users")


def _quota(account: Account, name: str, used: int, what: str) -> Quota:
    told = account.summary.get(name)
    if isinstance(told, int):
        return Quota(used, told, what, AS_TOLD)
    return Quota(used, DEFAULTS[name], what, AS_DOCUMENTED)


def _iam_users(account: Account) -> int:
    """AWS's count with what came and went since; without it, those that the portal knows."""
    rows = IAMUser.objects.filter(account=account)
    told = account.summary.get("Users")
    if not isinstance(told, int) or account.read_at is None:
        return rows.present().count()
    came = rows.present().filter(Q(user_id="") | Q(create_date__gt=account.read_at)).count()
    went = rows.filter(gone_at__gt=account.read_at, create_date__lte=account.read_at).exclude(user_id="").count()
    return told + came - went
