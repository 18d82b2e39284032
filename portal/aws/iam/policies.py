"""Policies that hang on IAM users."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from portal.aws.calls import Calls

# botocore decodes policy documents; what is no JSON object stays the text that AWS holds.
PolicyDocument: TypeAlias = Mapping[str, Any] | str


@dataclass(frozen=True)
class AttachedPolicy:
    """A managed policy that is attached to a user, group or role."""

    policy_name: str
    policy_arn: str


class Policies(Calls):
    """Operations on the policies of users; each list raises NotFound when there is no such user."""

    def list_user_policies(self, *, user_name: str) -> tuple[str, ...]:
        """The names of the inline policies."""
        return tuple(self._all("ListUserPolicies", "PolicyNames", UserName=user_name))

    def get_user_policy(self, *, user_name: str, policy_name: str) -> PolicyDocument:
        """The document of one inline policy; what is no JSON object stays the text that AWS holds.

        :raises NotFound: when the user has no such inline policy.
        """
        document: PolicyDocument = self._read("GetUserPolicy", UserName=user_name, PolicyName=policy_name)[
            "PolicyDocument"
        ]
        return document

    def put_user_policy(self, *, user_name: str, policy_name: str, policy_document: str) -> None:
        """Write an inline policy, in place of the one of this name; the document is JSON text.

        :raises Refused: when the document is no policy, or the user's inline policies become longer than 2,048
            characters.
        :raises NotFound: when there is no such user.
        """
        self._write("PutUserPolicy", UserName=user_name, PolicyName=policy_name, PolicyDocument=policy_document)

    def delete_user_policy(self, *, user_name: str, policy_name: str) -> None:
        """:raises NotFound: when the user has no such inline policy."""
        self._write("DeleteUserPolicy", UserName=user_name, PolicyName=policy_name)

    def list_attached_user_policies(self, *, user_name: str) -> tuple[AttachedPolicy, ...]:
        """The managed policies, AWS's and the account's own."""
        return tuple(
            AttachedPolicy(policy_name=told["PolicyName"], policy_arn=told["PolicyArn"])
            for told in self._all("ListAttachedUserPolicies", "AttachedPolicies", UserName=user_name)
        )

    def attach_user_policy(self, *, user_name: str, policy_arn: str) -> None:
        """Attaching a policy again is no error.

        :raises NotFound: when the user or the policy is not there.
        :raises Refused: when as many policies are attached to the user as the account's quota allows.
        """
        self._write("AttachUserPolicy", UserName=user_name, PolicyArn=policy_arn)

    def detach_user_policy(self, *, user_name: str, policy_arn: str) -> None:
        """:raises NotFound: when the policy is not attached to the user."""
        self._write("DetachUserPolicy", UserName=user_name, PolicyArn=policy_arn)
