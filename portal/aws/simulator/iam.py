"""IAM of the embedded AWS: moto's, with AWS's refusals, ids, pages and the operations that moto lacks."""

from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.iam.exceptions import LimitExceededException, NoSuchEntity, ReportNotPresentException, ValidationError
from moto.iam.models import User

from portal.aws.simulator import aws_policies, leftovers, names, report
from portal.aws.simulator.mfa_devices import MFADevices
from portal.aws.simulator.simulation import Simulations
from portal.aws.simulator.user_changes import UserChanges

LONGEST_PAGE = 1_000
DEFAULT_PAGE = 100
GROUPS_PER_USER = 10
TAGS_PER_USER = 50
STATUSES = ("Active", "Inactive")
ENTITIES = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
}
POLICIES = ("LocalManagedPolicy", "AWSManagedPolicy")


class IAM(Simulations, UserChanges, MFADevices):
    """Moto's IAM, made as strict as AWS where the portal relies on it."""

    # Users

    def create_user(self) -> ActionResult:
        """Refuse what AWS refuses; keep the boundary; give the user an id like AWS's."""
        name = self._get_param("UserName")
        names.check_name("userName", name, names.LONGEST_USER_NAME)
        names.check_path(self._get_param("Path") or "/")
        names.check_is_free("User", name, self.backend.users)
        self.backend._tag_verification(self._get_param("Tags", []))
        boundary = self._boundary() if self._get_param("PermissionsBoundary") else None
        result = super().create_user()
        user = self.backend.get_user(name)
        user.id = names.unique_id("AIDA")
        _keep(user, permissions_boundary=boundary)
        return result

    def delete_user(self) -> ActionResult:
        """Refuse while something hangs on the user."""
        user = self.backend.get_user(self._get_param("UserName"))
        leftovers.refuse_user(user, self.backend)
        return super().delete_user()

    def tag_user(self) -> ActionResult:
        """Refuse more than fifty tags."""
        held = {tag["Key"] for tag in self.backend.list_user_tags(self._get_param("UserName"))}
        if len(held | {tag["Key"] for tag in self._get_param("Tags", [])}) > TAGS_PER_USER:
            raise LimitExceededException(f"Cannot exceed quota for TagsPerUser: {TAGS_PER_USER}")
        return super().tag_user()

    def put_user_permissions_boundary(self) -> ActionResult:
        """Moto lacks it."""
        _keep(self._user(), permissions_boundary=self._boundary())
        return EmptyResult()

    def delete_user_permissions_boundary(self) -> ActionResult:
        """Moto lacks it."""
        user = self._user()
        if getattr(user, "permissions_boundary", None) is None:
            raise NoSuchEntity(f"{user.arn} does not have a permission boundary")
        _keep(user, permissions_boundary=None)
        return EmptyResult()

    def _user(self) -> User:
        return self.backend.get_user(self._get_param("UserName"))

    def _boundary(self) -> dict[str, str]:
        arn = self._get_param("PermissionsBoundary")
        aws_policies.know(self.backend, arn)
        self.backend.get_policy(arn)
        return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}

    # Groups

    def create_group(self) -> ActionResult:
        """Names as AWS takes them, an id like AWS's."""
        name = self._get_param("GroupName")
        names.check_name("groupName", name, names.LONGEST_GROUP_NAME)
        names.check_is_free("Group", name, self.backend.groups)
        result = super().create_group()
        self.backend.get_group(name).id = names.unique_id("AGPA")
        return result

    def delete_group(self) -> ActionResult:
        """Refuse while it has members or policies."""
        leftovers.refuse_group(self.backend.get_group(self._get_param("GroupName")))
        return super().delete_group()

    def add_user_to_group(self) -> ActionResult:
        """Refuse an eleventh group."""
        user, group = self._user(), self.backend.get_group(self._get_param("GroupName"))
        if user not in group.users and len(self.backend.get_groups_for_user(user.name)) >= GROUPS_PER_USER:
            raise LimitExceededException(f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER}")
        return super().add_user_to_group()

    # Credentials

    def update_access_key(self) -> ActionResult:
        """Moto takes any status."""
        if self._get_param("Status") not in STATUSES:
            raise ValidationError(
                "1 validation error detected: the value at 'status' must be one of [Active, Inactive]"
            )
        return super().update_access_key()

    def create_login_profile(self) -> ActionResult:
        """Keep PasswordResetRequired, which moto drops."""
        super().create_login_profile()
        user = self._user()
        user.password_reset_required = bool(self._get_param("PasswordResetRequired"))
        _keep(user, password_last_changed=utcnow())
        return self.get_login_profile()

    def update_login_profile(self) -> ActionResult:
        """Keep PasswordResetRequired as a yes or no, and when it was."""
        result, user = super().update_login_profile(), self._user()
        user.password_reset_required = bool(self._get_param("PasswordResetRequired"))
        _keep(user, password_last_changed=utcnow())
        return result

    # Policies

    def attach_user_policy(self) -> ActionResult:
        """AWS's own policies are there when they are asked for."""
        aws_policies.know(self.backend, self._get_param("PolicyArn"))
        return super().attach_user_policy()

    def attach_group_policy(self) -> ActionResult:
        """AWS's own policies are there when they are asked for."""
        aws_policies.know(self.backend, self._get_param("PolicyArn"))
        return super().attach_group_policy()

    def attach_role_policy(self) -> ActionResult:
        """AWS's own policies are there when they are asked for."""
        aws_policies.know(self.backend, self._get_param("PolicyArn"))
        return super().attach_role_policy()

    def delete_policy(self) -> ActionResult:
        """Refuse while it is attached."""
        leftovers.refuse_policy(self.backend.get_policy(self._get_param("PolicyArn")))
        return super().delete_policy()

    # Lists, page by page

    def list_users(self) -> ActionResult:
        """A page."""
        return self._page(super().list_users(), "Users")

    def list_groups(self) -> ActionResult:
        """A page."""
        return self._page(super().list_groups(), "Groups")

    def list_groups_for_user(self) -> ActionResult:
        """A page."""
        return self._page(super().list_groups_for_user(), "Groups")

    def list_access_keys(self) -> ActionResult:
        """A page."""
        return self._page(super().list_access_keys(), "AccessKeyMetadata")

    def list_user_tags(self) -> ActionResult:
        """A page."""
        return self._page(super().list_user_tags(), "Tags")

    def list_user_policies(self) -> ActionResult:
        """A page."""
        return self._page(super().list_user_policies(), "PolicyNames")

    def simulate_principal_policy(self) -> ActionResult:
        """A page."""
        return self._page(super().simulate_principal_policy(), "EvaluationResults")

    def get_account_authorization_details(self) -> ActionResult:
        """A page over users, groups, roles and policies, in this order."""
        asked = self._get_param("Filter", []) or [*ENTITIES, *POLICIES]
        entities = [(key, entity) for kind, key in ENTITIES.items() if kind in asked for entity in self._of(kind)]
        entities += [("Policies", policy) for policy in self._policies(asked)]
        page = self._cut({"all": entities}, "all")
        result: dict[str, Any] = {key: [] for key in (*ENTITIES.values(), "Policies")}
        for key, entity in page.pop("all"):
            result[key].append(entity)
        return ActionResult(result | page)

    def _of(self, kind: str) -> list[Any]:
        held: dict[str, dict[str, Any]] = {
            "User": self.backend.users,
            "Group": self.backend.groups,
            "Role": self.backend.roles,
        }
        return list(held[kind].values())

    def _policies(self, asked: list[str]) -> list[Any]:
        """AWS's own only where they are attached."""
        return [
            aws_policies.details(policy, self.backend)
            for policy in self.backend.managed_policies.values()
            if (aws_policies.is_aws(policy) and policy.attachment_count and "AWSManagedPolicy" in asked)
            or (not aws_policies.is_aws(policy) and "LocalManagedPolicy" in asked)
        ]

    def _page(self, result: ActionResult, key: str) -> ActionResult:
        return ActionResult(self._cut(cast("dict[str, Any]", result.result), key))

    def _cut(self, entries: dict[str, Any], key: str) -> dict[str, Any]:
        """Keep the page that was asked for; the marker is the place of the next."""
        start = int(self._get_param("Marker") or 0)
        end = start + min(self._get_int_param("MaxItems", DEFAULT_PAGE), LONGEST_PAGE)
        everything = list(entries[key])
        is_cut = end < len(everything)
        return entries | {key: everything[start:end], "IsTruncated": is_cut} | ({"Marker": str(end)} if is_cut else {})

    # The credential report

    def generate_credential_report(self) -> ActionResult:
        """Started, then complete; a new one only when the last is four hours old."""
        return ActionResult({"State": "STARTED" if report.generate(self.backend) else "COMPLETE"})

    def get_credential_report(self) -> ActionResult:
        """The last one, with its time."""
        made_at = getattr(self.backend, "report_made_at", None)
        if made_at is None:
            raise ReportNotPresentException("No report exists.")
        content = getattr(self.backend, "report_content", "")
        return ActionResult({"Content": content, "ReportFormat": "text/csv", "GeneratedTime": made_at})


def _keep(user: User, **facts: object) -> None:
    """Put on moto's user what moto has no place for; its answers take it from there by name."""
    vars(user).update(facts)
