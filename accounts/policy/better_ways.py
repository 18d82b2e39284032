"""You may not need this access key: from how it is used, the better way.

Sources: AWS IAM User Guide, "Security best practices in IAM" (temporary credentials for people and for workloads),
"Use IAM roles for applications that run on EC2", "Create an OpenID Connect identity provider"; AWS CLI User Guide,
"Sign in through the AWS CLI", for `aws login`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """What is known of an access key's use: `is_unused` for 45 days by AWS (CIS AWS Foundations 1.12).

    `words` are the IAM user's name, purpose and tags.
    """

    is_a_persons: bool
    has_console_password: bool
    was_ever_used: bool
    is_unused: bool
    words: str


@dataclass(frozen=True)
class BetterWay:
    """What to do instead, as the end of a sentence; why; and how."""

    title: str
    why: str
    how: str


UNUSED = BetterWay(
    "delete it",
    "Nothing has used it for 45 days.",
    "Make it inactive; if nobody misses it, delete it.",
)
CONSOLE = BetterWay(
    "sign in to the console instead",
    "It was never used, and this IAM user signs in to the console with a password.",
    "Delete the key. For the command line, aws login takes the sign-in of your browser.",
)
PERSON = BetterWay(
    "use aws login",
    "People need no access key on their own machine: it lies there in clear and works from anywhere.",
    "aws login of the AWS CLI (2.32 or newer) takes the sign-in of your browser and ends by itself.",
)
CI = BetterWay(
    "let the pipeline sign in by OpenID Connect",
    "Build systems can prove who they are to AWS, so that no key lies in their settings.",
    "Create an OIDC identity provider in IAM and a role that trusts one repository or project of it.",
)
LAMBDA = BetterWay(
    "use the function's execution role",
    "A Lambda function has temporary credentials of its role at hand.",
    "Give the execution role what the key may do, then take the key out of the environment.",
)
EC2 = BetterWay(
    "use an instance profile",
    "What runs on EC2, ECS or EKS gets temporary credentials of a role, renewed by AWS.",
    "Give the role what the key may do and attach it to the instance, task or service account.",
)
ELSEWHERE = BetterWay(
    "use IAM Roles Anywhere, or a role",
    "A workload outside AWS can sign in with a certificate and get temporary credentials.",
    "If it runs in AWS, give its role what the key may do. Elsewhere, see IAM Roles Anywhere.",
)

# How people name what runs there; whole words only.
_NAMED = (
    (re.compile(r"\b(ci|cd|github|gitlab|jenkins|circleci|buildkite|bitbucket|pipeline|actions|deploy(er)?)\b"), CI),
    (re.compile(r"\b(lambda|function)\b"), LAMBDA),
    (re.compile(r"\b(ec2|ecs|eks|instance|autoscaling|kubernetes|k8s)\b"), EC2),
)


def better_way(use: Use) -> BetterWay:
    """The better way than this key: there is one for each, since none needs to be long-lived."""
    if use.is_unused:
        return UNUSED
    if use.is_a_persons:
        return CONSOLE if use.has_console_password and not use.was_ever_used else PERSON
    words = re.sub(r"[\W_]+", " ", use.words.lower())
    return next((way for pattern, way in _NAMED if pattern.search(words)), ELSEWHERE)
