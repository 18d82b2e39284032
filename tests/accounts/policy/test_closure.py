"""What remains of policies, denials and a boundary: never less than AWS would give, as far as one can tell."""

import json
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data

from accounts.policy.actions import NOTHING, everything, names
from accounts.policy.closure import Closure, PolicyDocument, closure_of
from accounts.policy.escalation import escalations
from tests.accounts.policy.spellings import CONDITION, ONESELF, allow, boundary, deny, document, policy, statement

# One user's ground: these actions, and the ways in which policies speak of them.
ACTIONS = [
    "iam:passrole",
    "iam:createuser",
    "iam:createpolicyversion",
    "lambda:createfunction",
    "s3:getobject",
    "sts:tagsession",
]
PATTERNS = [
    *ACTIONS,
    "*",
    "iam:*",
    "iam:create*",
    "IAM:Create?olicy*",
    "lambda:*",
    "*:*",
    "s3:get*",
    "iam:*user",
    "new:do",
    "s3:newaction",
]
RESOURCES = ["*", ["arn:aws:iam::*:user/*", "*"], "arn:aws:iam::*:role/team/*", ONESELF]


@st.composite
def statements(draw: st.DrawFn, effects: Sequence[str] = ("Allow", "Deny")) -> dict[str, Any]:
    written = {
        "Effect": draw(st.sampled_from(effects)),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3)
        ),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(st.sampled_from(RESOURCES)),
    }
    return {**written, "Condition": CONDITION} if draw(st.booleans()) else written


documents = st.lists(statements(), min_size=1, max_size=4).map(lambda written: document(*written))
policies = st.lists(st.builds(PolicyDocument, st.sampled_from(["own policy", "group a → b"]), documents), max_size=4)
boundaries = st.none() | st.builds(PolicyDocument, st.just("boundary"), documents)


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def speaks_of(written: dict[str, Any], action: str) -> bool:
    """Whether the statement is about the action, as one would say it."""
    element = "Action" if "Action" in written else "NotAction"
    is_named = any(fnmatchcase(action, pattern.lower()) for pattern in many(written[element]))
    return is_named is (element == "Action")


def is_absolute(written: dict[str, Any]) -> bool:
    return "*" in many(written.get("Resource", [])) and "Condition" not in written


def might(action: str, given_policies: list[PolicyDocument], limit: PolicyDocument | None) -> bool:
    """The slow and obvious judgement: some Allow, in the boundary too, and no Deny without any if."""
    own = [each for given in given_policies for each in many(given.document["Statement"])]  # type: ignore[index]
    bounding = many(limit.document["Statement"]) if limit else []  # type: ignore[index]
    denied = any(each["Effect"] == "Deny" and is_absolute(each) and speaks_of(each, action) for each in own + bounding)
    allowed = any(each["Effect"] == "Allow" and speaks_of(each, action) for each in own)
    let_through = not limit or any(each["Effect"] == "Allow" and speaks_of(each, action) for each in bounding)
    return allowed and let_through and not denied


@given(policies, boundaries)
@settings(deadline=None, derandomize=True, max_examples=300)
def test_it_judges_as_a_slow_reading_does(given_policies: list[PolicyDocument], limit: PolicyDocument | None) -> None:
    closure = closure_of(given_policies, boundary=limit)

    for action in ACTIONS:
        assert closure.allows(action) == might(action, given_policies, limit)


@given(policies, boundaries, statements(effects=["Allow"]))
@settings(deadline=None, derandomize=True)
def test_another_allow_never_takes(
    given_policies: list[PolicyDocument], limit: PolicyDocument | None, more: dict[str, Any]
) -> None:
    before = closure_of(given_policies, boundary=limit)
    after = closure_of([*given_policies, policy(more)], boundary=limit)

    assert not before.reach - after.reach
    assert ways(before) <= ways(after)


