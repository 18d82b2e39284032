"""What the portal's role in an AWS account must be allowed: exactly the operations that this package calls.

A test walks the source and fails where the table and the calls differ. Resources are those of the Service Authorization
Reference, "Actions, resources, and condition keys for AWS Identity and Access Management": a read names no resource
that could be narrowed without losing what an import needs, a change names the users, groups or devices of the account.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# On everything: without one of them an account cannot be read.
READS = (
    "iam:GenerateCredentialReport",
    "iam:GetAccessKeyLastUsed",
    "iam:GetAccountAuthorizationDetails",
    "iam:GetAccountPasswordPolicy",
    "iam:GetAccountSummary",
    "iam:GetCredentialReport",
    "iam:GetGroup",
    "iam:GetLoginProfile",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAccessKeys",
    "iam:ListAccountAliases",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroups",
    "iam:ListGroupsForUser",
    "iam:ListMFADevices",
    "iam:ListOpenIDConnectProviders",
    "iam:ListPolicyVersions",
    "iam:ListSAMLProviders",
    "iam:ListServiceSpecificCredentials",
    "iam:ListSigningCertificates",
    "iam:ListSSHPublicKeys",
    "iam:ListUserPolicies",
    "iam:ListUserTags",
    "iam:ListVirtualMFADevices",
)

# By the resources of the account that they change.
CHANGES: Mapping[str, tuple[str, ...]] = {
    "user/*": (
        "iam:AttachUserPolicy",
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:CreateUser",
        "iam:DeactivateMFADevice",
        "iam:DeleteAccessKey",
        "iam:DeleteLoginProfile",
        "iam:DeleteServiceSpecificCredential",
        "iam:DeleteSigningCertificate",
        "iam:DeleteSSHPublicKey",
        "iam:DeleteUser",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DeleteUserPolicy",
        "iam:DetachUserPolicy",
        "iam:EnableMFADevice",
        "iam:PutUserPermissionsBoundary",
        "iam:PutUserPolicy",
        "iam:ResyncMFADevice",
        "iam:TagUser",
        "iam:UntagUser",
        "iam:UpdateAccessKey",
        "iam:UpdateLoginProfile",
        "iam:UpdateUser",
    ),
    "group/*": ("iam:AddUserToGroup", "iam:RemoveUserFromGroup"),
    "mfa/*": ("iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"),
    # Of managed policies those alone that the portal makes itself, which have a path of their own.
    "policy/gatehouse/*": ("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion"),
}
# Tags that are given when a thing is made take a permission of their own, on the same resource.
TAGGED_WHEN_MADE: Mapping[str, tuple[str, ...]] = {
    "mfa/*": ("iam:TagMFADevice",),
    "policy/gatehouse/*": ("iam:TagPolicy",),
}

# Where applications read their access keys: secrets that the portal makes itself, by their names, in each Region.
SECRETS = (
    "secretsmanager:CreateSecret",
    "secretsmanager:DescribeSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
KEPT_UNDER = "gatehouse/"
TAG_SECRETS = "secretsmanager:TagResource"

# On the role itself: to see in a test which of the others are missing.
SELF_TEST = "iam:SimulatePrincipalPolicy"
# For the management account of an AWS organization, or a delegated administrator, where its accounts are to be found.
DISCOVERY = ("organizations:DescribeOrganization", "organizations:ListAccounts")
# The hub's own policy allows the first; AWS asks for no permission for the second (STS API reference).
NOT_OF_THE_ROLE = ("sts:AssumeRole", "sts:GetCallerIdentity")

# IAM and AWS STS quotas: the inline policies of a role, a role's trust policy; white space is not counted.
ROLE_POLICY_SIZE, TRUST_POLICY_SIZE = 10_240, 2_048

# A policy's JSON.
Document = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """Actions to be asked about, on one resource: an ARN, or `*`."""

    resource_arn: str
    actions: tuple[str, ...]


def changes() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The resource of the account and all that the role must be allowed there."""
    for resource, actions in CHANGES.items():
        yield resource, actions + TAGGED_WHEN_MADE.get(resource, ())


def questions_about_changes(*, partition: str, account_id: str) -> tuple[Question, ...]:
    """The changes, each on a thing that need not exist: SimulatePrincipalPolicy compares names only."""
    return tuple(
        Question(f"arn:{partition}:iam::{account_id}:{resource.replace('*', 'gatehouse-test')}", actions)
        for resource, actions in changes()
    )


def trust_policy(*, hub_principal_arn: str, external_id: object) -> Document:
    """Who may assume the role: the hub, and only with the external id, which may be a function of CloudFormation.

    Source: IAM User Guide, "Access to AWS accounts owned by third parties".
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": hub_principal_arn},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return _document([statement])


def role_policy(*, partition: str, account_id: str, role_arn: str, with_discovery: bool) -> Document:
    """What the role may do: read IAM, change users and what hangs on them, keep its own secrets, ask about itself."""
    statements = [_allow("ReadIAM", READS, "*")]
    for resource, actions in changes():
        name = resource.partition("/")[0].title().replace("-", "")
        statements.append(_allow(f"Change{name}", actions, f"arn:{partition}:iam::{account_id}:{resource}"))
    secrets = f"arn:{partition}:secretsmanager:*:{account_id}:secret:{KEPT_UNDER}*"
    statements.append(_allow("KeepSecrets", (*SECRETS, TAG_SECRETS), secrets))
    statements.append(_allow("SeeWhatIsAllowed", [SELF_TEST], role_arn))
    if with_discovery:
        statements.append(_allow("FindAccounts", DISCOVERY, "*"))
    return _document(statements)


def _allow(name: str, actions: tuple[str, ...] | list[str], resource: str) -> Document:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}
