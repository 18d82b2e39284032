"""What an account holds in one reading: GetAccountAuthorizationDetails, its summary and its alias."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.aws.calls import Calls
from portal.aws.iam.policies import AttachedPolicy, PolicyDocument
from portal.aws.iam.users import boundary_of, tags_of


class EntityType(StrEnum):
    """What GetAccountAuthorizationDetails can be asked for."""

    USER = "User"
    ROLE = "Role"
    GROUP = "Group"
    LOCAL_MANAGED_POLICY = "LocalManagedPolicy"
    AWS_MANAGED_POLICY = "AWSManagedPolicy"


@dataclass(frozen=True)
class PolicyDetail:
    """An inline policy."""

    policy_name: str
    policy_document: PolicyDocument


@dataclass(frozen=True)
class UserDetail:
    """An IAM user with groups and policies; passwords, keys and MFA devices are not told here."""

    user_name: str
    user_id: str
    arn: str
    path: str
    create_date: datetime
    user_policy_list: tuple[PolicyDetail, ...]
    group_list: tuple[str, ...]
    attached_managed_policies: tuple[AttachedPolicy, ...]
    permissions_boundary: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class GroupDetail:
    """An IAM group with its policies; its members are told by `UserDetail.group_list`."""

    group_name: str
    group_id: str
    arn: str
    path: str
    create_date: datetime
    group_policy_list: tuple[PolicyDetail, ...]
    attached_managed_policies: tuple[AttachedPolicy, ...]


@dataclass(frozen=True)
class RoleDetail:
    """An IAM role with trust and policies; `role_last_used` covers the last 400 days."""

    role_name: str
    role_id: str
    arn: str
    path: str
    create_date: datetime
    assume_role_policy_document: PolicyDocument
    role_policy_list: tuple[PolicyDetail, ...]
    attached_managed_policies: tuple[AttachedPolicy, ...]
    permissions_boundary: str | None
    tags: Mapping[str, str]
    role_last_used: datetime | None


@dataclass(frozen=True)
class ManagedPolicyDetail:
    """A managed policy with the document of its default version."""

    policy_name: str
    policy_id: str
    arn: str
    path: str
    default_version_id: str
    attachment_count: int
    permissions_boundary_usage_count: int
    is_attachable: bool
    create_date: datetime
    update_date: datetime
    policy_document: PolicyDocument


@dataclass(frozen=True)
class AccountAuthorizationDetails:
    """One page of what was asked for: 1,000 entities at most, of any kind."""

    user_detail_list: tuple[UserDetail, ...]
    group_detail_list: tuple[GroupDetail, ...]
    role_detail_list: tuple[RoleDetail, ...]
    policies: tuple[ManagedPolicyDetail, ...]


@dataclass(frozen=True)
class PasswordPolicy:
    """The account's own password policy; `max_password_age` in days, None where passwords do not expire."""

    minimum_password_length: int
    require_symbols: bool
    require_numbers: bool
    require_uppercase_characters: bool
    require_lowercase_characters: bool
    allow_users_to_change_password: bool
    max_password_age: int | None
    password_reuse_prevention: int | None
    hard_expiry: bool