@given(policies, boundaries, statements(effects=["Deny"]))
@settings(deadline=None, derandomize=True)
def test_another_deny_never_gives(
    given_policies: list[PolicyDocument], limit: PolicyDocument | None, more: dict[str, Any]
) -> None:
    before = closure_of(given_policies, boundary=limit)
    after = closure_of([*given_policies, policy(more)], boundary=limit)

    assert not after.reach - before.reach
    assert not before.denied - after.denied
    assert ways(after) <= ways(before)


@given(policies, boundaries, documents)
@settings(deadline=None, derandomize=True)
def test_a_boundary_never_gives(
    given_policies: list[PolicyDocument], limit: PolicyDocument | None, written: dict[str, Any]
) -> None:
    free = closure_of(given_policies)
    bound = closure_of(given_policies, boundary=PolicyDocument("boundary", written))

    assert not bound.reach - free.reach
    assert not bound.own - free.own - free.reach


@given(policies, boundaries)
@settings(deadline=None, derandomize=True)
def test_not_having_read_a_policy_is_never_safer(
    given_policies: list[PolicyDocument], limit: PolicyDocument | None
) -> None:
    known = closure_of(given_policies, boundary=limit)
    for place, given_policy in enumerate(given_policies):
        unread = [*given_policies[:place], PolicyDocument(given_policy.name, None), *given_policies[place + 1 :]]
        assert not known.reach - closure_of(unread, boundary=limit).reach
    if limit:
        assert not known.reach - closure_of(given_policies, boundary=PolicyDocument("boundary", None)).reach


@given(policies, boundaries)
@settings(deadline=None, derandomize=True)
def test_the_order_of_policies_does_not_matter(
    given_policies: list[PolicyDocument], limit: PolicyDocument | None
) -> None:
    forth, back = (closure_of(order, boundary=limit) for order in (given_policies, given_policies[::-1]))

    assert (forth.reach, forth.own, forth.denied) == (back.reach, back.own, back.denied)


def ways(closure: Closure) -> set[str]:
    return {each.method.name for each in escalations(closure)}


def test_nothing_is_allowed_by_nothing() -> None:
    assert closure_of([]).reach == closure_of([], boundary=boundary()).reach == NOTHING


def test_a_boundary_alone_gives_nothing_and_denies() -> None:
    closure = closure_of([allow("s3:GetObject", "iam:CreateUser")], boundary=boundary())

    assert names(closure.reach) == ("s3:getobject",)
    assert closure.denies("iam:CreateUser")
    assert not closure.denies("s3:GetObject")


def test_what_a_boundary_leaves_out_is_not_denied() -> None:
    closure = closure_of([allow("*")], boundary=allow("s3:*"))

    assert not closure.allows("sqs:SendMessage")
    assert not closure.denies("sqs:SendMessage")


def test_a_deny_of_one_policy_holds_against_another() -> None:
    closure = closure_of([allow("s3:*", name="own"), deny("s3:DeleteBucket", name="group a → no deletion")])

    assert closure.allows("s3:PutObject")
    assert not closure.allows("s3:DeleteBucket")


@pytest.mark.parametrize("unread", [None, {}, "", "[]", document(statement("Allow", "iam*"))])
def test_what_cannot_be_read_could_allow_anything_and_says_which(unread: Any) -> None:
    closure = closure_of([allow("s3:*", name="own"), PolicyDocument("group a → b", unread)])

    assert closure.reach == everything()
    assert list(closure.unknown) == ["group a → b"]
    assert closure.unknown["group a → b"].startswith("The policy cannot be read: ")
    assert closure.granting(["iam:CreateUser"]) == ("group a → b",)


def test_what_cannot_be_read_does_not_go_past_a_boundary() -> None:
    closure = closure_of([PolicyDocument("group a → b", None)], boundary=boundary())

    assert closure.allows("s3:DeleteBucket")
    assert not closure.allows("iam:CreateUser")


