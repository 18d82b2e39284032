"""The records room's admins, one file each; importing them registers them."""

from accounts.admin.access_key import AccessKeyAdmin
from accounts.admin.account import AccountAdmin
from accounts.admin.account_discovery import AccountDiscoveryAdmin
from accounts.admin.account_import import AccountImportAdmin
from accounts.admin.boundary import BoundaryAdmin
from accounts.admin.bulk_change import BulkChangeAdmin
from accounts.admin.bulk_row import BulkRowAdmin
from accounts.admin.calendar_feed import CalendarFeedAdmin
from accounts.admin.connection_test import ConnectionTestAdmin
from accounts.admin.delivery import DeliveryAdmin
from accounts.admin.discovered_account import DiscoveredAccountAdmin
from accounts.admin.drift import DriftAdmin
from accounts.admin.entry import EntryAdmin
from accounts.admin.envelope import EnvelopeAdmin
from accounts.admin.group_grant import GroupGrantAdmin
from accounts.admin.iam_credential import IAMCredentialAdmin
from accounts.admin.iam_group import IAMGroupAdmin
from accounts.admin.iam_policy import IAMPolicyAdmin
from accounts.admin.iam_provider import IAMProviderAdmin
from accounts.admin.iam_role import IAMRoleAdmin
from accounts.admin.iam_user import IAMUserAdmin
from accounts.admin.iam_user_record import IAMUserRecordAdmin
from accounts.admin.invitation import InvitationAdmin
from accounts.admin.key_destination import KeyDestinationAdmin
from accounts.admin.key_reminder import KeyReminderAdmin
from accounts.admin.key_snooze import KeySnoozeAdmin
from accounts.admin.login_profile import LoginProfileAdmin
from accounts.admin.membership import MembershipAdmin
from accounts.admin.mfa_device import MFADeviceAdmin
from accounts.admin.mfa_registration import MFARegistrationAdmin
from accounts.admin.offboarded_iam_user import OffboardedIAMUserAdmin
from accounts.admin.offboarding import OffboardingAdmin
from accounts.admin.organization import OrganizationAdmin
from accounts.admin.ownership_rule import OwnershipRuleAdmin
from accounts.admin.person import PersonAdmin
from accounts.admin.request import RequestAdmin
from accounts.admin.rotation import RotationAdmin
from accounts.admin.rotation_ask import RotationAskAdmin
from accounts.admin.sealed_secret import SealedSecretAdmin
from accounts.admin.team import TeamAdmin
from accounts.admin.used_signature import UsedSignatureAdmin

__all__ = [
    "AccessKeyAdmin",
    "AccountAdmin",
    "AccountDiscoveryAdmin",
    "AccountImportAdmin",
    "BoundaryAdmin",
    "BulkChangeAdmin",
    "BulkRowAdmin",
    "CalendarFeedAdmin",
    "ConnectionTestAdmin",
    "DeliveryAdmin",
    "DiscoveredAccountAdmin",
    "DriftAdmin",
    "EntryAdmin",
    "EnvelopeAdmin",
    "GroupGrantAdmin",
    "IAMCredentialAdmin",
    "IAMGroupAdmin",
    "IAMPolicyAdmin",
    "IAMProviderAdmin",
    "IAMRoleAdmin",
    "IAMUserAdmin",
    "IAMUserRecordAdmin",
    "InvitationAdmin",
    "KeyDestinationAdmin",
    "KeyReminderAdmin",
    "KeySnoozeAdmin",
    "LoginProfileAdmin",
    "MFADeviceAdmin",
    "MFARegistrationAdmin",
    "MembershipAdmin",
    "OffboardedIAMUserAdmin",
    "OffboardingAdmin",
    "OrganizationAdmin",
    "OwnershipRuleAdmin",
    "PersonAdmin",
    "RequestAdmin",
    "RotationAdmin",
    "RotationAskAdmin",
    "SealedSecretAdmin",
    "TeamAdmin",
    "UsedSignatureAdmin",
]
