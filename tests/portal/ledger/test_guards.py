"""The database itself refuses to change what was written."""

from collections.abc import Callable, Iterator

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from portal.ledger import guards
from portal.ledger.models import Entry

Decide = Callable[..., Entry]


@pytest.fixture
def entry(decide: Decide) -> Entry:
    return decide()


@pytest.fixture
def guards_again() -> Iterator[None]:
    """Whatever the test does to the guards, the next test has them."""
    yield
    guards.install(connection)


def attempt(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


COLUMNS = [str(field.column) for field in Entry._meta.concrete_fields]


@pytest.mark.django_db
@pytest.mark.parametrize("column", COLUMNS)
def test_no_column_of_an_entry_can_be_updated(entry: Entry, column: str) -> None:
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt(f"UPDATE ledger_entry SET {column} = {column}")


@pytest.mark.django_db
def test_an_entry_cannot_be_deleted(entry: Entry) -> None:
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt("DELETE FROM ledger_entry")

    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_the_orm_is_refused_as_well(entry: Entry) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry.objects.update(reason="Another")
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.delete()


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("changed", ["id", "sequence"])
def test_an_entry_cannot_be_replaced_by_an_insert(entry: Entry, changed: str) -> None:
    values = ", ".join({"id": "'x'", "sequence": "7"}[c] if c == changed else c for c in COLUMNS)
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt(f"INSERT OR REPLACE INTO ledger_entry ({', '.join(COLUMNS)}) SELECT {values} FROM ledger_entry")


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("number", ["rowid", "oid", "_rowid_"])
def test_an_entry_cannot_be_replaced_by_its_rows_own_number(entry: Entry, number: str) -> None:
    changed = {"id": "'x'", "sequence": "7"}
    names, values = ", ".join(COLUMNS), ", ".join(changed.get(column, column) for column in COLUMNS)
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt(f"INSERT OR REPLACE INTO ledger_entry ({number}, {names}) SELECT rowid, {values} FROM ledger_entry")

    assert Entry.objects.get().pk == entry.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_the_table_cannot_be_truncated(entry: Entry) -> None:
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt("TRUNCATE ledger_entry CASCADE")


@pytest.mark.django_db
@pytest.mark.only_on("postgresql")
def test_a_session_that_replicates_is_refused_too(entry: Entry) -> None:
    with pytest.raises(DatabaseError, match="never changed or deleted"):
        attempt("SET LOCAL session_replication_role = replica; DELETE FROM ledger_entry")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("guards_again")
def test_they_are_installed_and_removed_any_number_of_times(entry: Entry) -> None:
    guards.install(connection)
    guards.install(connection)
    assert guards.are_installed(connection)

    guards.remove(connection)
    guards.remove(connection)
    assert not guards.are_installed(connection)
    attempt("UPDATE ledger_entry SET reason = 'Another'")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("guards_again")
def test_one_missing_guard_is_noticed_and_put_back_by_migrate() -> None:
    name = sorted(guards._names(connection))[0]
    attempt(f"DROP TRIGGER {name}" + (" ON ledger_entry" if connection.vendor == "postgresql" else ""))
    warnings = run_checks(databases=["default"])
    assert "ledger.W001" in [warning.id for warning in warnings]

    call_command("migrate", verbosity=0)

    assert guards.are_installed(connection)
    assert "ledger.W001" not in [warning.id for warning in run_checks(databases=["default"])]