def test_what_cannot_be_read_denies_nothing() -> None:
    broken = document(statement("Deny", "*"), statement("allow", "s3:*"))

    assert closure_of([allow("s3:*"), PolicyDocument("broken", broken)]).allows("s3:PutObject")
    assert closure_of([allow("s3:*")], boundary=PolicyDocument("broken", broken)).allows("s3:PutObject")


def test_a_boundary_that_was_not_read_is_named_with_the_rest() -> None:
    closure = closure_of([allow("*")], boundary=PolicyDocument("boundary", None))

    assert closure.boundary == "boundary"
    assert list(closure.unknown) == ["boundary"]


def test_ones_own_credentials_are_told_apart() -> None:
    closure = closure_of([allow("iam:CreateAccessKey", "iam:PutUserPolicy", on=ONESELF)])

    assert names(closure.own) == ("iam:createaccesskey",)
    assert names(closure.reach) == ("iam:putuserpolicy",)


def test_ones_own_credentials_are_not_told_twice() -> None:
    closure = closure_of([allow("iam:CreateAccessKey", on=ONESELF), allow("iam:*")])

    assert closure.own == NOTHING


def test_ones_own_credentials_can_be_denied() -> None:
    own = allow("iam:CreateAccessKey", on=ONESELF)

    assert closure_of([own, deny("iam:Create*")]).own == NOTHING
    assert closure_of([own], boundary=boundary()).own == NOTHING


def test_who_grants_is_told_only_for_what_remains() -> None:
    closure = closure_of([allow("s3:*", name="a"), allow("s3:Get*", name="b"), deny("s3:GetObject")])

    assert closure.granting(["s3:GetObject"]) == ()
    assert closure.granting(["s3:GetBucketAcl"]) == ("a", "b")
    assert closure.granting(["s3:GetBucketAcl", "s3:PutObject"]) == ("a", "b")
    assert closure.granting(["s3:PutObject"]) == ("a",)


def test_aws_own_policies_are_all_understood() -> None:
    for name, facts in json.loads(aws_managed_policies_data).items():
        assert closure_of([PolicyDocument(name, facts["Document"])]).unknown == {}


def hostile(count: int, written: str) -> list[PolicyDocument]:
    """So many policies of nearly the largest size that IAM takes, each with patterns of its own."""
    return [
        allow(*(pattern(written, number * 180 + place) for place in range(180)), name=f"policy {number}")
        for number in range(count)
    ]


def pattern(written: str, number: int) -> str:
    """The pattern with letters that no other number has."""
    return written.format(*(chr(ord("a") + number // 26**place % 26) for place in range(4)))


@pytest.mark.parametrize("written", ["ec2:*{}*{}*{}*{}", "ec2:*{}?{}*{}{}*", "ec2:d*{}*{}*{}*{}*", "iam:?{}{}*{}{}*"])
def test_too_many_wildcards_are_not_judged(written: str) -> None:
    closure = closure_of(hostile(3, written))

    assert closure.reach == everything()
    assert list(closure.unknown) == ["policy 1", "policy 2"]
    assert set(closure.unknown.values()) == {"The policy cannot be read: it has more wildcards than can be judged."}


@pytest.mark.parametrize("written", ["ec2:*{}*{}*{}*{}*", "ec2:{}{}{}{}*", "new{}{}{}{}:*", "*"])
def test_the_worst_that_a_user_can_hold_is_judged_in_time(written: str) -> None:
    worst = hostile(130, written)
    assert seconds(worst) < 1


def test_the_worst_document_is_judged_in_a_fifth_of_a_second() -> None:
    took = [seconds(hostile(1, f"ec2:*{{}}*{{}}*{{}}{chr(97 + place)}*{{}}*")) for place in range(9)]

    assert sorted(took)[4] < 0.2


def seconds(policies_held: list[PolicyDocument]) -> float:
    """How long the judgement takes, of this processor's time."""
    escalations(closure_of([allow("ec2:*")], boundary=boundary()))
    began = time.process_time()
    escalations(closure_of(policies_held, boundary=boundary()))
    return time.process_time() - began
