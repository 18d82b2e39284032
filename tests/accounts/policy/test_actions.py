"""Patterns of actions mean what a slow and obvious reading says, whatever their spelling, and quickly."""

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.actions import (
    ELSEWHERE,
    LONGEST_NAME,
    NOTHING,
    Reach,
    all_but_possibly,
    all_but_surely,
    everything,
    is_costly,
    meant,
    names,
    possibly,
    services,
    surely,
)
from tests.accounts.policy import catalogue

ALL = names(everything())


def matches(pattern: str, text: str) -> bool:
    """What `*` and `?` mean, as one would say it; letter by letter."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(matches(pattern[1:], text[place:]) for place in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and matches(pattern[1:], text[1:])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """The name of an action with some of its letters become wildcards, others gone, or doubled."""
    service, _, name = draw(st.sampled_from(["iam", "sts", "sqs", "kms"]).flatmap(_actions_of)).partition(":")
    letters = [draw(st.sampled_from([letter] * 8 + ["*", "?", "", letter * 2])) for letter in name[:20]]
    return f"{service}:{''.join(letters)}{draw(st.sampled_from(['', '*', name[20:]]))}"


def _actions_of(service: str) -> st.SearchStrategy[str]:
    return st.sampled_from(_listed(service))


@cache
def _listed(service: str) -> list[str]:
    return [action for action in ALL if action.startswith(f"{service}:")]


@given(patterns())
@settings(deadline=None, derandomize=True)
def test_a_pattern_means_what_a_slow_reading_says(pattern: str) -> None:
    service = pattern.partition(":")[0]
    expected = {action for action in _listed(service) if matches(squeezed(pattern), action)}

    assert set(names(meant([pattern]))) == expected
    assert set(names(surely([pattern]))) == expected
    assert set(names(possibly([pattern]))) == expected


def squeezed(pattern: str) -> str:
    """The pattern with one asterisk for many, which the slow reading would take for ever to read."""
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    return pattern


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("iam:createuser", {"iam:createuser"}),
        ("iam:create?ser", {"iam:createuser"}),
        ("iam:createuser*", {"iam:createuser"}),
        ("iam:createuser?", set()),
        ("iam:*createuser", {"iam:createuser"}),
        ("iam:createus", set()),
        ("iam:createuserx", set()),
        ("iam:pass*", {"iam:passrole"}),
        ("iam:**pass*?role**", set()),
        ("iam:**p?ss*role**", {"iam:passrole"}),
        ("ec2:passrole", set()),
        ("iam:", set()),
    ],
)
def test_a_pattern_is_matched_whole(pattern: str, expected: set[str]) -> None:
    assert set(names(meant([pattern]))) == expected


@pytest.mark.parametrize("pattern", ["*", "*:*", "**"])
def test_asterisks_are_everything(pattern: str) -> None:
    assert meant([pattern]) == surely([pattern]) == possibly([pattern]) == everything()


def test_a_whole_service_is_all_of_it_and_what_is_new_there() -> None:
    assert meant(["sqs:*"]).bits == services()["sqs"].all
    assert "sqs:somethingnew" in meant(["sqs:*"])
    assert "sqs:somethingnew" not in meant(["sqs:send*"])


def test_an_unknown_action_counts_as_something_of_its_service() -> None:
    unknown = services()["sqs"].unknown

    assert meant(["sqs:newaction"]).bits == unknown
    assert meant(["sqs:new*"]).bits == unknown
    assert surely(["sqs:newaction", "sqs:new*"]) == NOTHING
    assert possibly(["sqs:send*"]).bits & unknown
    assert not possibly(["sqs:get*"]).bits & unknown


def test_an_unknown_service_is_remembered_and_denied_only_whole() -> None:
    assert "newservice:do" in meant(["newservice:do"])
    assert "newservice:other" not in surely(["newservice:do"])
    assert not meant(["newservice:do"]) - surely(["newservice:*"])
    assert meant(["newservice:do"]) - surely(["newservice:do"])


def test_everything_but_an_unknown_service_leaves_the_others() -> None:
    allowed = all_but_surely(["newservice:*"])
    denied = all_but_possibly(["newservice:do"])

    assert allowed.bits & ELSEWHERE
    assert not denied.bits & ELSEWHERE
    assert meant(["newservice:do"]) - denied
    assert not meant(["sqs:sendmessage"]) - denied


def test_everything_but_some_actions_leaves_them_alone() -> None:
    assert set(ALL) - set(names(all_but_surely(["iam:*", "s3:getobject"]))) == {*_listed("iam"), "s3:getobject"}
    assert set(ALL) - set(names(all_but_possibly(["iam:*", "s3:getobject"]))) == {*_listed("iam"), "s3:getobject"}
    assert "s3:somethingnew" in all_but_surely(["s3:getobject"])
    assert "s3:somethingnew" not in all_but_possibly(["s3:put*"])


reaches = st.builds(
    Reach, st.integers(min_value=0, max_value=15), st.frozensets(st.sampled_from(["new", "newer"]), max_size=2)
)


@given(reaches, reaches)
def test_what_two_share_is_part_of_each(one: Reach, other: Reach) -> None:
    for action in ("new:do", "newer:do", "newest:do"):
        assert (action in one & other) == (action in one and action in other)
        assert (action in one | other) == (action in one or action in other)
        assert action not in (one - one)
    assert one & other == other & one


def test_the_catalogue_knows_what_botocore_has_of_rights() -> None:
    of_rights = ["iam", "sts", "organizations", "account", "sso-admin", "identitystore", "cognito-identity"]
    current = {f"{service}:{name.lower()}" for service, name in catalogue.operations(of_rights)}

    assert current - set(ALL) == set(), "Run python -m tests.accounts.policy.catalogue."


def test_the_catalogue_is_in_order() -> None:
    for service in services().values():
        assert list(service.names) == sorted(set(service.names))
        assert max(map(len, service.names)) <= LONGEST_NAME


@pytest.mark.parametrize(("pattern", "costs"), [("*", False), ("ec2:*", False), ("ec2:run*", False), ("ec2:r*n", True)])
def test_a_wildcard_inside_costs(pattern: str, *, costs: bool) -> None:
    assert is_costly(pattern) is costs


@pytest.mark.parametrize(
    "name",
    [
        "*a" * 60 + "b",
        "?*" * 60,
        "*?" * 60 + "x",
        "*" * 100_000 + "a",
        "a" * 100_000 + "*b",
        "*" + "e*e" * 40,
        "?" * 128,
    ],
)
def test_no_pattern_takes_long(name: str) -> None:
    began = time.process_time()

    meant([f"ec2:{name}"])

    assert time.process_time() - began < 0.1
