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
    REQUEST_MADE = "accounts.request.made"
    REQUEST_APPROVED = "accounts.request.approved"
    REQUEST_DECLINED = "accounts.request.declined"
    REQUEST_WITHDRAWN = "accounts.request.withdrawn"
    REQUEST_EXPIRED = "accounts.request.expired"
    REQUEST_LAPSED = "accounts.request.lapsed"
    GROUP_GRANT_MADE = "accounts.group_grant.made"
    GROUP_GRANT_EXTENDED = "accounts.group_grant.extended"
    GROUP_GRANT_ENDED = "accounts.group_grant.ended"


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
    Kind.REQUEST_MADE: "Request",
    Kind.REQUEST_APPROVED: "Approve",
    Kind.REQUEST_DECLINED: "Decline",
    Kind.REQUEST_WITHDRAWN: "Withdraw",
    Kind.REQUEST_EXPIRED: "Let request expire",
    Kind.REQUEST_LAPSED: "Let request lapse",
    Kind.GROUP_GRANT_MADE: "Grant until a time",
    Kind.GROUP_GRANT_EXTENDED: "Extend",
    Kind.GROUP_GRANT_ENDED: "End grant",
}


def in_words(kind: str) -> str:
    """What a page calls the kind; a kind of another app is shown as it is."""
    return IN_WORDS[Kind(kind)] if kind in set(Kind) else kind
