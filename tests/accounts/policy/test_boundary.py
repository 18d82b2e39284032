"""The boundary that the portal writes fits, denies what nobody may do, and can be told from a weaker one."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from accounts.policy.actions import Reach, names, services
from accounts.policy.boundary import INTO_COMPUTE, LONGEST, MUST_NEVER, TooLong, boundary_document, gaps
from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.documents import Unreadable, read
from accounts.policy.levels import OWN_PASSWORD, Level, level_of
from tests.accounts.policy.spellings import PORTAL_ROLE, allow, boundary, document, statement


def weakened(by: str) -> dict[str, Any]:
    """The boundary without one of its denials."""
    written = boundary_document(protected_roles=[PORTAL_ROLE])
    return json.loads(json.dumps(written).replace(f'"{by}"', '"s3:Nothing"'))


def test_it_can_be_read_and_leaves_room_for_roles() -> None:
    written = boundary_document(protected_roles=[PORTAL_ROLE])

    assert read(json.dumps(written))
    assert len(json.dumps(written, separators=(",", ":"))) < LONGEST / 3


def test_it_denies_every_change_of_iam_but_of_ones_own_password() -> None:
    denied = closure_of([], boundary=boundary()).denied
    left = names(Reach(services()["iam"].all & ~denied.bits))

    assert [name for name in left if level_of(*name.split(":")) is not Level.READ] == [OWN_PASSWORD]


def test_people_can_change_their_password_and_look_around() -> None:
    closure = closure_of([allow("*")], boundary=boundary())

    assert all(map(closure.allows, ["iam:ChangePassword", "iam:GetUser", "iam:ListUsers", "s3:PutObject"]))


def test_it_lets_nothing_of_iam_through_that_aws_adds() -> None:
    closure = closure_of([allow("*", "iam:FrobnicateUser")], boundary=boundary())

    assert not closure.allows("iam:FrobnicateUser")


@pytest.mark.parametrize(
    "action",
    [
        "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary", "iam:CreatePolicyVersion",
        "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion", "organizations:LeaveOrganization",
        "account:CloseAccount", "sts:AssumeRoot", "iam:PassRole", "iam:CreateServiceLinkedRole",
    ],
)  # fmt: skip
def test_must_never_is_denied_and_not_merely_left_out(action: str) -> None:
    assert closure_of([], boundary=boundary(allowed=["s3:*"])).denies(action)


def test_it_lets_through_what_the_envelope_has_and_no_more() -> None:
    closure = closure_of([allow("*")], boundary=boundary(allowed=["sqs:*", "s3:Get*", "iam:*"]))

    assert closure.allows("sqs:SendMessage")
    assert closure.allows("s3:GetObject")
    assert not closure.allows("s3:PutObject")
    assert not closure.allows("iam:CreateUser")


def test_nobody_assumes_the_portals_role() -> None:
    roles = read(boundary_document(protected_roles=[PORTAL_ROLE, "arn:aws:iam::*:role/admin*"]))[-1]

    assert not roles.is_allow
    assert roles.actions == ("sts:assumerole",)
    assert roles.resources == ("arn:aws:iam::*:role/admin*", PORTAL_ROLE)


def test_it_is_written_alike_each_time() -> None:
    one = boundary_document(protected_roles=["b", "a"], allowed=["s3:*", "ec2:*"], accepted=INTO_COMPUTE[:2])
    other = boundary_document(protected_roles={"a", "b"}, allowed={"ec2:*", "s3:*"}, accepted=INTO_COMPUTE[1::-1])

    assert json.dumps(one) == json.dumps(other)


def test_without_a_protected_role_it_is_refused() -> None:
    with pytest.raises(ValueError, match="at least the portal's own role"):
        boundary_document(protected_roles=[])


@pytest.mark.parametrize("accepted", ["iam:Put*", "organizations:*", "lambda:*"])
def test_what_nobody_may_be_given_is_refused(accepted: str) -> None:
    with pytest.raises(ValueError, match="Nobody may be given"):
        boundary_document(protected_roles=[PORTAL_ROLE], accepted=[accepted])


@pytest.mark.parametrize("allowed", [[], ["iam"], ["s3:Get Object"]])
def test_what_iam_would_not_take_is_refused(allowed: list[str]) -> None:
    with pytest.raises(Unreadable):
        boundary_document(protected_roles=[PORTAL_ROLE], allowed=allowed)


def test_more_than_a_policy_can_hold_is_refused_with_the_figures() -> None:
    roles = [f"arn:aws:iam::111122223333:role/team/payments/deployment-{number}" for number in range(90)]

    with pytest.raises(TooLong, match="6,144"):
        boundary_document(protected_roles=roles)


def test_its_own_boundary_has_no_gaps() -> None:
    assert gaps(boundary_document(protected_roles=[PORTAL_ROLE])) == ()
    assert gaps(boundary_document(protected_roles=[PORTAL_ROLE], accepted=INTO_COMPUTE)) == ()


@pytest.mark.parametrize("denied", MUST_NEVER)
def test_each_of_its_denials_would_be_missed(denied: str) -> None:
    missing = gaps(weakened(by=denied))

    assert missing
    assert all(name.startswith(denied.lower().rstrip("*")) for name in missing)


@pytest.mark.parametrize(
    "other",
    [
        None,
        {},
        document(statement("Allow", "*")),
        document(statement("Deny", "iam:*", "arn:aws:iam::*:user/*")),
        document(statement("Deny", "iam:*", Condition={"Bool": {"aws:ViaAWSService": "false"}})),
    ],
)
def test_a_boundary_that_denies_nothing_for_good_has_every_gap(other: Mapping[str, object] | None) -> None:
    assert "iam:createuser" in gaps(other)
    assert "organizations:leaveorganization" in gaps(other)


def test_a_boundary_of_somebody_else_may_do_as_well() -> None:
    stricter = document(statement("Allow", "s3:*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"})

    assert gaps(stricter) == ()
    assert closure_of([], boundary=PolicyDocument("theirs", stricter)).denies("iam:CreateUser")