class Account(Calls):
    """Operations that read a whole account."""

    def get_account_authorization_details(
        self,
        *,
        filter: Iterable[EntityType],  # noqa: A002 -- AWS's name
    ) -> Iterator[AccountAuthorizationDetails]:
        """Page after page; only who has read the last of them has read the account.

        :raises TryLater: when AWS throttles or does not answer, whatever was read before.
        """
        asked = [str(entity) for entity in filter]
        for page in self._pages("GetAccountAuthorizationDetails", Filter=asked):
            yield AccountAuthorizationDetails(
                user_detail_list=tuple(map(_user_detail, page.get("UserDetailList", ()))),
                group_detail_list=tuple(map(_group_detail, page.get("GroupDetailList", ()))),
                role_detail_list=tuple(map(_role_detail, page.get("RoleDetailList", ()))),
                policies=tuple(map(_managed_policy_detail, page.get("Policies", ()))),
            )

    def get_account_summary(self) -> Mapping[str, int]:
        """Counts and quotas by AWS's names: "Users", "UsersQuota", "AccountMFAEnabled"."""
        return dict(self._read("GetAccountSummary")["SummaryMap"])

    def get_account_password_policy(self) -> PasswordPolicy:
        """What passwords of IAM users must be like.

        :raises NotFound: when the account has none of its own: then AWS's default holds.
        """
        told = self._read("GetAccountPasswordPolicy")["PasswordPolicy"]
        return PasswordPolicy(
            minimum_password_length=told["MinimumPasswordLength"],
            require_symbols=told.get("RequireSymbols", False),
            require_numbers=told.get("RequireNumbers", False),
            require_uppercase_characters=told.get("RequireUppercaseCharacters", False),
            require_lowercase_characters=told.get("RequireLowercaseCharacters", False),
            allow_users_to_change_password=told.get("AllowUsersToChangePassword", False),
            max_password_age=told.get("MaxPasswordAge"),
            password_reuse_prevention=told.get("PasswordReusePrevention"),
            hard_expiry=told.get("HardExpiry", False),
        )

    def list_account_aliases(self) -> tuple[str, ...]:
        """None or one."""
        return tuple(self._all("ListAccountAliases", "AccountAliases"))


def _user_detail(told: Mapping[str, Any]) -> UserDetail:
    return UserDetail(
        user_name=told["UserName"],
        user_id=told["UserId"],
        arn=told["Arn"],
        path=told["Path"],
        create_date=told["CreateDate"],
        user_policy_list=_inline(told.get("UserPolicyList", ())),
        group_list=tuple(told.get("GroupList", ())),
        attached_managed_policies=_attached(told.get("AttachedManagedPolicies", ())),
        permissions_boundary=boundary_of(told),
        tags=tags_of(told.get("Tags", ())),
    )


def _group_detail(told: Mapping[str, Any]) -> GroupDetail:
    return GroupDetail(
        group_name=told["GroupName"],
        group_id=told["GroupId"],
        arn=told["Arn"],
        path=told["Path"],
        create_date=told["CreateDate"],
        group_policy_list=_inline(told.get("GroupPolicyList", ())),
        attached_managed_policies=_attached(told.get("AttachedManagedPolicies", ())),
    )


def _role_detail(told: Mapping[str, Any]) -> RoleDetail:
    return RoleDetail(
        role_name=told["RoleName"],
        role_id=told["RoleId"],
        arn=told["Arn"],
        path=told["Path"],
        create_date=told["CreateDate"],
        assume_role_policy_document=told["AssumeRolePolicyDocument"],
        role_policy_list=_inline(told.get("RolePolicyList", ())),
        attached_managed_policies=_attached(told.get("AttachedManagedPolicies", ())),
        permissions_boundary=boundary_of(told),
        tags=tags_of(told.get("Tags", ())),
        role_last_used=told.get("RoleLastUsed", {}).get("LastUsedDate"),
    )


def _managed_policy_detail(told: Mapping[str, Any]) -> ManagedPolicyDetail:
    documents = [version["Document"] for version in told["PolicyVersionList"] if version["IsDefaultVersion"]]
    return ManagedPolicyDetail(
        policy_name=told["PolicyName"],
        policy_id=told["PolicyId"],
        arn=told["Arn"],
        path=told["Path"],
        default_version_id=told["DefaultVersionId"],
        attachment_count=told["AttachmentCount"],
        permissions_boundary_usage_count=told.get("PermissionsBoundaryUsageCount", 0),
        is_attachable=told["IsAttachable"],
        create_date=told["CreateDate"],
        update_date=told["UpdateDate"],
        policy_document=documents[0],
    )


def _inline(policies: Iterable[Mapping[str, Any]]) -> tuple[PolicyDetail, ...]:
    return tuple(PolicyDetail(told["PolicyName"], told["PolicyDocument"]) for told in policies)


def _attached(policies: Iterable[Mapping[str, Any]]) -> tuple[AttachedPolicy, ...]:
    return tuple(AttachedPolicy(told["PolicyName"], told["PolicyArn"]) for told in policies)
