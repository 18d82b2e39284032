"""The nouns: one file each."""

from accounts.models.account import Account
from accounts.models.account_discovery import AccountDiscovery
from accounts.models.account_import import AccountImport
from accounts.models.boundary import Boundary
from accounts.models.bulk_change import BulkChange, BulkRow
from accounts.models.connection_test import ConnectionTest
from accounts.models.credentials import AccessKey, IAMCredential, LoginProfile, MFADevice
from accounts.models.discovered_account import DiscoveredAccount
from accounts.models.drift import Drift
from accounts.models.duty import Duty
from accounts.models.facts import Source
from accounts.models.group_grant import GroupGrant
from accounts.models.iam_group import GroupMembership, IAMGroup
from accounts.models.iam_policy import IAMPolicy
from accounts.models.iam_provider import IAMProvider
from accounts.models.iam_role import IAMRole
from accounts.models.iam_user import IAMUser
from accounts.models.iam_user_record import IAMUserRecord
from accounts.models.invitation import Invitation
from accounts.models.key_destination import KeyDestination
from accounts.models.key_reminder import CalendarFeed, KeyReminder, KeySnooze
from accounts.models.membership import Membership
from accounts.models.mfa_registration import MFARegistration
from accounts.models.offboarding import OffboardedIAMUser, Offboarding
from accounts.models.organization import Envelope, Organization, Team
from accounts.models.ownership_rule import OwnershipRule
from accounts.models.person import Person
from accounts.models.request import Request
from accounts.models.rotation import Rotation
from accounts.models.rotation_ask import RotationAsk
from accounts.models.used_signature import UsedSignature

__all__ = [
    "AccessKey",
    "Account",
    "AccountDiscovery",
    "AccountImport",
    "Boundary",
    "BulkChange",
    "BulkRow",
    "CalendarFeed",
    "ConnectionTest",
    "DiscoveredAccount",
    "Drift",
    "Duty",
    "Envelope",
    "GroupGrant",
    "GroupMembership",
    "IAMCredential",
    "IAMGroup",
    "IAMPolicy",
    "IAMProvider",
    "IAMRole",
    "IAMUser",
    "IAMUserRecord",
    "Invitation",
    "KeyDestination",
    "KeyReminder",
    "KeySnooze",
    "LoginProfile",
    "MFADevice",
    "MFARegistration",
    "Membership",
    "OffboardedIAMUser",
    "Offboarding",
    "Organization",
    "OwnershipRule",
    "Person",
    "Request",
    "Rotation",
    "RotationAsk",
    "Source",
    "Team",
    "UsedSignature",
]
