"""A request that was signed with the new key, where it is needed, proves it; nothing else does."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts import access
from accounts.importers import signed_requests as words
from accounts.models import Account, Duty, IAMUser, Organization, Person, Rotation, Team, UsedSignature
from accounts.usecases.rotation_proofs import (
    OF_ANOTHER_IAM_USER,
    USED_BEFORE,
    forget_used_signatures,
    prove_new_key,
)
from portal.ledger.models import Entry
from tests import factories
from tests.accounts import proving
from tests.accounts.bad_pastes import BAD, NEVER_SENT, Pasting
from tests.accounts.proving import outside, pasting, rotation, trap
from tests.aws.presigning import WHO_AM_I, ago, presigned
from tests.aws.server import AWS
from tests.aws.strict import Fault

__all__ = ["outside", "pasting", "rotation", "trap"]


def prove(rotation: Rotation, by: Person, text: str) -> Rotation:
    return prove_new_key(by=by, rotation=rotation, signed_request=text, at=timezone.now())


def refused(rotation: Rotation, by: Person, text: str) -> str:
    """What they are told, in which there is nothing of what they pasted."""
    with pytest.raises(ValidationError) as refusal:
        prove(rotation, by, text)
    [told] = refusal.value.messages
    assert not any(part in told for part in text.split("X-Amz-Signature=")[1:] if len(part) > 10)
    return str(told)


def test_the_new_key_is_proven(aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person) -> None:
    before = timezone.now()

    prove(rotation, mia, f"\n  {pasting.good}\n")

    rotation.refresh_from_db()
    assert (rotation.state, rotation.proven_by) == ("proven", "request")
    assert rotation.new_key_first_used_at is not None
    assert rotation.new_key_first_used_at >= before
    entry = Entry.objects.get()
    assert (entry.kind, entry.by_id) == ("accounts.rotation.proven", str(mia.pk))
    assert entry.details["proven_by"] == "a signed request"
    assert [call.account_id for call in aws.calls("GetCallerIdentity")] == [rotation.account.account_id]


def test_nothing_of_what_was_pasted_is_kept_or_logged(
    rotation: Rotation, pasting: Pasting, mia: Person, caplog: pytest.LogCaptureFixture
) -> None:
    text, bad = pasting.good, pasting.changed(X__Amz__Expires="900")
    with caplog.at_level(logging.DEBUG):
        refused(rotation, mia, bad)
        prove(rotation, mia, text)

    rows = [list(model.objects.values()) for model in (Rotation, UsedSignature, Entry)]
    for part in (text.partition("X-Amz-Signature=")[2], "X-Amz-", "GetCallerIdentity"):
        assert part not in json.dumps(rows, default=str)
    assert "X-Amz-" not in caplog.text
    assert text.partition("X-Amz-Signature=")[2] not in caplog.text


@pytest.mark.parametrize("name", BAD)
def test_what_proves_nothing_is_refused_in_words(
    aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person, name: str,
    leaves_nothing: Callable[..., Any],
) -> None:  # fmt: skip
    paste, begin = BAD[name]
    text = paste(pasting)

    with leaves_nothing(ValidationError) as refusal:
        prove(rotation, mia, text)

    assert refusal.value.message_dict.keys() == {"signed_request"}
    assert refusal.value.messages[0].startswith(begin)
    # AWS was asked only about what could have been a good one, and nothing else was: the trap tells.
    assert len(aws.calls("GetCallerIdentity")) == (0 if name in NEVER_SENT else 1)
    assert prove(rotation, mia, pasting.good).state == "proven"


def test_what_was_used_proves_nothing_again_and_aws_is_not_asked(
    aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person
) -> None:
    text = pasting.good
    prove(rotation, mia, text)
    assert refused(rotation, mia, text) == "This cannot be done now: new key works."

    Rotation.objects.update(state="delivered")
    assert refused(rotation, mia, text) == USED_BEFORE
    assert len(aws.calls("GetCallerIdentity")) == 1


def test_used_signatures_are_forgotten_when_their_time_refuses_them(
    rotation: Rotation, pasting: Pasting, mia: Person
) -> None:
    text, soon = pasting.good, timezone.now() + timedelta(minutes=4)
    prove(rotation, mia, text)
    Rotation.objects.update(state="delivered")

    assert forget_used_signatures(at=soon) == 0
    assert forget_used_signatures(at=soon + timedelta(minutes=2)) == 1
    with pytest.raises(ValidationError, match="has expired"):
        prove_new_key(by=mia, rotation=rotation, signed_request=text, at=soon + timedelta(minutes=2))


def test_an_inactive_new_key_proves_nothing_and_the_same_paste_does_when_it_is_active(
    outside: Any, rotation: Rotation, pasting: Pasting, mia: Person
) -> None:
    key = {"UserName": proving.NAME, "AccessKeyId": pasting.new["AccessKeyId"]}
    outside.update_access_key(**key, Status="Inactive")
    text = pasting.good

    assert refused(rotation, mia, text) == words.NOT_KNOWN_YET

    outside.update_access_key(**key, Status="Active")
    assert prove(rotation, mia, text).state == "proven"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault.DROP_BEFORE, words.NOT_ASKED),
        (Fault.DROP_AFTER, words.NOT_ASKED),
        (Fault.ERROR_BEFORE, words.NOT_ASKED),
        (Fault.TRUNCATE, words.NOT_ASKED),
        (Fault.THROTTLE, words.NOT_ASKED),
        (Fault.DENY, words.REFUSED),
        (Fault.UNKNOWN, words.REFUSED),
    ],
)
def test_when_aws_does_not_answer_well_the_same_paste_serves_later(
    aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person, fault: Fault, told: str
) -> None:
    text = pasting.good
    aws.faults.inject("GetCallerIdentity", fault)

    assert refused(rotation, mia, text) == told
    assert not Entry.objects.exists()
    assert prove(rotation, mia, text).state == "proven"


def test_one_that_aws_finds_out_of_time_is_told_as_such(rotation: Rotation, pasting: Pasting, mia: Person) -> None:
    at = ago(minutes=6)
    text = presigned(pasting.url + WHO_AM_I, pasting.new, at=at)

    with pytest.raises(ValidationError) as refusal:
        prove_new_key(by=mia, rotation=rotation, signed_request=text, at=at)

    assert refusal.value.messages == [words.UNTIMELY]


def test_the_key_of_another_iam_user_by_aws_s_word_proves_nothing(
    rotation: Rotation, pasting: Pasting, mia: Person
) -> None:
    IAMUser.objects.update(user_id="AIDASOMEBODYELSE00000")

    assert refused(rotation, mia, pasting.good) == OF_ANOTHER_IAM_USER.format(rotation.iam_user)


@pytest.mark.parametrize("state", ["made", "proven"])
def test_only_an_opened_key_can_be_proven(rotation: Rotation, pasting: Pasting, mia: Person, state: str) -> None:
    Rotation.objects.update(state=state)

    assert refused(rotation, mia, pasting.good).startswith("This cannot be done now")


def test_an_iam_user_that_is_gone_proves_nothing(rotation: Rotation, pasting: Pasting, mia: Person) -> None:
    IAMUser.objects.update(gone_at=timezone.now())

    assert refused(rotation, mia, pasting.good) == "AWS no longer holds this IAM user."


def test_whoever_may_change_access_keys_may_prove(rotation: Rotation, pasting: Pasting, lena: Person) -> None:
    assert prove(rotation, lena, pasting.good).state == "proven"


def test_others_may_not(
    rotation: Rotation, pasting: Pasting, hugo: Person, ada: Person, oskar: Person, acme: Organization,
    payments: Team, leaves_nothing: Callable[..., Any],
) -> None:  # fmt: skip
    for person in (hugo, ada):
        with leaves_nothing(access.NotAllowed):
            prove(rotation, person, pasting.good)
    for person in (oskar, factories.member("max@acme.test", Duty.MEMBER, of=acme, team=payments)):
        with leaves_nothing(access.NotThere):
            prove(rotation, person, pasting.good)


@pytest.fixture
def alone() -> Iterator[ThreadPoolExecutor]:
    """A thread with a database connection of its own."""
    with ThreadPoolExecutor(1) as thread:
        yield thread
        thread.submit(lambda: connection.close()).result()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_proves_and_nothing_is_locked_while_aws_is_asked(
    aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person, prod: Account, alone: ThreadPoolExecutor
) -> None:
    text, hang = pasting.good, aws.faults.hang("GetCallerIdentity")
    first = alone.submit(refused, Rotation.objects.get(), mia, text)
    assert hang.reached.wait(10)

    assert prove(rotation, mia, text).state == "proven"

    hang.release()
    assert first.result(10) == "This cannot be done now: new key works."
    assert (Entry.objects.count(), UsedSignature.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_one_request_that_two_rotations_wait_for_proves_one(
    aws: AWS, rotation: Rotation, pasting: Pasting, mia: Person, alone: ThreadPoolExecutor
) -> None:
    text, hang = pasting.good, aws.faults.hang("GetCallerIdentity")
    first = alone.submit(refused, Rotation.objects.get(), mia, text)
    assert hang.reached.wait(10)
    prove(rotation, mia, text)
    Rotation.objects.update(state="delivered")

    hang.release()
    assert first.result(10) == USED_BEFORE
    assert Rotation.objects.get().state == "delivered"
