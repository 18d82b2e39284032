"""A judge that is not our own code, cloudsplaining, finds no way to more rights where the portal found none.

The other way round is no fault: the portal counts an Allow whatever its condition and its resources. Denials are left
to our own tests: the judge takes away only what is denied in the letters in which it is allowed.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument as JudgedDocument
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.boundary import INTO_COMPUTE, boundary_document
from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.escalation import escalations

ROLE = "arn:aws:iam::111122223333:role/gatehouse-portal"
# What people are given every day, and leads nowhere.
HARMLESS = [
    "s3:GetObject",
    "s3:PutObject",
    "ec2:DescribeInstances",
    "iam:ListUsers",
    "sqs:*",
    "dynamodb:Query",
    "logs:*",
]

Statement = Mapping[str, Any]


def judged(statements: list[Statement]) -> list[str]:
    """The names of the ways that cloudsplaining sees in all of them together."""
    document = JudgedDocument({"Version": "2012-10-17", "Statement": [dict(one) for one in statements]})
    return [finding["type"] for finding in document.allows_privilege_escalation]


def found(documents: list[list[Statement]]) -> set[str]:
    """The names of the ways that the portal sees, the documents being those of the user and its groups."""
    policies = [
        PolicyDocument(f"policy {place}", json.dumps({"Version": "2012-10-17", "Statement": statements}))
        for place, statements in enumerate(documents)
    ]
    return {escalation.method.name for escalation in escalations(closure_of(policies))}


@st.composite
def spelled(draw: st.DrawFn, action: str) -> str:
    """An action in one of the ways in which policies are written; each allows at least that action."""
    service, _, name = action.partition(":")
    cut = draw(st.integers(2, max(len(name) - 1, 2)))
    spellings = [
        action, action.upper(), action.title(), f"{service}:{name[:cut]}*", f"{service}:*{name[cut:]}", f"{service}:*",
        f"{service}:{name[:cut]}?{name[cut + 1:]}",
    ]  # fmt: skip
    return draw(st.sampled_from(spellings))


@st.composite
def graphs(draw: st.DrawFn) -> list[list[Statement]]:
    """The policies of a user and its groups, over which the actions of some ways are scattered, or all but one."""
    ways = draw(st.lists(st.sampled_from(sorted(PRIVILEGE_ESCALATION_METHODS)), max_size=2))
    actions: list[str] = [action for way in ways for action in PRIVILEGE_ESCALATION_METHODS[way]]
    lacks_one: bool = draw(st.booleans())
    if actions and lacks_one:
        actions.remove(draw(st.sampled_from(actions)))
    actions += draw(st.lists(st.sampled_from(HARMLESS), max_size=3))
    documents: list[list[Statement]] = [[] for _ in range(draw(st.integers(1, 4)))]
    for action in actions:
        written = draw(spelled(action)) if action not in HARMLESS else action
        draw(st.sampled_from(documents)).append({"Effect": "Allow", "Action": [written], "Resource": "*"})
    if draw(st.integers(0, 5)) == 0:
        all_but = draw(st.lists(st.sampled_from(["iam:*", "s3:*", "sts:*"]), min_size=1, max_size=2))
        draw(st.sampled_from(documents)).append({"Effect": "Allow", "NotAction": all_but, "Resource": "*"})
    return [document for document in documents if document] or [[_NOTHING]]


_NOTHING: Statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(graphs())
def test_where_the_portal_finds_none_the_judge_finds_none(documents: list[list[Statement]]) -> None:
    if not found(documents):
        assert judged([statement for document in documents for statement in document]) == []


@pytest.mark.parametrize("way", sorted(PRIVILEGE_ESCALATION_METHODS))
def test_each_of_the_judges_ways_is_found(way: str) -> None:
    actions = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in PRIVILEGE_ESCALATION_METHODS[way]]

    assert found([[action] for action in actions]) != set()


def test_the_judge_does_judge() -> None:
    assert judged([{"Effect": "Allow", "Action": "iam:Create*", "Resource": "*"}]) != []


def test_within_the_boundary_the_judge_finds_none_even_where_everything_is_allowed() -> None:
    document: Any = boundary_document(protected_roles=[ROLE])

    assert judged(document["Statement"]) == []


@pytest.mark.parametrize("action", INTO_COMPUTE)
def test_what_a_team_may_have_of_it_opens_nothing_in_iam(action: str) -> None:
    document: Any = boundary_document(protected_roles=[ROLE], accepted=[action])

    assert [way for way in judged(document["Statement"]) if "iam:" in str(PRIVILEGE_ESCALATION_METHODS[way])] == []
