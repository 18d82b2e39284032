"""Recording an entry: in the caller's transaction, in the chain, without secrets."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Organization, Person
from portal.ledger import chain
from portal.ledger.models import Delivery, Entry, Head
from portal.ledger.models.entry import NO_HASH
from portal.ledger.record import (
    NotInTransaction,
    NotRecordable,
    ReasonTooLong,
    SecretInDetails,
    Subject,
    Target,
    record,
)
from tests.portal.ledger.carrying import AT, KIND, LANE, Bell, together

Decide = Callable[..., Entry]


@pytest.mark.django_db(transaction=True)
def test_it_refuses_outside_a_transaction(organization: Organization, person: Person) -> None:
    with pytest.raises(NotInTransaction):
        record(organization=organization, kind=KIND, by=person, subject=Subject("thing", "1", "arn"), at=AT)

    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_nothing_and_rings_nobody(decide: Decide, organization: Organization, bell: Bell) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        decide("one")
        raise RuntimeError

    assert not Entry.objects.exists()
    assert not Delivery.objects.exists()
    assert bell == []
    assert decide().sequence == 1


@pytest.mark.django_db
def test_it_says_who_what_why_and_when(decide: Decide, person: Person) -> None:
    entry = decide(reason="New colleague", ticket="OPS-7", details={"path": "/", "groups": ["readers"]})

    entry.refresh_from_db()
    assert (entry.by_id, entry.by_name) == (str(person.pk), "Olive Owner")
    assert (entry.subject_type, entry.subject_id, entry.subject_name) == ("thing", "17", "arn:thing")
    assert (entry.reason, entry.ticket, entry.at) == ("New colleague", "OPS-7", AT)
    assert entry.details == {"path": "/", "groups": ["readers"]}


@pytest.mark.django_db
def test_the_portal_itself_is_named_too(decide: Decide) -> None:
    entry = decide(by=None)

    assert (entry.by_id, entry.by_name) == ("", "Gatehouse")


@pytest.mark.django_db
def test_each_entry_follows_from_the_one_before(decide: Decide, organization: Organization) -> None:
    first, second = decide(), decide()

    head = Head.objects.get(organization=organization)
    assert (first.sequence, second.sequence, head.sequence) == (1, 2, 2)
    assert (first.previous_hash, second.previous_hash, head.hash) == (NO_HASH, first.hash, second.hash)


@pytest.mark.django_db
def test_each_organization_counts_for_itself(decide: Decide, another: Organization) -> None:
    decide()

    assert decide(organization=another).sequence == 1
    assert Entry.objects.of(another).count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_counts_without_gaps_under_eight_threads(decide: Decide, organization: Organization) -> None:
    def record_some(number: int) -> None:
        for _ in range(5):
            decide(subject=Subject("thing", str(number), "arn"))

    results = together(8, record_some)

    assert results == [None] * 8
    sequences = list(Entry.objects.of(organization).order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, 41))
    assert chain.verify(organization) is None


@pytest.mark.django_db(transaction=True)
def test_deliveries_are_made_and_rung_for_after_the_commit(decide: Decide, bell: Bell) -> None:
    with transaction.atomic():
        entry = decide(deliver=(Target(LANE, "arn:a"), Target("222233334444", "arn:b", "bulk")))
        assert bell == []

    one, other = Delivery.objects.order_by("pk")
    assert bell == [one.pk, other.pk]
    assert (one.entry, one.sequence, one.lane, one.subject) == (entry, 1, LANE, "arn:a")
    assert (one.state, one.queue, other.queue) == ("due", "interactive", "bulk")


@pytest.mark.django_db
def test_one_entry_has_one_delivery_about_a_subject(decide: Decide) -> None:
    with pytest.raises(IntegrityError):
        decide("same", "same")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "details",
    [
        {"password": "x"},
        {"SecretAccessKey": "x"},
        {"SessionToken": "x"},
        {"user": {"keys": [{"private_key": "x"}]}},
        {"totp_seed": 17},
        {"credentials": ["x"]},
    ],
)
def test_it_refuses_secrets_in_the_details(decide: Decide, details: dict[str, Any]) -> None:
    with pytest.raises(SecretInDetails):
        decide(details=details)

    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_a_yes_or_no_about_a_secret_is_none(decide: Decide) -> None:
    entry = decide(details={"password_reset_required": True, "token": None})

    assert entry.details == {"password_reset_required": True, "token": None}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "details",
    [{"share": 0.5}, {"at": AT}, {"groups": ("a", "b")}, {1: "one"}, {"nul": "a\0"}, {"half": "\ud800"}, {"a\0": 1}],
)
def test_it_refuses_what_databases_would_not_give_back_alike(decide: Decide, details: dict[str, Any]) -> None:
    with pytest.raises(NotRecordable):
        decide(details=details)


@pytest.mark.django_db
@pytest.mark.parametrize("changes", [{"reason": "a\0"}, {"ticket": "\ud800"}, {"at": datetime(2026, 1, 1)}])  # noqa: DTZ001
def test_it_refuses_texts_and_times_that_cannot_be_stored(decide: Decide, changes: dict[str, Any]) -> None:
    with pytest.raises(NotRecordable):
        decide(**changes)


@pytest.mark.django_db
def test_it_refuses_a_reason_that_is_too_long_with_a_sentence(decide: Decide) -> None:
    decide(reason="x" * 2000)

    with pytest.raises(ReasonTooLong, match="at most 2,000 characters; this one has 2,001"):
        decide(reason="x" * 2001)


@pytest.mark.django_db
def test_it_refuses_other_texts_longer_than_their_field(decide: Decide) -> None:
    with pytest.raises(ValidationError):
        decide(ticket="x" * 201)


@pytest.mark.django_db
def test_what_is_hashed_is_what_comes_back(decide: Decide, organization: Organization) -> None:
    odd = {"ž": ["\u2028", "𝔘", '"', 2**70, -1, True, None], "a": {"z": 1, "b": {}}, "": ""}
    decide(details=odd, reason="Größe\n\t“”", at=datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC))

    assert Entry.objects.get().details == odd
    assert chain.verify(organization) is None


@pytest.mark.django_db
def test_the_querysets_find_by_organization_subject_and_person(
    decide: Decide, organization: Organization, person: Person
) -> None:
    entry = decide()
    decide(by=None, subject=Subject("other", "17", "arn"))

    assert list(Entry.objects.of(organization).about("thing", 17)) == [entry]
    assert list(Entry.objects.by(person)) == [entry]
