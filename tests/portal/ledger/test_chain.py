"""Whoever rewrites the ledger is found out."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Organization
from portal.ledger import chain, guards
from portal.ledger.chain import Broken
from portal.ledger.models import Entry, Head
from portal.ledger.record import Subject

Decide = Callable[..., Entry]

# Committed, since PostgreSQL alters no table that has rows to check at the commit still.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(decide: Decide) -> list[Entry]:
    return [decide(subject=Subject("thing", str(number), "arn"), details={"n": number}) for number in range(3)]


@pytest.fixture
def unguarded(three: list[Entry]) -> Iterator[list[Entry]]:
    """Three entries, and somebody who owns the database."""
    guards.remove(connection)
    yield three
    guards.install(connection)


def test_a_chain_as_it_was_written_is_whole(three: list[Entry], organization: Organization) -> None:
    assert chain.verify(organization) is None


def test_an_organization_without_entries_is_whole(organization: Organization) -> None:
    assert chain.verify(organization) is None


def test_the_canonical_form_is_the_documented_one(decide: Decide, organization: Organization) -> None:
    entry = decide(details={"b": 1, "a": ["ž"]}, reason="Größe")
    form = (
        f'{{"at":"2026-11-23T12:00:00.000000Z","by_id":"{entry.by_id}","by_name":"Olive Owner",'
        f'"details":{{"a":["ž"],"b":1}},"form":1,"id":"{entry.pk}","kind":"tests.thing.made",'
        f'"organization_id":"{organization.pk}","previous_hash":"{"0" * 64}","reason":"Größe","sequence":1,'
        '"subject_id":"17","subject_name":"arn:thing","subject_type":"thing","ticket":""}'
    )

    assert entry.hash == hashlib.sha256(form.encode()).hexdigest()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "00000000-0000-4000-8000-000000000000"),
        ("kind", "tests.other"),
        ("at", datetime.fromisoformat("2020-01-01T00:00:00+00:00")),
        ("by_id", "9"),
        ("by_name", "Oskar"),
        ("subject_type", "other"),
        ("subject_id", "9"),
        ("subject_name", "arn:other"),
        ("reason", "Another"),
        ("ticket", "OPS-1"),
        ("details", {"n": 9}),
        ("previous_hash", "f" * 64),
        ("hash", "f" * 64),
    ],
)
def test_each_changed_column_is_found(
    unguarded: list[Entry], organization: Organization, column: str, value: object
) -> None:
    Entry.objects.filter(pk=unguarded[1].pk).update(**{column: value})

    broken = chain.verify(organization)

    assert broken is not None
    assert broken.sequence == 2


def test_every_column_is_tried_above() -> None:
    tried = {"id", "kind", "at", "by_id", "by_name", "subject_type", "subject_id", "subject_name"}
    tried |= {"reason", "ticket", "details", "previous_hash", "hash"}

    # The organization and the sequence are tried below, by moving, swapping and deleting.
    assert {field.attname for field in Entry._meta.concrete_fields} == tried | {"organization_id", "sequence"}


FORGED = [
    pytest.param("details", "NaN", id="a number that JSON lacks"),
    pytest.param("details", '{"n": 1e400}', id="an endless number"),
    pytest.param("details", '"\\ud800"', id="half a character"),
    pytest.param("details", "[" * 100_000, id="deeper than can be read"),
    pytest.param("at", "yesterday", id="no time"),
    pytest.param("at", "2020-13-45 00:00:00", id="no date"),
    pytest.param("id", "forged", id="no id"),
    pytest.param("by_name", b"\x00\xff", id="bytes"),
    pytest.param("sequence", "two", id="no number"),
]


def forge(column: str, value: str | bytes, *, table: str = "ledger_entry", number: int = 2) -> None:
    """Write into the file itself, where nothing is looked at: SQLite takes any value into any column."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE sequence = %s", [value, number])
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(("column", "value"), FORGED)
def test_what_no_entry_can_hold_is_found_and_named(
    unguarded: list[Entry], organization: Organization, column: str, value: str | bytes
) -> None:
    forge(column, value)

    broken = chain.verify(organization)

    assert broken is not None
    assert broken.sequence == 2


@pytest.mark.only_on("postgresql")
@pytest.mark.parametrize("at", ["infinity", "-infinity", "20000-01-01"])
def test_a_time_that_python_cannot_hold_is_found_and_named(
    unguarded: list[Entry], organization: Organization, at: str
) -> None:
    forge("at", at)

    broken = chain.verify(organization)

    assert broken is not None
    assert broken.sequence == 2


@pytest.mark.only_on("sqlite")
def test_a_head_that_is_no_number_is_found(three: list[Entry], organization: Organization) -> None:
    forge("sequence", "three", table="ledger_head", number=3)

    assert chain.verify(organization) == Broken(3, "it stands after the head of the chain")


@pytest.mark.only_on("sqlite")
def test_an_organization_taken_away_from_above_its_chain_is_found(
    three: list[Entry], organization: Organization, another: Organization
) -> None:
    said = StringIO()
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_organization SET id = 4711 WHERE id = %s", [organization.pk])
        with pytest.raises(CommandError):
            call_command("verify_ledger", stderr=said)
        cursor.execute("UPDATE accounts_organization SET id = %s WHERE id = 4711", [organization.pk])

    assert f"Organization {organization.pk}: entry 1 is broken: its organization is missing." in said.getvalue()


