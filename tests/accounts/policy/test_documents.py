"""A policy document is read so that nothing in it is overlooked, or it is refused."""

import json
import random
import string
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.policy.documents import DEEPEST, LARGEST, Statement, Unreadable, read
from tests.accounts.policy.spellings import CONDITION, ONESELF, document, statement

ALLOW = statement("Allow", "s3:GetObject")
WITHOUT = object()


def changed(**elements: object) -> dict[str, Any]:
    """A document whose one statement differs in these elements from one that is right."""
    whole = {**ALLOW, **elements}
    return document({key: value for key, value in whole.items() if value is not WITHOUT})


def only(written: object) -> Statement:
    """The one statement of a document."""
    [read_statement] = read(written)  # type: ignore[arg-type] # Tests give odd things.
    return read_statement


def test_text_and_object_read_alike() -> None:
    assert read(json.dumps(document(ALLOW))) == read(document(ALLOW))


def test_one_and_a_list_of_one_read_alike() -> None:
    listed = document(statement("Allow", ["s3:GetObject"], ["*"]))

    assert read(listed) == read({"Statement": ALLOW}) == read(document(ALLOW))


def test_actions_are_in_lower_case_and_resources_are_not() -> None:
    read_statement = only(changed(Action="S3:getOBJECT", Resource="arn:aws:s3:::Ledger/*"))

    assert read_statement.actions == ("s3:getobject",)
    assert read_statement.resources == ("arn:aws:s3:::Ledger/*",)


def test_what_stands_under_not_is_told_apart() -> None:
    read_statement = only(changed(Action=WITHOUT, NotAction="iam:*", Resource=WITHOUT, NotResource="*"))

    assert read_statement.is_not_action
    assert read_statement.is_not_resource
    assert not read_statement.is_absolute


@pytest.mark.parametrize(
    ("elements", "is_absolute"),
    [
        ({}, True),
        ({"Resource": ["arn:aws:s3:::ledger", "*"]}, True),
        ({"Resource": "arn:aws:s3:::*"}, False),
        ({"Condition": CONDITION}, False),
        ({"Condition": {}}, False),
        ({"Resource": WITHOUT, "NotResource": "*"}, False),
    ],
)
def test_it_is_absolute_for_every_resource_under_no_condition(elements: dict[str, Any], *, is_absolute: bool) -> None:
    assert only(changed(**elements)).is_absolute is is_absolute


@pytest.mark.parametrize(
    "arn", [ONESELF, ONESELF.replace("*", "111122223333"), ONESELF.replace("user/", "user/team/*/")]
)
def test_ones_own_arn_is_known(arn: str) -> None:
    assert only(changed(Resource=arn)).is_about_oneself


@pytest.mark.parametrize("resource", ["*", f"{ONESELF}*", ONESELF.replace("user/", "group/"), [ONESELF, "*"]])
def test_no_other_is(resource: object) -> None:
    assert not only(changed(Resource=resource)).is_about_oneself


