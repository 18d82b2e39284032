"""What an account's summary and password policy say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import Account

# What is counted, by the names of GetAccountSummary, and the quota that holds for it.
COUNTED = {
    "Users": ("IAM users", "UsersQuota"),
    "Groups": ("IAM groups", "GroupsQuota"),
    "Roles": ("IAM roles", "RolesQuota"),
    "Policies": ("Managed policies", "PoliciesQuota"),
    "MFADevicesInUse": ("MFA devices in use", ""),
}
CLASSES = {
    "require_uppercase_characters": "upper case",
    "require_lowercase_characters": "lower case",
    "require_numbers": "digits",
    "require_symbols": "symbols",
}
# IAM User Guide, "Set an account password policy for IAM users".
DEFAULT = "AWS's default: at least 8 characters of three kinds, for ever"


@dataclass(frozen=True)
class Quota:
    """How many there are, of how many at most; 0 where AWS names no limit."""

    words: str
    held: int
    most: int


def quotas(account: Account) -> list[Quota]:
    """The counts that the summary tells, with their quotas."""
    told: Mapping[str, int] = account.summary
    counted = ((words, name, quota) for name, (words, quota) in COUNTED.items() if name in told)
    return [Quota(words, told[name], told.get(quota, 0)) for words, name, quota in counted]


def root(account: Account) -> str:
    """How the root user stands: it should have MFA and no access keys (IAM User Guide, "Root user best practices")."""
    mfa = "Has MFA" if account.summary.get("AccountMFAEnabled") else "Has no MFA"
    keys = "has access keys" if account.summary.get("AccountAccessKeysPresent") else "no access keys"
    return f"{mfa}, {keys}"


def passwords(account: Account) -> str:
    """The password policy in one line."""
    policy = account.password_policy
    if policy is None:
        return DEFAULT
    kinds = [words for name, words in CLASSES.items() if policy.get(name)]
    with_kinds = f" with {', '.join(kinds)}" if kinds else ""
    days = policy.get("max_password_age")
    lasting = f", for {days} days" if days else ", for ever"
    return f"At least {policy['minimum_password_length']} characters{with_kinds}{lasting}"
