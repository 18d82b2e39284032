"""What is read before it is decided: what an IAM user may do, and what a change gives and takes."""

import pytest
from hypothesis import given, settings

from accounts.policy.actions import services
from accounts.policy.closure import PolicyDocument, closure_of
from accounts.policy.levels import Level
from accounts.policy.words import (
    EVERY_SERVICE,
    ITSELF,
    MOST_NAMED,
    UNKNOWN_SERVICES,
    Difference,
    ServiceAccess,
    access_in_words,
    difference,
    listed,
)
from tests.accounts.policy.spellings import ONESELF, SPELLINGS, allow, boundary, deny, policy
from tests.accounts.policy.test_closure import policies

READ, WRITE, ADMINISTER = Level
NOTHING = closure_of([])


def words(*given_policies: PolicyDocument, limit: PolicyDocument | None = None) -> dict[str, tuple[Level, ...]]:
    closure = closure_of(given_policies, boundary=limit)
    return {access.title: access.levels for access in access_in_words(closure)}


def told(
    before: list[PolicyDocument],
    after: list[PolicyDocument],
    limits: tuple[PolicyDocument | None, PolicyDocument | None] = (None, None),
) -> Difference:
    return difference(before=closure_of(before, boundary=limits[0]), after=closure_of(after, boundary=limits[1]))


# What it may do


@pytest.mark.parametrize(
    ("actions", "levels"),
    [
        (["s3:GetObject"], {"S3": (READ,)}),
        (["S3:getOBJECT"], {"S3": (READ,)}),
        (["s3:PutObject"], {"S3": (WRITE,)}),
        (["s3:Get*", "s3:PutBucketPolicy"], {"S3": (READ, ADMINISTER)}),
        (["s3:Put?bject"], {"S3": (WRITE,)}),
        (["s3:*"], {"S3": (READ, WRITE, ADMINISTER)}),
        (["new-service:DoIt"], {"new-service": (READ, WRITE, ADMINISTER)}),
        (["*"], {EVERY_SERVICE: (READ, WRITE, ADMINISTER)}),
        (["*:*"], {EVERY_SERVICE: (READ, WRITE, ADMINISTER)}),
        (["iam:ChangePassword"], {ITSELF: (WRITE,)}),
    ],
)
def test_services_stand_by_what_is_done_to_them(actions: list[str], levels: dict[str, tuple[Level, ...]]) -> None:
    assert words(allow(*actions)) == levels


