"""IAM groups and who is in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.aws.calls import Calls


@dataclass(frozen=True)
class Group:
    """An IAM group; `group_id` begins AGPA."""

    group_name: str
    group_id: str
    arn: str
    path: str
    create_date: datetime


class Groups(Calls):
    """Operations on IAM groups."""

    def get_group(self, *, group_name: str) -> Group:
        """The group without its members.

        :raises NotFound: when there is no such group.
        """
        return _group(self._read("GetGroup", GroupName=group_name, MaxItems=1)["Group"])

    def list_groups(self) -> tuple[Group, ...]:
        """All groups of the account."""
        return tuple(_group(told) for told in self._all("ListGroups", "Groups"))

    def list_groups_for_user(self, *, user_name: str) -> tuple[Group, ...]:
        """:raises NotFound: when there is no such user."""
        return tuple(_group(told) for told in self._all("ListGroupsForUser", "Groups", UserName=user_name))

    def add_user_to_group(self, *, group_name: str, user_name: str) -> None:
        """Adding a member again is no error.

        :raises NotFound: when the user or the group is not there.
        :raises Refused: when the user is in ten groups already.
        """
        self._write("AddUserToGroup", GroupName=group_name, UserName=user_name)

    def remove_user_from_group(self, *, group_name: str, user_name: str) -> None:
        """:raises NotFound: when the user or the group is not there, or the user not in it."""
        self._write("RemoveUserFromGroup", GroupName=group_name, UserName=user_name)


def _group(told: Mapping[str, Any]) -> Group:
    return Group(
        group_name=told["GroupName"],
        group_id=told["GroupId"],
        arn=told["Arn"],
        path=told["Path"],
        create_date=told["CreateDate"],
    )
