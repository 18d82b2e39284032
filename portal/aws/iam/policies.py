"""Policies that hang on IAM users, and managed policies with their versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from portal.aws.calls import Calls, given
from portal.aws.iam.users import tag_list, tags_of

# botocore decodes policy documents; what is no JSON object stays the text that AWS holds.
PolicyDocument: TypeAlias = Mapping[str, Any] | str


@dataclass(frozen=True)
class AttachedPolicy:
    """A managed policy that is attached to a user, group or role."""

    policy_name: str
    policy_arn: str


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy as CreatePolicy and GetPolicy tell it, without its document.

    `policy_id` (ANPA…) tells a policy from one that was deleted and made again under the same name.
    """

    policy_name: str
    policy_id: str
    arn: str
    path: str
    default_version_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class PolicyVersion:
    """One version of a managed policy, without its document; `version_id` is `v1`, `v2` and so on."""

    version_id: str
    is_default_version: bool


class Policies(Calls):
    """Operations on policies; each list of a user's raises NotFound when there is no such user."""

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

    def create_policy(
        self, *, policy_name: str, path: str, policy_document: str, description: str, tags: Mapping[str, str]
    ) -> ManagedPolicy:
        """Make a managed policy whose first version is this document, JSON text of at most 6,144 characters.

        :raises Conflict: when a policy has this name already, under whatever path.
        :raises Refused: when the document is no policy, or as many policies are there as the account's quota allows.
        """
        answer = self._write(
            "CreatePolicy",
            PolicyName=policy_name,
            Path=path,
            PolicyDocument=policy_document,
            Description=description,
            Tags=tag_list(tags),
        )
        return _managed_policy(answer["Policy"])

    def get_policy(self, *, policy_arn: str) -> ManagedPolicy:
        """:raises NotFound: when there is no such policy, or not yet."""
        return _managed_policy(self._read("GetPolicy", PolicyArn=policy_arn)["Policy"])

    def get_policy_version(self, *, policy_arn: str, version_id: str) -> PolicyDocument:
        """The document of one version.

        :raises NotFound: when the policy has no such version.
        """
        answer = self._read("GetPolicyVersion", PolicyArn=policy_arn, VersionId=version_id)
        document: PolicyDocument = answer["PolicyVersion"]["Document"]
        return document

    def list_policy_versions(self, *, policy_arn: str) -> tuple[PolicyVersion, ...]:
        """At most five, in no order that is documented.

        :raises NotFound: when there is no such policy.
        """
        return tuple(
            PolicyVersion(version_id=told["VersionId"], is_default_version=told["IsDefaultVersion"])
            for told in self._all("ListPolicyVersions", "Versions", PolicyArn=policy_arn)
        )

    def create_policy_version(self, *, policy_arn: str, policy_document: str, set_as_default: bool) -> None:
        """Write one more version; where it is made the default, it holds at once.

        :raises Refused: when the policy has five versions, or the document is no policy.
        :raises NotFound: when there is no such policy.
        """
        self._write(
            "CreatePolicyVersion",
            PolicyArn=policy_arn,
            PolicyDocument=policy_document,
            **given(SetAsDefault=set_as_default or None),
        )

    def delete_policy_version(self, *, policy_arn: str, version_id: str) -> None:
        """:raises Conflict: when it is the default. :raises NotFound: when the policy has no such version."""
        self._write("DeletePolicyVersion", PolicyArn=policy_arn, VersionId=version_id)


def _managed_policy(told: Mapping[str, Any]) -> ManagedPolicy:
    return ManagedPolicy(
        policy_name=told["PolicyName"],
        policy_id=told["PolicyId"],
        arn=told["Arn"],
        path=told["Path"],
        default_version_id=told["DefaultVersionId"],
        tags=tags_of(told.get("Tags", ())),
    )
