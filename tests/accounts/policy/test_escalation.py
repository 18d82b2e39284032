"""Each known way to more rights is found however it is spelled, and none is open within the portal's boundary."""

import pytest

from accounts.policy.actions import everything, names, services
from accounts.policy.boundary import INTO_COMPUTE
from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.escalation import escalations
from accounts.policy.methods import METHODS, ON_ONESELF, RHINO
from tests.accounts.policy.spellings import (
    ONESELF,
    SPELLINGS,
    Spelling,
    allow,
    boundary,
    deny,
    policy,
    service_of,
    statement,
)

every_spelling = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())


def found(*policies: PolicyDocument, boundary: PolicyDocument | None = None) -> set[str]:
    """The names of the ways that are open."""
    return {escalation.method.name for escalation in escalations(closure_of(policies, boundary=boundary))}


def test_there_are_28_of_rhino_and_each_has_a_name() -> None:
    assert [method.number for method in RHINO] == list(range(1, 29))
    assert len({method.name for method in METHODS}) == len(METHODS)


def test_each_action_is_in_the_catalogue() -> None:
    needed = {action.lower() for method in METHODS for action in method.actions}

    assert needed | {action.lower() for action in ON_ONESELF} <= set(names(everything()))


@every_spelling
def test_each_is_found(spelling: Spelling) -> None:
    missed = [method.name for method in METHODS if method.name not in found(*spelling(method.actions))]

    assert missed == []


@every_spelling
def test_none_is_open_within_the_boundary(spelling: Spelling) -> None:
    within = boundary()

    assert {way for method in METHODS for way in found(*spelling(method.actions), boundary=within)} == set()


def test_the_boundary_denies_each_in_so_many_words() -> None:
    closure = closure_of([], boundary=boundary())

    assert [method.name for method in METHODS if not any(map(closure.denies, method.actions))] == []


def test_none_is_found_where_one_of_its_actions_is_denied_for_good() -> None:
    for method in METHODS:
        for action in method.actions:
            for denied in (action, f"{service_of(action)}:*", action.upper(), "*"):
                assert method.name not in found(allow("*"), deny(denied))


def test_none_is_found_where_one_of_its_actions_is_missing() -> None:
    for method in METHODS:
        for missing in method.actions:
            rest = [action for action in method.actions if action != missing]
            assert method.name not in found(*([allow(*rest)] if rest else []))


@pytest.mark.parametrize("written", ["*", "*:*", "iam:*", "iam:**"])
def test_administration_is_called_so(written: str) -> None:
    whole, *_ = escalations(closure_of([allow("s3:Get*", name="a"), allow(written, name="group b → c")]))

    assert whole.method.name == ("AdministrationOfIAM" if "iam" in written else "Administration")
    assert whole.because == ("group b → c",)


def test_all_but_a_little_is_administration() -> None:
    all_but = policy({"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "*"})

    assert "Administration" in found(all_but)


def test_power_without_iam_is_not_called_administration() -> None:
    power = policy({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"})

    assert not {name for name in found(power) if name.startswith("Administration")}
    assert "UpdateFunctionCode" in found(power)


def test_what_opens_it_is_named() -> None:
    policies = [
        allow("s3:*", name="own policy ledger"),
        allow("iam:Pass*", name="group deployers → pass"),
        allow("lambda:*", name="group coders → lambda"),
    ]

    told = {each.method.name: each for each in escalations(closure_of(policies))}["PassRoleToLambda"]

    assert told.because == ("group deployers → pass", "group coders → lambda")
    assert str(told) == (
        "group deployers → pass and group coders → lambda would let it make a Lambda function with another role."
    )


def test_looking_after_ones_own_credentials_is_no_way_up() -> None:
    assert found(allow("iam:*AccessKey*", "iam:*LoginProfile", "iam:*MFADevice", on=ONESELF)) == set()


@pytest.mark.parametrize(
    "resources",
    [
        f"{ONESELF}*",
        f"{ONESELF}/x",
        [ONESELF, "*"],
        "arn:aws:iam::*:user/*",
        "arn:aws:iam::*:user/${aws:userid}",
        "arn:aws:iam::*:user*/${aws:username}",
    ],
)
def test_what_reaches_others_too_is(resources: object) -> None:
    assert "CreateAccessKey" in found(allow("iam:CreateAccessKey", on=resources))


def test_all_but_oneself_is_others() -> None:
    others = policy({"Effect": "Allow", "Action": "iam:CreateAccessKey", "NotResource": ONESELF})

    assert "CreateAccessKey" in found(others)


def test_policies_of_its_own_are_a_way_up() -> None:
    assert found(allow("iam:AttachUserPolicy", "iam:PutUserPolicy", on=ONESELF)) == {
        "AttachUserPolicy",
        "PutUserPolicy",
    }


def test_what_an_organization_accepts_for_a_team_is_open_and_nothing_else() -> None:
    accepted = ["lambda:UpdateFunctionCode"]

    assert found(allow("*"), boundary=boundary(accepted=accepted)) == {"UpdateFunctionCode"}
    assert accepted[0] in INTO_COMPUTE


def test_a_boundary_that_was_not_read_saves_nobody() -> None:
    assert "Administration" in found(allow("*"), boundary=policy(statement("deny", "*"), name="odd"))


@pytest.mark.parametrize(
    "actions", [["s3:*", "dynamodb:*", "logs:*", "ecs:Describe*", "sqs:*"], ["iam:Get*", "iam:List*"]]
)
def test_everyday_work_is_let_through(actions: list[str]) -> None:
    assert found(allow(*actions)) == set()


def test_the_list_of_services_has_what_the_ways_need() -> None:
    assert {service_of(action) for method in METHODS for action in method.actions} <= services().keys()
