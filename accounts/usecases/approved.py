"""What an approval has done: of each kind of request, the use-case that decides it in the approver's name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import access, requestable
from accounts.kinds import Kind
from accounts.models import IAMUser, Person, Request
from accounts.usecases import envelopes, group_grants, iam_users, iam_users_changes, memberships, ownership


@dataclass(frozen=True)
class Approval:
    """Who approves which request; `acknowledged` are the warnings that they read and ticked."""

    by: Person
    request: Request
    at: datetime
    acknowledged: Collection[str] = ()

    def told(self) -> dict[str, Any]:
        """What every use-case takes."""
        return {"by": self.by, "reason": self.request.reason, "at": self.at}

    def on_iam_user(self) -> dict[str, Any]:
        """The same for those that change an IAM user and have that carried to AWS.

        :raises access.NotThere: when its row is not there any more.
        """
        return {**self.told(), "iam_user": self.iam_user(), "request": self.request}

    def iam_user(self) -> IAMUser:
        """The IAM user that it is about.

        :raises access.NotThere: when its row is not there any more.
        """
        iam_user = requestable.iam_user_of(self.request)
        if iam_user is None:
            raise access.NotThere
        return iam_user


def _add(approval: Approval) -> None:
    group_name, until = approval.request.change["group"], approval.request.change["until"]
    what = {**approval.on_iam_user(), "group_name": group_name}
    if until:
        group_grants.grant_group(**what, until=datetime.fromisoformat(until))
    else:
        iam_users.add_iam_user_to_group(**what)


def _attach(approval: Approval) -> None:
    iam_users_changes.attach_policy(**approval.on_iam_user(), policy_arn=approval.request.change["policy"])


def _set_boundary(approval: Approval) -> None:
    policy_arn = approval.request.change["permissions_boundary"]
    iam_users_changes.change_boundary(**approval.on_iam_user(), policy_arn=policy_arn)


def _change_path(approval: Approval) -> None:
    iam_users_changes.change_path(**approval.on_iam_user(), path=approval.request.change["path"])


def _move(approval: Approval) -> None:
    team = requestable.team_of(approval.request)
    if team is None:
        raise access.NotThere
    ownership.assign_iam_users(**approval.told(), iam_users=[approval.iam_user()], team=team)


def _grant_duty(approval: Approval) -> None:
    request = approval.request
    person = requestable.person_of(request)
    if person is None:
        raise access.NotThere
    duty, team = request.change["duty"], request.team
    memberships.grant_duty(**approval.told(), organization=request.organization, person=person, duty=duty, team=team)


def _change_envelope(approval: Approval) -> None:
    team, change = approval.request.team, approval.request.change
    if team is None:
        raise access.NotThere
    content = envelopes.of_told(change["content"], team=team)
    what = {**approval.told(), "version": change["version"], "acknowledged": approval.acknowledged}
    envelopes.change_envelope(**what, team=team, **vars(content))


CARRIED: dict[Kind, Callable[[Approval], None]] = {
    Kind.IAM_USER_ADDED_TO_GROUP: _add,
    Kind.IAM_USER_POLICY_ATTACHED: _attach,
    Kind.IAM_USER_BOUNDARY_CHANGED: _set_boundary,
    Kind.IAM_USER_PATH_CHANGED: _change_path,
    Kind.IAM_USER_ASSIGNED: _move,
    Kind.MEMBERSHIP_GRANTED: _grant_duty,
    Kind.ENVELOPE_CHANGED: _change_envelope,
}
