"""AWS Identity and Access Management: one method per API operation, split by noun."""

from portal.aws.iam.access_keys import AccessKeys
from portal.aws.iam.account import Account
from portal.aws.iam.credential_report import CredentialReports
from portal.aws.iam.credentials import Credentials
from portal.aws.iam.groups import Groups
from portal.aws.iam.identity_providers import IdentityProviders
from portal.aws.iam.mfa_devices import MFADevices
from portal.aws.iam.policies import Policies
from portal.aws.iam.simulation import Simulations
from portal.aws.iam.users import Users


class IAM(
    AccessKeys,
    Account,
    CredentialReports,
    Credentials,
    Groups,
    IdentityProviders,
    MFADevices,
    Policies,
    Simulations,
    Users,
):
    """IAM in one account. Methods and keywords bear AWS's names in snake_case; each raises `portal.aws.errors`."""
