"""The permissions boundary that the portal writes for a team's IAM users.

It lets through what the envelope may have, and denies in so many words what nobody below the portal may do: a
resource-based policy goes past what a boundary merely leaves out (IAM User Guide, "Permissions boundaries for IAM
entities"). A boundary does not follow its user into a role, so the roles that matter are named.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from accounts.policy.actions import is_everything, meant, names
from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.documents import read

# IAM's quota for a managed policy; white space is not counted.
LONGEST = 6144

# Everything that changes IAM, by verb, but for changing one's own password, which the first sign-in asks for.
IAM_CHANGES = (
    "Accept", "Acquire", "Add", "Associate", "Attach", "Create", "Deactivate", "Delete", "Detach", "Disable", "Enable",
    "Pass", "Put", "Reject", "Remove", "Reset", "Resync", "Send", "Set", "Tag", "Untag", "Update", "Upload",
)  # fmt: skip
# What is left of it. New verbs of AWS's are in neither list, and so are not let through.
IAM_REMAINS = (
    "iam:ChangePassword", "iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*",
    "iam:List*", "iam:Simulate*",
)  # fmt: skip
# Identities, limits and sign-in of whole accounts, the boundary and its versions among them.
MUST_NEVER = (
    *(f"iam:{verb}*" for verb in IAM_CHANGES),
    "organizations:*",
    "account:*",
    "sso:*",
    "sso-directory:*",
    "identitystore:*",
    "cognito-identity:SetIdentityPoolRoles",
    "cognito-identity:SetPrincipalTagAttributeMap",
    "cognito-identity:UpdateIdentityPool",
    "ds:CreateTrust",
    "ds:UpdateTrust",
    "ds:ResetUserPassword",
    "ds-data:*",
    "rolesanywhere:*",
    "sts:AssumeRoot",
    "sts:TagSession",
)
# Ways into what runs with rights of its own. An organization may accept some for a team whose work they are.
INTO_COMPUTE = (
    "bedrock-agentcore:InvokeCodeInterpreter",
    "cloudformation:ExecuteChangeSet",
    "codestar:*",
    "ec2-instance-connect:Send*",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyLaunchTemplate",
    "ecs:ExecuteCommand",
    "glue:UpdateDevEndpoint",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    "sagemaker:UpdateNotebookInstance",
    "ssm:SendCommand",
    "ssm:StartSession",
)


class TooLong(ValueError):
    """The envelope names more than a policy can hold; says by how much, for people."""


def boundary_document(
    *, protected_roles: Collection[str], allowed: Collection[str] = ("*",), accepted: Collection[str] = ()
) -> dict[str, object]:
    """The document, ready for `iam:CreatePolicy` and `iam:CreatePolicyVersion`.

    `protected_roles` are the ARNs of the roles that no member may assume, the portal's own first of all; `*` may stand
    in them. `allowed` are the actions that the envelope may have. `accepted` are those of INTO_COMPUTE that this
    team may have, as they are written there.

    :raises ValueError: when no role is protected, or something is accepted that is not of INTO_COMPUTE.
    :raises Unreadable: when an action is not of the form that IAM takes.
    :raises TooLong: when it has more characters than IAM takes.
    """
    if not protected_roles:
        raise ValueError("A boundary protects at least the portal's own role.")
    if not set(accepted) <= set(INTO_COMPUTE):
        raise ValueError(f"Nobody may be given {', '.join(sorted(set(accepted) - set(INTO_COMPUTE)))}.")
    denied = [*MUST_NEVER, *(action for action in INTO_COMPUTE if action not in accepted)]
    document: dict[str, object] = {
        "Version": "2012-10-17",
        "Statement": [
            *_allowing(allowed),
            {"Sid": "Never", "Effect": "Deny", "Action": denied, "Resource": "*"},
            {"Sid": "Roles", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": sorted(protected_roles)},
        ],
    }
    read(document)
    _require_room(document)
    return document


def _allowing(allowed: Collection[str]) -> list[dict[str, object]]:
    if not any(map(is_everything, allowed)):
        return [{"Sid": "Envelope", "Effect": "Allow", "Action": sorted(allowed), "Resource": "*"}]
    return [
        {"Sid": "Envelope", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        {"Sid": "Reading", "Effect": "Allow", "Action": list(IAM_REMAINS), "Resource": "*"},
    ]


def gaps(document: str | Mapping[str, object] | None) -> tuple[str, ...]:
    """The actions that a boundary must deny and this one does not, in lower case; all of them where it cannot be read.

    For telling drift, and whether a boundary that the portal did not write can take the place of one that it did.
    """
    denied = closure_of([], boundary=PolicyDocument("boundary", document)).denied
    return names(meant(action.lower() for action in MUST_NEVER) - denied)


def _require_room(document: Mapping[str, object]) -> None:
    length = len(json.dumps(document, separators=(",", ":")))
    if length > LONGEST:
        raise TooLong(
            f"The boundary would have {length:,} characters and AWS takes {LONGEST:,}. Name fewer actions or roles, or "
            "shorten them with a *."
        )