def test_a_deleted_entry_is_found(unguarded: list[Entry], organization: Organization) -> None:
    unguarded[1].delete()

    assert chain.verify(organization) == Broken(2, "it is missing")


def test_a_deleted_tail_is_found(unguarded: list[Entry], organization: Organization) -> None:
    unguarded[2].delete()

    assert chain.verify(organization) == Broken(3, "it is missing")


def test_two_swapped_entries_are_found(unguarded: list[Entry], organization: Organization) -> None:
    first, second, _ = unguarded
    for entry, sequence in ((first, 99), (second, 1), (first, 2)):
        Entry.objects.filter(pk=entry.pk).update(sequence=sequence)

    assert chain.verify(organization) == Broken(1, "it does not follow from the entry before")


def test_an_entry_of_another_organization_is_found(
    unguarded: list[Entry], organization: Organization, another: Organization
) -> None:
    moved = unguarded[0]
    Entry.objects.filter(pk=moved.pk).delete()
    moved.organization = another
    moved.save(force_insert=True)
    Head.objects.create(organization=another, sequence=1, hash=moved.hash)

    assert chain.verify(another) == Broken(1, "it does not have the content that was hashed")
    assert chain.verify(organization) == Broken(1, "it is missing")


def test_an_inserted_entry_is_found(unguarded: list[Entry], organization: Organization) -> None:
    last = unguarded[2]
    forged = Entry.objects.get(pk=last.pk)
    forged.pk, forged.sequence, forged.previous_hash = "11111111-1111-4111-8111-111111111111", 4, last.hash
    forged.hash = chain.hash_of(forged)
    forged.save(force_insert=True)

    assert chain.verify(organization) == Broken(4, "it stands after the head of the chain")


def test_a_head_that_names_another_hash_is_found(three: list[Entry], organization: Organization) -> None:
    Head.objects.update(hash="f" * 64)

    assert chain.verify(organization) == Broken(3, "its hash is not the one at the head of the chain")


def rehash(entries: list[Entry]) -> None:
    """Write the whole chain anew, as its forger would."""
    previous = "0" * 64
    for entry in entries:
        entry.reason, entry.previous_hash = "Forged", previous
        previous = entry.hash = chain.hash_of(entry)
        entry.save(force_update=True)
    Head.objects.update(hash=previous)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_ledger", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_says_that_the_ledger_is_whole(three: list[Entry]) -> None:
    assert run() == "The ledger is whole: 3 entries.\n"


def test_the_command_fails_and_names_the_entry(unguarded: list[Entry]) -> None:
    Entry.objects.filter(pk=unguarded[1].pk).update(reason="Another")
    said = StringIO()

    with pytest.raises(CommandError, match="broken") as refusal:
        call_command("verify_ledger", stderr=said)

    assert refusal.value.returncode == 1
    assert said.getvalue() == "Acme: entry 2 is broken: it does not have the content that was hashed.\n"


def test_an_anchor_finds_a_chain_that_was_hashed_anew(
    unguarded: list[Entry], organization: Organization, tmp_path: Path
) -> None:
    anchor = str(tmp_path / "anchor")
    run("--anchor", anchor)
    run("--against", anchor)

    rehash(unguarded)

    assert chain.verify(organization) is None
    with pytest.raises(CommandError, match="broken"):
        run("--against", anchor)


def test_an_anchor_finds_a_tail_that_was_cut_off_with_its_head(
    unguarded: list[Entry], organization: Organization, tmp_path: Path
) -> None:
    anchor = str(tmp_path / "anchor")
    run("--anchor", anchor)

    unguarded[2].delete()
    Head.objects.update(sequence=2, hash=unguarded[1].hash)

    assert chain.verify(organization) is None
    with pytest.raises(CommandError, match="broken"):
        run("--against", anchor)


def test_an_anchor_holds_while_the_ledger_grows(three: list[Entry], decide: Decide, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    run("--anchor", str(anchor))
    decide()

    assert "whole" in run("--against", str(anchor))
    assert json.loads(anchor.read_text())["sequence"] == 3


def test_a_broken_ledger_is_not_anchored(unguarded: list[Entry], tmp_path: Path) -> None:
    unguarded[1].delete()

    with pytest.raises(CommandError):
        run("--anchor", str(tmp_path / "anchor"))

    assert not (tmp_path / "anchor").exists()


@pytest.mark.parametrize(
    "held",
    [
        "",
        "nonsense",
        "[]",
        "3",
        "null",
        "{}",
        '{"organization": "1", "sequence": "3", "hash": "f"}',
        '{"organization": "acme", "sequence": 3, "hash": "f"}',
        '{"organization": "1", "sequence": 3}',
    ],
)
def test_a_file_that_holds_no_anchors_is_refused_with_a_sentence(three: list[Entry], tmp_path: Path, held: str) -> None:
    (tmp_path / "anchor").write_text(held)

    with pytest.raises(CommandError, match="no file of anchors"):
        run("--against", str(tmp_path / "anchor"))
