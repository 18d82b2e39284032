"""IAM users, their tags and permissions boundaries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.aws.calls import Calls, given


@dataclass(frozen=True)
class User:
    """An IAM user as GetUser and CreateUser tell it; `permissions_boundary` is a policy's ARN.

    `user_id` (AIDA…) tells a user from one that was deleted and made again under the same name.
    """

    user_name: str
    user_id: str
    arn: str
    path: str
    create_date: datetime
    password_last_used: datetime | None
    permissions_boundary: str | None
    tags: Mapping[str, str]


class Users(Calls):
    """Operations on IAM users."""

    def create_user(
        self, *, user_name: str, path: str = "/", tags: Mapping[str, str], permissions_boundary: str | None
    ) -> User:
        """Sent once; the answer holds what AWS made.

        :raises Conflict: when the name is taken, in whatever case.
        :raises Refused: when the name, the path or a tag is outside AWS's limits.
        :raises NotFound: when the permissions boundary's policy is not there.
        """
        answer = self._write(
            "CreateUser",
            UserName=user_name,
            Path=path,
            Tags=tag_list(tags),
            **given(PermissionsBoundary=permissions_boundary),
        )
        return _user(answer["User"])

    def get_user(self, *, user_name: str) -> User:
        """:raises NotFound: when there is no such user, or not yet: AWS's reads lag by seconds."""
        return _user(self._read("GetUser", UserName=user_name)["User"])

    def update_user(self, *, user_name: str, new_user_name: str | None = None, new_path: str | None = None) -> None:
        """Give the user another name or path; its unique id, keys and groups stay, and its ARN becomes another.

        :raises Conflict: when the new name is taken, in whatever case.
        :raises NotFound: when there is no such user.
        :raises Refused: when the name or the path is outside AWS's limits.
        """
        self._write("UpdateUser", UserName=user_name, **given(NewUserName=new_user_name, NewPath=new_path))

    def delete_user(self, *, user_name: str) -> None:
        """:raises Conflict: while a key, a password, a device, a policy or a group still hangs on the user."""
        self._write("DeleteUser", UserName=user_name)

    def tag_user(self, *, user_name: str, tags: Mapping[str, str]) -> None:
        """Set these tags and leave the others; a key differs from another even where only the case does."""
        self._write("TagUser", UserName=user_name, Tags=tag_list(tags))

    def untag_user(self, *, user_name: str, tag_keys: Sequence[str]) -> None:
        """Take these tags off; one that is not there is no error."""
        self._write("UntagUser", UserName=user_name, TagKeys=list(tag_keys))

    def list_user_tags(self, *, user_name: str) -> dict[str, str]:
        """All tags of one user."""
        return tags_of(self._all("ListUserTags", "Tags", UserName=user_name))

    def put_user_permissions_boundary(self, *, user_name: str, permissions_boundary: str) -> None:
        """:raises NotFound: when the user or the policy is not there."""
        self._write("PutUserPermissionsBoundary", UserName=user_name, PermissionsBoundary=permissions_boundary)

    def delete_user_permissions_boundary(self, *, user_name: str) -> None:
        """:raises NotFound: when the user has none."""
        self._write("DeleteUserPermissionsBoundary", UserName=user_name)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags by key, from the API's list."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def boundary_of(told: Mapping[str, Any]) -> str | None:
    """The ARN of the permissions boundary in what AWS told of a user or role."""
    return told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def _user(told: Mapping[str, Any]) -> User:
    return User(
        user_name=told["UserName"],
        user_id=told["UserId"],
        arn=told["Arn"],
        path=told["Path"],
        create_date=told["CreateDate"],
        password_last_used=told.get("PasswordLastUsed"),
        permissions_boundary=boundary_of(told),
        tags=tags_of(told.get("Tags", ())),
    )
