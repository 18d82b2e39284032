"""The AWS accounts of the demo: their door for the portal, and the groups, policies and roles in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.aws.simulator import demo_users
from portal.aws.simulator.demo_users import DemoUser

PORTAL_ROLE = "gatehouse-portal"


@dataclass(frozen=True)
class DemoAccount:
    """One account; `external_id` is what the portal's role asks for, `is_connected` whether the portal knows it."""

    account_id: str
    alias: str
    organization: str
    external_id: str
    users: Mapping[str, Sequence[DemoUser]]
    is_connected: bool = True

    @property
    def role_arn(self) -> str:
        """The role through which the portal comes in."""
        return f"arn:aws:iam::{self.account_id}:role/{PORTAL_ROLE}"


ACCOUNTS = (
    DemoAccount("111122223333", "acme-prod", "acme", "demo-acme-prod-9d1f4c7ab2e84d33", demo_users.ACME_PROD),
    DemoAccount("222233334444", "acme-dev", "acme", "demo-acme-dev-51c08e6f7a9b4e12", demo_users.ACME_DEV),
    DemoAccount("333344445555", "globex-main", "globex", "demo-globex-main-c47e2b9015fd46a8", demo_users.GLOBEX_MAIN),
    DemoAccount(
        "444455556666",
        "acme-sandbox",
        "acme",
        "demo-acme-sandbox-2b8f6d3e90c14a75",
        demo_users.ACME_SANDBOX,
        is_connected=False,
    ),
)


def document(*actions: str, on: str = "*") -> dict[str, Any]:
    """A policy that allows these actions."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": on}],
    }


POLICIES = {
    "acme": {
        "ledger-read": document("dynamodb:GetItem", "dynamodb:Query", on="arn:aws:dynamodb:*:*:table/ledger*"),
        "ledger-write": document("dynamodb:PutItem", "dynamodb:UpdateItem", on="arn:aws:dynamodb:*:*:table/ledger*"),
        "payments-deploy": document("ecs:UpdateService", "ecs:RegisterTaskDefinition", "ecr:PutImage"),
        "payments-operate": document("ecs:Describe*", "ecs:List*", "logs:GetLogEvents", "cloudwatch:GetMetricData"),
    },
    "globex": {
        "warehouse-read": document("s3:GetObject", "s3:ListBucket", on="arn:aws:s3:::globex-warehouse*"),
        "warehouse-write": document("s3:PutObject", "sqs:SendMessage"),
        "shop-deploy": document("lambda:UpdateFunctionCode", "cloudfront:CreateInvalidation"),
    },
}
BOUNDARY = "portal-boundary"
BOUNDARY_DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
    ],
}

# Each group with its policies: a name is the account's own, "aws:" marks AWS's.
GROUPS = {
    "acme": {
        "administrators": ("aws:AdministratorAccess",),
        "ledger-readers": ("ledger-read",),
        "ledger-writers": ("ledger-read", "ledger-write"),
        "payments-deployers": ("payments-deploy", "payments-operate"),
        "payments-operators": ("payments-operate",),
        "platform-engineers": ("aws:PowerUserAccess",),
        "platform-readers": ("aws:ReadOnlyAccess",),
        "support-readonly": ("aws:ReadOnlyAccess",),
        "security-auditors": ("aws:SecurityAudit",),
    },
    "globex": {
        "administrators": ("aws:AdministratorAccess",),
        "operators": ("aws:PowerUserAccess",),
        "readers": ("aws:ReadOnlyAccess",),
        "warehouse-readers": ("warehouse-read",),
        "warehouse-writers": ("warehouse-read", "warehouse-write"),
        "shop-deployers": ("shop-deploy",),
    },
}
INLINE = {
    "payments-operators": ("restart-tasks", document("ecs:StopTask", on="arn:aws:ecs:*:*:task/payments/*")),
    "shop-deployers": ("invalidate", document("cloudfront:GetInvalidation")),
}
SERVICE_ROLES = {
    "acme": {"ledger-task": "ecs-tasks.amazonaws.com", "payments-deploy": "codebuild.amazonaws.com"},
    "globex": {"warehouse-loader": "lambda.amazonaws.com", "shop-deploy": "codebuild.amazonaws.com"},
}
PORTAL_ACTIONS = ("iam:*", "organizations:DescribeOrganization", "organizations:ListAccounts")
