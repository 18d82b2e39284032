"""What an administrator puts in place in an AWS account before the portal can enter it, in three forms to choose from.

All three say the same: a role, its trust policy with the account's external id, and the one inline policy that allows
what the portal does. The values are of forms that need no quoting anywhere: digits, ARNs, and our own random text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.conf import settings

from accounts import arns
from accounts.models import Account
from portal.aws import permissions

POLICY_NAME = "gatehouse"
# AWS CloudFormation quotas: "Mapping attributes". Each account is one.
ACCOUNTS_PER_TEMPLATE = 200
HERE = {"partition": "${AWS::Partition}", "account_id": "${AWS::AccountId}"}


@dataclass(frozen=True)
class RoleDocument:
    """One document: how it is called, where its tab and download lie (`form` is the file's ending), and its text."""

    form: str
    words: str
    how: str
    content_type: str
    text: str


@dataclass(frozen=True)
class Role:
    """A role to be put in place: the keywords that CreateRole would take, and its inline policy."""

    name: str
    path: str
    trust: permissions.Document
    policy: permissions.Document


def can_be_written() -> bool:
    """Whether the portal knows whom the roles must trust: its own role or user in AWS."""
    return bool(settings.HUB_PRINCIPAL_ARN)


def role_of(account: Account, *, with_discovery: bool) -> Role:
    """The role by which the portal enters the account."""
    path, name = arns.role_path_and_name(account.role_arn)
    return Role(
        name=name,
        path=path,
        trust=permissions.trust_policy(hub_principal_arn=settings.HUB_PRINCIPAL_ARN, external_id=account.external_id),
        policy=permissions.role_policy(
            partition=account.partition,
            account_id=account.account_id,
            role_arn=account.role_arn,
            with_discovery=with_discovery,
        ),
    )


def documents_of(account: Account, *, with_discovery: bool = False) -> tuple[RoleDocument, ...]:
    """The three forms; `with_discovery` lets the role list the accounts of its AWS organization too."""
    role = role_of(account, with_discovery=with_discovery)
    return (
        RoleDocument(
            form="json",
            words="CloudFormation",
            how="Create a stack from this template in any region of the account; IAM is the same in all of them.",
            content_type="application/json",
            text=_template(f"The role by which Gatehouse enters account {account.account_id}.", role),
        ),
        RoleDocument(
            form="tf",
            words="Terraform",
            how="Apply this with a provider that works in the account.",
            content_type="text/plain; charset=utf-8",
            text=_terraform(role),
        ),
        RoleDocument(
            form="sh",
            words="AWS CLI",
            how="Run this with an administrator's credentials of the account. It may be run again.",
            content_type="application/x-sh",
            text=_shell(account, role),
        ),
    )


def stack_set_templates(accounts: Iterable[Account]) -> tuple[str, ...]:
    """CloudFormation templates for a StackSet over many accounts: each account finds its own external id in a mapping.

    One for each name of a role, and for each two hundred accounts: in an account that it does not name a template
    fails, and makes nothing.
    """
    by_role = sorted(accounts, key=lambda account: (_role_key(account), account.account_id))
    return tuple(
        _stack_set_template(path, name, part)
        for (path, name), group in groupby(by_role, key=_role_key)
        for part in _parts(list(group))
    )


def _role_key(account: Account) -> tuple[str, str]:
    return arns.role_path_and_name(account.role_arn)


def _parts(accounts: list[Account]) -> list[list[Account]]:
    return [accounts[at : at + ACCOUNTS_PER_TEMPLATE] for at in range(0, len(accounts), ACCOUNTS_PER_TEMPLATE)]


def _stack_set_template(path: str, name: str, accounts: Sequence[Account]) -> str:
    found = {"Fn::FindInMap": ["Accounts", {"Ref": "AWS::AccountId"}, "ExternalId"]}
    role_arn = f"arn:{HERE['partition']}:iam::{HERE['account_id']}:role{path}{name}"
    role = Role(
        name=name,
        path=path,
        trust=permissions.trust_policy(hub_principal_arn=settings.HUB_PRINCIPAL_ARN, external_id=found),
        policy=_substituted(permissions.role_policy(**HERE, role_arn=role_arn, with_discovery=False)),
    )
    return _template(
        "The roles by which Gatehouse enters these accounts, each with an external ID of its own.",
        role,
        Mappings={"Accounts": {account.account_id: {"ExternalId": account.external_id} for account in accounts}},
    )


def _substituted(policy: permissions.Document) -> permissions.Document:
    """The policy with CloudFormation's own names of account and partition filled in by CloudFormation."""
    statements = [
        statement | {"Resource": {"Fn::Sub": statement["Resource"]}} if "${" in statement["Resource"] else statement
        for statement in policy["Statement"]
    ]
    return policy | {"Statement": statements}


def _template(description: str, role: Role, **sections: Any) -> str:
    properties = {
        "RoleName": role.name,
        "Path": role.path,
        "AssumeRolePolicyDocument": role.trust,
        "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": role.policy}],
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        **sections,
        "Resources": {"GatehouseRole": {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["GatehouseRole", "Arn"]}}},
    }
    return json.dumps(template, indent=2) + "\n"


TERRAFORM = """\
resource "aws_iam_role" "gatehouse" {{
  name = "{name}"
  path = "{path}"
  assume_role_policy = jsonencode({trust})
}}

resource "aws_iam_role_policy" "gatehouse" {{
  name = "{policy_name}"
  role = aws_iam_role.gatehouse.id
  policy = jsonencode({policy})
}}
"""


def _terraform(role: Role) -> str:
    """Terraform's objects may be written as JSON is; the spaces are those of `terraform fmt`."""

    def literal(document: permissions.Document) -> str:
        return json.dumps(document, indent=2, separators=(",", " : ")).replace("\n", "\n  ")

    return TERRAFORM.format(
        name=role.name, path=role.path, policy_name=POLICY_NAME, trust=literal(role.trust), policy=literal(role.policy)
    )


SHELL = """\
#!/bin/sh
# Makes the role by which Gatehouse enters account {account_id}, or mends the one that is there.
set -eu

account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != "{account_id}" ]; then
  echo "These credentials are of account $account, not of {account_id}. Nothing was changed." >&2
  exit 1
fi

trust=$(cat <<'END'
{trust}
END
)
policy=$(cat <<'END'
{policy}
END
)

if aws iam get-role --role-name '{name}' >/dev/null 2>&1; then
  aws iam update-assume-role-policy --role-name '{name}' --policy-document "$trust"
else
  aws iam create-role --role-name '{name}' --path '{path}' --assume-role-policy-document "$trust" >/dev/null
fi
aws iam put-role-policy --role-name '{name}' --policy-name '{policy_name}' --policy-document "$policy"
echo "The role {name} is in place. Test the connection in Gatehouse now."
"""


def _shell(account: Account, role: Role) -> str:
    return SHELL.format(
        account_id=account.account_id,
        name=role.name,
        path=role.path,
        policy_name=POLICY_NAME,
        trust=json.dumps(role.trust, indent=2),
        policy=json.dumps(role.policy, indent=2),
    )
