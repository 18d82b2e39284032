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
    BOUNDARY_CREATED = "accounts.boundary.created"
    BOUNDARY_CHANGED = "accounts.boundary.changed"
    BOUNDARY_RESTORED = "accounts.boundary.restored"
    IAM_USER_ASSIGNED = "accounts.iam_user.assigned"
    LOGIN_PROFILE_CREATED = "accounts.login_profile.created"
    LOGIN_PROFILE_RESET = "accounts.login_profile.reset"
    LOGIN_PROFILE_DELETED = "accounts.login_profile.deleted"
    ACCESS_KEY_CREATED = "accounts.access_key.created"
    ACCESS_KEY_CLEARED_UP = "accounts.access_key.cleared_up"
    SECRET_OPENED = "accounts.secret.opened"  # noqa: S105 -- the name of a kind
    SECRET_ASKED_AGAIN = "accounts.secret.asked_again"  # noqa: S105 -- the name of a kind
    SECRET_EXPIRED = "accounts.secret.expired"  # noqa: S105 -- the name of a kind
    SECRET_GIVEN_UP = "accounts.secret.given_up"  # noqa: S105 -- the name of a kind
    SECRET_HANDED_OVER = "accounts.secret.handed_over"  # noqa: S105 -- the name of a kind
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
    PERSON_INVITED = "accounts.person.invited"
    INVITATION_ACCEPTED = "accounts.invitation.accepted"
    INVITATION_REVOKED = "accounts.invitation.revoked"
    MEMBERSHIP_GRANTED = "accounts.membership.granted"
    MEMBERSHIP_ENDED = "accounts.membership.ended"
    TEAM_CREATED = "accounts.team.created"
    TEAM_RENAMED = "accounts.team.renamed"
    ENVELOPE_CHANGED = "accounts.envelope.changed"
    IAM_USER_RENAMED = "accounts.iam_user.renamed"
    IAM_USER_PATH_CHANGED = "accounts.iam_user.path_changed"
    IAM_USER_BOUNDARY_CHANGED = "accounts.iam_user.boundary_changed"
    IAM_USER_POLICY_ATTACHED = "accounts.iam_user.policy_attached"
    IAM_USER_POLICY_DETACHED = "accounts.iam_user.policy_detached"
    BULK_STARTED = "accounts.bulk.started"
    IAM_USERS_EXPORTED = "accounts.iam_user.exported"
    OFFBOARDING_STARTED = "accounts.offboarding.started"
    OFFBOARDING_UNDONE = "accounts.offboarding.undone"
    IAM_USER_DISABLED = "accounts.iam_user.disabled"
    IAM_USER_ENABLED = "accounts.iam_user.enabled"
    REQUEST_MADE = "accounts.request.made"
    REQUEST_APPROVED = "accounts.request.approved"
    REQUEST_DECLINED = "accounts.request.declined"
    REQUEST_WITHDRAWN = "accounts.request.withdrawn"
    REQUEST_EXPIRED = "accounts.request.expired"
    REQUEST_LAPSED = "accounts.request.lapsed"
    GROUP_GRANT_MADE = "accounts.group_grant.made"
    GROUP_GRANT_EXTENDED = "accounts.group_grant.extended"
    GROUP_GRANT_ENDED = "accounts.group_grant.ended"
    ROTATION_STARTED = "accounts.rotation.started"
    ROTATION_PROVEN = "accounts.rotation.proven"
    ROTATION_GIVEN_UP = "accounts.rotation.given_up"
    ROTATION_ENDED = "accounts.rotation.ended"
    ACCESS_KEY_DEACTIVATED = "accounts.access_key.deactivated"
    ACCESS_KEY_ACTIVATED = "accounts.access_key.activated"
    ACCESS_KEY_DELETED = "accounts.access_key.deleted"
    KEY_DESTINATION_SET = "accounts.key_destination.set"
    KEY_DESTINATION_ENDED = "accounts.key_destination.ended"
    KEY_REMINDERS_SNOOZED = "accounts.access_key.snoozed"
    CALENDAR_FEED_MADE = "accounts.calendar.made"
    CALENDAR_FEED_ENDED = "accounts.calendar.ended"
    ROTATION_RULE_SET = "accounts.organization.rotation_rule_set"
    ROTATION_ASKED_FOR = "accounts.rotation.asked_for"
    MFA_REGISTRATION_STARTED = "accounts.mfa_device.registration_started"
    MFA_REGISTRATION_ENDED = "accounts.mfa_device.registration_ended"
    MFA_DEVICE_ENABLED = "accounts.mfa_device.enabled"
    MFA_DEVICE_RESYNCED = "accounts.mfa_device.resynced"
    MFA_DEVICE_REMOVED = "accounts.mfa_device.removed"


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
    Kind.BOUNDARY_CREATED: "Create boundary",
    Kind.BOUNDARY_CHANGED: "Change boundary",
    Kind.BOUNDARY_RESTORED: "Restore boundary",
    Kind.IAM_USER_ASSIGNED: "Assign",
    Kind.LOGIN_PROFILE_CREATED: "Create console password",
    Kind.LOGIN_PROFILE_RESET: "Reset password",
    Kind.LOGIN_PROFILE_DELETED: "Remove console access",
    Kind.ACCESS_KEY_CREATED: "Create access key",
    Kind.ACCESS_KEY_CLEARED_UP: "Look for a lost access key",
    Kind.SECRET_OPENED: "Show secret",
    Kind.SECRET_ASKED_AGAIN: "Ask again for a shown secret",
    Kind.SECRET_EXPIRED: "Expire secret",
    Kind.SECRET_GIVEN_UP: "Give up secret",
    Kind.SECRET_HANDED_OVER: "Hand over secret",
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
    Kind.PERSON_INVITED: "Invite person",
    Kind.INVITATION_ACCEPTED: "Accept invitation",
    Kind.INVITATION_REVOKED: "Revoke invitation",
    Kind.MEMBERSHIP_GRANTED: "Add duty",
    Kind.MEMBERSHIP_ENDED: "End duty",
    Kind.TEAM_CREATED: "Create team",
    Kind.TEAM_RENAMED: "Rename team",
    Kind.ENVELOPE_CHANGED: "Change envelope",
    Kind.IAM_USER_RENAMED: "Rename",
    Kind.IAM_USER_PATH_CHANGED: "Change path",
    Kind.IAM_USER_BOUNDARY_CHANGED: "Set boundary",
    Kind.IAM_USER_POLICY_ATTACHED: "Attach policy",
    Kind.IAM_USER_POLICY_DETACHED: "Detach policy",
    Kind.BULK_STARTED: "Start bulk change",
    Kind.IAM_USERS_EXPORTED: "Export IAM users",
    Kind.OFFBOARDING_STARTED: "Offboard",
    Kind.OFFBOARDING_UNDONE: "Undo offboarding",
    Kind.IAM_USER_DISABLED: "Disable IAM user",
    Kind.IAM_USER_ENABLED: "Enable IAM user",
    Kind.REQUEST_MADE: "Request",
    Kind.REQUEST_APPROVED: "Approve",
    Kind.REQUEST_DECLINED: "Decline",
    Kind.REQUEST_WITHDRAWN: "Withdraw",
    Kind.REQUEST_EXPIRED: "Let request expire",
    Kind.REQUEST_LAPSED: "Let request lapse",
    Kind.GROUP_GRANT_MADE: "Grant until a time",
    Kind.GROUP_GRANT_EXTENDED: "Extend",
    Kind.GROUP_GRANT_ENDED: "End grant",
    Kind.ROTATION_STARTED: "Rotate key",
    Kind.ROTATION_PROVEN: "Prove new key",
    Kind.ROTATION_GIVEN_UP: "Give up rotation",
    Kind.ROTATION_ENDED: "End rotation",
    Kind.ACCESS_KEY_DEACTIVATED: "Make key inactive",
    Kind.ACCESS_KEY_ACTIVATED: "Make key active",
    Kind.ACCESS_KEY_DELETED: "Delete access key",
    Kind.KEY_DESTINATION_SET: "Put keys into Secrets Manager",
    Kind.KEY_DESTINATION_ENDED: "Show keys again",
    Kind.KEY_REMINDERS_SNOOZED: "Snooze reminders",
    Kind.CALENDAR_FEED_MADE: "Make calendar address",
    Kind.CALENDAR_FEED_ENDED: "End calendar address",
    Kind.ROTATION_RULE_SET: "Set rotation rule",
    Kind.ROTATION_ASKED_FOR: "Ask to rotate",
    Kind.MFA_REGISTRATION_STARTED: "Register MFA device",
    Kind.MFA_REGISTRATION_ENDED: "Give up MFA device",
    Kind.MFA_DEVICE_ENABLED: "Enable MFA device",
    Kind.MFA_DEVICE_RESYNCED: "Resync MFA device",
    Kind.MFA_DEVICE_REMOVED: "Remove MFA device",
}


def in_words(kind: str) -> str:
    """What a page calls the kind; a kind of another app is shown as it is."""
    return IN_WORDS[Kind(kind)] if kind in set(Kind) else kind
