"""The nouns: one file each."""

from accounts.models.account import Account
from accounts.models.account_import import AccountImport
from accounts.models.credentials import AccessKey, LoginProfile, MFADevice
from accounts.models.duty import Duty
from accounts.models.facts import Source
from accounts.models.iam_group import GroupMembership, IAMGroup
from accounts.models.iam_policy import IAMPolicy
from accounts.models.iam_role import IAMRole
from accounts.models.iam_user import IAMUser
from accounts.models.membership import Membership
from accounts.models.organization import Envelope, Organization, Team
from accounts.models.person import Person

__all__ = [
    "AccessKey",
    "Account",
    "AccountImport",
    "Duty",
    "Envelope",
    "GroupMembership",
    "IAMGroup",
    "IAMPolicy",
    "IAMRole",
    "IAMUser",
    "LoginProfile",
    "MFADevice",
    "Membership",
    "Organization",
    "Person",
    "Source",
    "Team",
]
