"""Random policy graphs, judged by somebody else too: where cloudsplaining sees a way to more rights, so do we.

It knows no boundaries; for those its reading of both sides is intersected. We may see more ways than it does: an error
to that side costs an admin's decision, an error to the other costs the account.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.escalation import escalations
from accounts.policy.methods import METHODS
from tests.accounts.policy.spellings import CONDITION, document

REASON = "No outside judge of policies. To have it: pip install cloudsplaining==0.9.1"
judge = pytest.importorskip("cloudsplaining.scan.policy_document", reason=REASON)
WAYS: dict[str, list[str]] = pytest.importorskip(
    "cloudsplaining.shared.constants", reason=REASON
).PRIVILEGE_ESCALATION_METHODS

ACTIONS = sorted({action for actions in WAYS.values() for action in actions} | {"s3:getobject", "sqs:sendmessage"})
RESOURCES = ["*", ["arn:aws:iam::*:user/*", "*"], "arn:aws:iam::111122223333:role/team/*"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge also looks up which actions take a resource, for a second each time, and is not asked about that."""
    monkeypatch.setattr("cloudsplaining.scan.statement_detail.remove_wildcard_only_actions", lambda actions: actions)


def plain(action: str) -> st.SearchStrategy[str]:
    """The ways to write an action that the judge understands."""
    service, _, name = action.partition(":")
    return st.sampled_from(
        [action, action.upper(), f"{service}:*", f"{action[:-3]}*", f"{service}:{name[:3]}*{name[-3:]}"]
    )


def odd(action: str) -> st.SearchStrategy[str]:
    """Those that it overlooks, in a denial at least, which may therefore stand where less is less."""
    service, _, name = action.partition(":")
    return st.sampled_from([f"{service}:{name[:4]}?{name[5:]}", "*", "*:*"])


understood = st.sampled_from(ACTIONS).flatmap(plain) | st.sampled_from(["iam:*", "iam:Create*"])
anything = understood | st.sampled_from(ACTIONS).flatmap(odd)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """A statement as people write them."""
    effect, element = draw(
        st.sampled_from(
            [
                ("Allow", "Action"),
                ("Allow", "Action"),
                ("Allow", "NotAction"),
                ("Deny", "Action"),
                ("Deny", "NotAction"),
            ]
        )
    )
    patterns = anything if (effect, element) == ("Allow", "Action") else understood
    written: dict[str, Any] = {
        "Effect": effect,
        element: draw(st.lists(patterns, min_size=1, max_size=4)),
        "Resource": draw(st.sampled_from(RESOURCES)),
    }
    return {**written, "Condition": CONDITION} if draw(st.booleans()) else written


documents = st.lists(statements(), min_size=1, max_size=3).map(lambda written: document(*written))
graphs = st.lists(st.builds(PolicyDocument, st.sampled_from(["own", "group a → b", "inline policy c"]), documents))


def actions_of(effect: str, policies: list[PolicyDocument]) -> set[str]:
    """The actions that the judge reads in these statements, in lower case; resources and conditions do not count."""
    written = [each for policy in policies for each in _statements(policy) if each["Effect"] == effect]
    # It takes denials off letter by letter, so they are read as if they allowed and taken off here.
    whole = {"Version": "2012-10-17", "Statement": [{**each, "Effect": "Allow"} for each in written]}
    return {action.lower() for action in judge.PolicyDocument(whole).all_allowed_actions}


def _statements(policy: PolicyDocument) -> list[dict[str, Any]]:
    assert isinstance(policy.document, dict)
    return policy.document["Statement"]


def found_by_the_judge(policies: list[PolicyDocument], limit: PolicyDocument | None) -> dict[str, set[str]]:
    """The ways that it sees, each with the actions that it takes."""
    limits = [] if limit is None else [limit]
    actions = actions_of("Allow", policies) - actions_of("Deny", policies + limits)
    if limits:
        actions &= actions_of("Allow", limits)
    return {name: set(needed) for name, needed in WAYS.items() if set(needed) <= actions}


def overlooked(policies: list[PolicyDocument], limit: PolicyDocument | None) -> list[str]:
    """The ways that the judge sees and we do not."""
    seen = [
        {action.lower() for action in way.method.actions} for way in escalations(closure_of(policies, boundary=limit))
    ]
    known = [needed for needed in seen if needed != {"iam:*"}]
    return [
        name
        for name, needed in found_by_the_judge(policies, limit).items()
        if not any(actions <= needed for actions in known)
    ]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(graphs)
def test_no_way_that_the_judge_sees_is_overlooked(policies: list[PolicyDocument]) -> None:
    assert overlooked(policies, None) == []


@settings(derandomize=True, max_examples=40, deadline=None)
@given(graphs, st.builds(PolicyDocument, st.just("boundary"), documents))
def test_nor_within_a_boundary(policies: list[PolicyDocument], limit: PolicyDocument) -> None:
    assert overlooked(policies, limit) == []


@pytest.mark.parametrize("name", WAYS)
def test_each_of_the_judges_ways_is_ours(name: str) -> None:
    policies = [PolicyDocument("policy", document({"Effect": "Allow", "Action": WAYS[name], "Resource": "*"}))]

    assert name in found_by_the_judge(policies, None)
    assert overlooked(policies, None) == []


KNOWN_TO_BOTH = sorted(
    method.number
    for method in METHODS
    if method.number and {action.lower() for action in method.actions} in [set(actions) for actions in WAYS.values()]
)


@pytest.mark.parametrize("number", KNOWN_TO_BOTH)
def test_the_judge_objects_where_a_method_is_forgotten(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail: with it go the rows that have fewer actions, which would find it too."""
    [forgotten] = [set(method.actions) for method in METHODS if method.number == number]
    rest = tuple(method for method in METHODS if not set(method.actions) <= forgotten)
    monkeypatch.setattr("accounts.policy.escalation.METHODS", rest)
    allowing = {"Effect": "Allow", "Action": sorted(forgotten), "Resource": "*"}

    assert overlooked([PolicyDocument("policy", document(allowing))], None) != []