REFUSED = {
    "nothing": "",
    "no JSON": "{'Statement': []}",
    "a list": "[]",
    "a number": "1",
    "a very long number": "1" * 100_000,
    "an empty object": "{}",
    "not a number": '{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Sid": NaN}]}',
    "infinity": '{"Statement": Infinity}',
    "two Versions": '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
    "two Effects": '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}',
    "two Effects, one escaped": '{"Statement": {"Effect": "Allow", "\\u0045ffect": "Deny", "Action": "*"}}',
    "two in a Condition": '{"Statement": {"Effect": "Allow", "Condition": {"a": 1, "a": 2}}}',
    "too large": json.dumps(document(*[ALLOW] * 4000)),
    "ten megabytes": "[" + "0," * 5_000_000 + "0]",
    "too deep": json.dumps(changed(Condition={"a": {"b": [[[[[[[[1]]]]]]]]}})),
    "deep enough to end a parser": "[" * 100_000,
    "objects deep enough": '{"a":' * 30_000,
    "a string without an end": '"' * LARGEST,
    "escaped quotes without an end": '"\\' * (LARGEST // 2),
    "backslashes": "\\" * LARGEST,
    "half a letter": "\ud800",
    "a mark of byte order": "\ufeff" + json.dumps(document(ALLOW)),
    "an unknown Version": {"Version": "2020-01-01", "Statement": ALLOW},
    "a Version that is a list": {"Version": [], "Statement": ALLOW},
    "an unknown element": {"Statement": ALLOW, "Statements": [ALLOW]},
    "an element in another case": {"statement": ALLOW},
    "no statement": {"Version": "2012-10-17"},
    "an empty list of statements": document(),
    "a statement that is text": document("Allow"),  # type: ignore[arg-type]
    "a statement in a list in a list": {"Statement": [[ALLOW]]},
    "an Effect in another case": changed(Effect="allow"),
    "an Effect that is a list": changed(Effect=["Allow"]),
    "no Effect": changed(Effect=WITHOUT),
    "no Action": changed(Action=WITHOUT),
    "Action and NotAction": changed(NotAction="s3:*"),
    "no Resource": changed(Resource=WITHOUT),
    "Resource and NotResource": changed(NotResource="*"),
    "a Principal": changed(Principal="*"),
    "a misspelled element": changed(Actions="iam:*"),
    "no actions": changed(Action=[]),
    "no resources": changed(Resource=[]),
    "an Action that is a number": changed(Action=[1]),
    "an Action that is nothing": changed(Action=None),
    "an Action that is an object": changed(Action={"s3": "*"}),
    "a service with a wildcard": changed(Action="i*:CreateUser"),
    "a lone service": changed(Action="iam"),
    "a service with an asterisk": changed(Action="iam*"),
    "an action with a bracket": changed(Action="iam:[C]reateUser"),
    "an action with a space": changed(Action="iam:CreateUser "),
    "an action on two lines": changed(Action="iam:CreateUser\n"),
    "a Cyrillic letter": changed(Action="iаm:CreateUser"),
    "a dotted capital": changed(Action="İam:CreateUser"),
    "a Kelvin sign": changed(Action="\u212ams:Decrypt"),
    "a wide asterisk": changed(Action="iam:＊"),
    "a Condition that is text": changed(Condition="no"),
    "a Condition that is nothing": changed(Condition=None),
    "what is no JSON": {"Statement": {1, 2}},
    "a number that is none": changed(Sid=float("nan")),
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(bad: Any) -> None:
    with pytest.raises(Unreadable, match="The policy cannot be read: "):
        read(bad)


def test_what_holds_itself_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["Statement"] = [endless]

    with pytest.raises(Unreadable):
        read(endless)


def test_an_object_too_deep_for_a_parser_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}

    with pytest.raises(Unreadable):
        read(deep)


def test_ten_levels_can_be_read_and_eleven_cannot() -> None:
    def nested(levels: int) -> str:
        return json.dumps(changed(Condition="HERE")).replace('"HERE"', '{"a":' * levels + "1" + "}" * levels)

    assert read(nested(DEEPEST - 3))
    with pytest.raises(Unreadable, match="deep"):
        read(nested(DEEPEST - 2))


def test_brackets_in_text_are_no_depth() -> None:
    assert read(json.dumps(changed(Sid='[[[[[[[[[[[[[[[["\\{{{{{{{{{{')))


def objects(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of the elements of policies, and others."""
    keys = st.sampled_from(["Version", "Statement", "Effect", "Action", "NotAction", "Resource", "Condition"])
    return st.dictionaries(keys | st.text(), values)


simple = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(simple, lambda inner: st.lists(inner) | objects(inner)))
def test_whatever_comes_it_raises_nothing_else(anything: Any) -> None:
    try:
        assert read(anything)
    except Unreadable:
        return


@given(st.text() | st.binary().map(lambda some: some.decode("latin-1")))
def test_whatever_text_comes_it_raises_nothing_else(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_documents_with_a_change_anywhere_raise_nothing_else() -> None:
    chance = random.Random(1)
    right = json.dumps(document(statement("Allow", ["s3:*", "iam:Get*"], [ONESELF], Condition=CONDITION)))
    letters = string.punctuation + string.whitespace + "aé\ud800\0"
    for _ in range(3000):
        place = chance.randrange(len(right))
        text = right[:place] + chance.choice(letters) + right[place + chance.choice([0, 1, 5]) :]
        try:
            assert read(text)
        except Unreadable:
            continue


def test_the_worst_are_refused_in_time() -> None:
    for bad in REFUSED.values():
        began = time.process_time()
        with pytest.raises(Unreadable):
            read(bad)  # type: ignore[arg-type]
        assert time.process_time() - began < 0.2