def test_not_action_is_all_the_rest() -> None:
    found = words(policy({"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}))

    assert not {"IAM", "S3"} & set(found)
    assert found["SQS"] == (READ, WRITE, ADMINISTER)
    assert found[UNKNOWN_SERVICES] == (READ, WRITE, ADMINISTER)


def test_the_boundary_and_denials_are_taken_off() -> None:
    assert words(allow("s3:*"), deny("s3:Put*", "s3:PutBucketPolicy"), limit=allow("s3:Get*", "s3:PutObject")) == {
        "S3": (READ,)
    }


def test_what_reaches_nobody_but_oneself_is_told_apart() -> None:
    assert words(allow("iam:CreateAccessKey", "iam:ChangePassword", on=ONESELF)) == {ITSELF: (ADMINISTER,)}


def test_the_gravest_come_first_and_name_their_policies() -> None:
    closure = closure_of([allow("sqs:GetQueueUrl", "s3:*", name="both"), allow("iam:GetUser", name="reader")])

    assert access_in_words(closure) == [
        ServiceAccess("S3", (READ, WRITE, ADMINISTER), ("both",)),
        ServiceAccess("IAM", (READ,), ("reader",)),
        ServiceAccess("SQS", (READ,), ("both",)),
    ]


def test_who_may_do_nothing_has_no_services() -> None:
    assert access_in_words(NOTHING) == []


# What a change does


def test_nothing_that_changes_says_nothing() -> None:
    assert told([allow("s3:*")], [allow("s3:Get*", "s3:*", name="other")]) == Difference((), (), ())


def test_gained_and_lost_are_told_by_level_the_gravest_first() -> None:
    change = told([allow("sqs:*")], [allow("s3:GetObject", "sns:Publish", "sqs:GetQueueUrl")])

    assert change.gained == (ServiceAccess("SNS", (WRITE,), ("policy",)), ServiceAccess("S3", (READ,), ("policy",)))
    assert change.sentences == (
        "It can now write to SNS.",
        "It can now read S3.",
        "It can no longer administer SQS.",
    )


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whoever_can_now_change_iam_is_told_whatever_the_spelling(spelling: str) -> None:
    sentences = told([], SPELLINGS[spelling](["iam:CreatePolicyVersion"])).sentences

    assert any("IAM" in sentence or "anything" in sentence for sentence in sentences), sentences
    assert any("administrator" in each or "everything" in each or "anything" in each for each in sentences), sentences


def test_a_way_to_more_rights_is_named() -> None:
    assert told([], [allow("iam:createpolicyVERSION")]).sentences == (
        "It could now become administrator: rewrite a policy.",
        "It can now change IAM.",
        "It can now administer IAM.",
    )


def test_two_halves_of_a_way_are_the_way() -> None:
    before = [allow("iam:PassRole")]

    sentences = told(before, [*before, allow("ec2:RunInstances")]).sentences

    assert sentences[0] == "It could now become administrator: start an instance with another role."
    assert "It can now change IAM." not in sentences


def test_administration_is_said_once() -> None:
    assert told([], [allow("*")]).sentences == (
        "It can now do everything, IAM included.",
        "It can now change IAM.",
    )


def test_what_goes_is_said_too() -> None:
    assert told([allow("iam:Create*")], []).sentences == (
        "It can no longer become administrator by any way that is known.",
        "It can no longer change IAM.",
        "It can no longer administer IAM.",
    )


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (None, boundary(), "The permissions boundary boundary applies."),
        (boundary(), None, "The permissions boundary no longer applies: it was boundary."),
        (
            boundary(),
            PolicyDocument("boundary other", None),
            "The permissions boundary is other instead of boundary.",
        ),
    ],
)
def test_a_boundary_that_comes_or_goes_is_said(
    before: PolicyDocument | None, after: PolicyDocument | None, sentence: str
) -> None:
    assert sentence in told([allow("s3:*")], [allow("s3:*")], (before, after)).sentences


def test_without_its_boundary_it_gains_what_that_kept_from_it() -> None:
    sentences = told([allow("*")], [allow("*")], (boundary(), None)).sentences

    assert "It can now do everything, IAM included." in sentences
    assert "It can now change IAM." in sentences


@pytest.mark.parametrize("document", [None, "{", {"Statement": []}])
def test_an_unread_policy_could_allow_anything(document: str | None) -> None:
    sentences = told([], [PolicyDocument("mystery", document)]).sentences

    assert len(sentences) == 1
    assert sentences[0].startswith("mystery could allow anything: ")


def test_an_unread_policy_hides_nothing_that_another_changes() -> None:
    mystery = PolicyDocument("mystery", None)

    sentences = told([mystery], [mystery, allow("*")]).sentences

    assert sentences[0].startswith("mystery could allow anything already")
    assert "It can now do everything, IAM included." in sentences


def test_an_unread_policy_that_goes_is_said() -> None:
    sentences = told([PolicyDocument("mystery", None)], []).sentences

    assert len(sentences) == 1
    assert sentences[0].startswith("Whatever mystery allows goes: ")


def test_of_many_services_eight_are_named() -> None:
    prefixes = ("s3", "sqs", "sns", "ec2", "lambda", "kms", "ecs", "ecr", "dynamodb", "logs", "ssm")
    assert set(prefixes) <= set(services())

    [sentence] = told([], [allow(*(f"{prefix}:List*" for prefix in prefixes))]).sentences

    assert sentence.endswith(" and 3 more.")
    assert sentence.count(",") == MOST_NAMED - 1


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (list("abcdefgh"), "a, b, c, d, e, f, g and h"),
        (list("abcdefghi"), "a, b, c, d, e, f, g, h and 1 more"),
    ],
)
def test_lists_read_as_people_write_them(names: list[str], sentence: str) -> None:
    assert listed(names) == sentence


@settings(derandomize=True, max_examples=150, deadline=None)
@given(policies, policies)
def test_whatever_is_gained_is_said(before: list[PolicyDocument], more: list[PolicyDocument]) -> None:
    """No change that widens what it may do goes without a sentence."""
    narrow, wide = closure_of(before), closure_of([*before, *more])

    change = difference(before=narrow, after=wide)

    if not narrow.unknown and (wide.reach - narrow.reach):
        assert change.sentences
    assert bool(change.gained) == bool(
        (wide.without(wide.unknown).reach - narrow.without(narrow.unknown).reach)
        or (wide.own - narrow.own - narrow.reach)
    )
