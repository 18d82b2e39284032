"""Triggers by which the database itself refuses to change or delete an entry, on SQLite and on PostgreSQL.

They stop mistakes and honest code. Who owns the database can drop them; that is what the chain and its anchors are for.
Names end in a version: a trigger that must change gets a new name, so that the next migration installs it.
"""

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic

TABLE = "ledger_entry"
MESSAGE = "Entries of the ledger are never changed or deleted."

# INSERT OR REPLACE deletes the rows in its way without waking delete triggers: so the insert is watched too. The rowid
# is a key as well, which nobody declared; where an insert names none it is -1 here, and no row has that.
IN_THE_WAY = """SELECT 1 FROM ledger_entry WHERE id = NEW.id UNION ALL
    SELECT 1 FROM ledger_entry WHERE rowid = NEW.rowid UNION ALL
    SELECT 1 FROM ledger_entry WHERE organization_id = NEW.organization_id AND sequence = NEW.sequence"""
SQLITE = {
    "ledger_entry_no_update_v1": f"BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    "ledger_entry_no_delete_v1": f"BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    "ledger_entry_no_replace_v2": (
        f"BEFORE INSERT ON {TABLE} WHEN EXISTS ({IN_THE_WAY}) BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    ),
}
POSTGRESQL = {
    "ledger_entry_no_change_v1": f"BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW",
    "ledger_entry_no_truncate_v1": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT",
}
INSTALLED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled = 'A'",
}
REFUSE = f"""CREATE OR REPLACE FUNCTION ledger_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the database refuse changes of entries; does nothing where the table or nothing is missing."""
    if not has_entries_table(connection) or are_installed(connection):
        return
    statements = _for_postgresql() if connection.vendor == "postgresql" else _for_sqlite()
    with atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Let entries be deleted: for tests that empty the database between each other, and for nothing else."""
    if not has_entries_table(connection):
        return
    suffix = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    with atomic(using=connection.alias), connection.cursor() as cursor:
        for name in _names(connection):
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{suffix}")


def are_installed(connection: BaseDatabaseWrapper) -> bool:
    """Every guard is there and, on PostgreSQL, fires in every session."""
    with connection.cursor() as cursor:
        cursor.execute(INSTALLED[connection.vendor], [TABLE])
        return _names(connection) <= {name for (name,) in cursor.fetchall()}


def has_entries_table(connection: BaseDatabaseWrapper) -> bool:
    """The table is there to be guarded: it is not before the first migration."""
    return TABLE in connection.introspection.table_names()


def _names(connection: BaseDatabaseWrapper) -> set[str]:
    return set(POSTGRESQL if connection.vendor == "postgresql" else SQLITE)


def _for_sqlite() -> list[str]:
    return [f"CREATE TRIGGER IF NOT EXISTS {name} {body}" for name, body in SQLITE.items()]


def _for_postgresql() -> list[str]:
    statements = [REFUSE]
    for name, body in POSTGRESQL.items():
        statements += [
            f"DROP TRIGGER IF EXISTS {name} ON {TABLE}",
            f"CREATE TRIGGER {name} {body} EXECUTE FUNCTION ledger_entry_refuse()",
            # ALWAYS: else a session with session_replication_role = replica writes past it.
            f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements
