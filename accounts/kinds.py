"""The kinds of entry that this app writes: `<app>.<what>.<what was decided>`. No Django."""

from enum import StrEnum


class Kind(StrEnum):
    """One for each use-case that records something."""

    ORGANIZATION_CREATED = "accounts.organization.created"
    ACCOUNT_CONNECTED = "accounts.account.connected"
    ACCOUNT_CONNECTION_TESTED = "accounts.account.connection_tested"
    ACCOUNT_REFUSED = "accounts.account.refused"
    ACCOUNT_PACE_SET = "accounts.account.pace_set"
    IAM_USER_CREATED = "accounts.iam_user.created"
    IAM_USER_TAGGED = "accounts.iam_user.tagged"
    IAM_USER_ADDED_TO_GROUP = "accounts.iam_user.added_to_group"
    IAM_USER_REMOVED_FROM_GROUP = "accounts.iam_user.removed_from_group"
    IAM_USER_DELETED = "accounts.iam_user.deleted"
    IAM_USER_ASSIGNED = "accounts.iam_user.assigned"
    LOGIN_PROFILE_CREATED = "accounts.login_profile.created"
    LOGIN_PROFILE_RESET = "accounts.login_profile.reset"
    LOGIN_PROFILE_DELETED = "accounts.login_profile.deleted"
    ACCESS_KEY_CREATED = "accounts.access_key.created"
    SECRET_OPENED = "accounts.secret.opened"  # noqa: S105 -- the name of a kind
    SECRET_ASKED_AGAIN = "accounts.secret.asked_again"  # noqa: S105 -- the name of a kind
    SECRET_EXPIRED = "accounts.secret.expired"  # noqa: S105 -- the name of a kind
    OWNERSHIP_RULE_CREATED = "accounts.ownership_rule.created"
    OWNERSHIP_RULE_CHANGED = "accounts.ownership_rule.changed"
    OWNERSHIP_RULE_MOVED = "accounts.ownership_rule.moved"
    OWNERSHIP_RULE_DELETED = "accounts.ownership_rule.deleted"
    OWNERSHIP_RULES_APPLIED = "accounts.ownership_rule.applied"
    TAG_NAMES_SET = "accounts.organization.tag_names_set"
    DRIFT_ADOPTED = "accounts.drift.adopted"
    DRIFT_REVERTED = "accounts.drift.reverted"
    DELIVERY_RETRIED = "accounts.delivery.retried"
    DELIVERY_GIVEN_UP = "accounts.delivery.given_up"
    LEDGER_EXPORTED = "accounts.ledger.exported"


IN_WORDS = {
    Kind.ORGANIZATION_CREATED: "Create organization",
    Kind.ACCOUNT_CONNECTED: "Connect account",
    Kind.ACCOUNT_CONNECTION_TESTED: "Test connection",
    Kind.ACCOUNT_REFUSED: "Refuse account",
    Kind.ACCOUNT_PACE_SET: "Set pace",
    Kind.IAM_USER_CREATED: "Create IAM user",
    Kind.IAM_USER_TAGGED: "Set tags",
    Kind.IAM_USER_ADDED_TO_GROUP: "Add to group",
    Kind.IAM_USER_REMOVED_FROM_GROUP: "Remove from group",
    Kind.IAM_USER_DELETED: "Delete IAM user",
    Kind.IAM_USER_ASSIGNED: "Assign",
    Kind.LOGIN_PROFILE_CREATED: "Create console password",
    Kind.LOGIN_PROFILE_RESET: "Reset password",
    Kind.LOGIN_PROFILE_DELETED: "Remove console access",
    Kind.ACCESS_KEY_CREATED: "Create access key",
    Kind.SECRET_OPENED: "Show secret",
    Kind.SECRET_ASKED_AGAIN: "Ask again for a shown secret",
    Kind.SECRET_EXPIRED: "Expire secret",
    Kind.OWNERSHIP_RULE_CREATED: "Add rule",
    Kind.OWNERSHIP_RULE_CHANGED: "Change rule",
    Kind.OWNERSHIP_RULE_MOVED: "Move rule",
    Kind.OWNERSHIP_RULE_DELETED: "Delete rule",
    Kind.OWNERSHIP_RULES_APPLIED: "Apply rules",
    Kind.TAG_NAMES_SET: "Set tag names",
    Kind.DRIFT_ADOPTED: "Adopt",
    Kind.DRIFT_REVERTED: "Revert",
    Kind.DELIVERY_RETRIED: "Try again",
    Kind.DELIVERY_GIVEN_UP: "Give up",
    Kind.LEDGER_EXPORTED: "Export ledger",
}


def in_words(kind: str) -> str:
    """What a page calls the kind; a kind of another app is shown as it is."""
    return IN_WORDS[Kind(kind)] if kind in set(Kind) else kind
