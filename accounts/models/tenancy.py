"""Guards in the database: a row points only at rows of its own organization and AWS account, and stays in them.

Derived from the models, so that a new foreign key is guarded without anybody remembering it. Triggers and not composite
foreign keys: SQLite cannot add those, and both databases must refuse alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

BOUND_COLUMNS = ("organization_id", "account_id")
# PostgreSQL's limit of 63 bytes (NAMEDATALEN), less what SQLite's triggers add for their event.
LONGEST_NAME = 56
DIGEST_LENGTH = 8


@dataclass(frozen=True)
class Guard:
    """A rule about `table.column`: no new row may make `is_broken`, an SQL expression over NEW and OLD, true."""

    table: str
    column: str
    rule: str
    is_broken: str
    refusal: str
    needs: str
    events: tuple[str, ...] = ("INSERT", "UPDATE")

    @property
    def name(self) -> str:
        """Unique, and no longer than PostgreSQL takes it, which would cut it off without a word."""
        whole = f"guard_{self.table}_{self.column}_{self.rule}"
        if len(whole) <= LONGEST_NAME:
            return whole
        digest = sha256(whole.encode()).hexdigest()[:DIGEST_LENGTH]
        return f"{whole[: LONGEST_NAME - DIGEST_LENGTH - 1]}_{digest}"


def same(table: str, column: str, target: str, bound: str, expected: str) -> Guard:
    """That `table.column` points at a row of `target` whose `bound` column is what `expected` says.

    Nothing to compare breaks nothing: an empty reference, or one that the foreign key refuses.
    """
    found = f"(SELECT {bound} FROM {target} WHERE id = NEW.{column})"  # noqa: S608 -- names of our own tables
    return Guard(table, column, bound, f"{found} <> {expected}", "another organization or account", target)


def fixed(table: str, column: str) -> Guard:
    """That a row stays where it was made: what points at it would be left behind."""
    return Guard(table, column, "fixed", f"NEW.{column} <> OLD.{column}", "it never changes", table, ("UPDATE",))


def guards() -> Iterator[Guard]:
    """Every guard that the models of all our apps ask for."""
    for model in apps.get_models(include_auto_created=True):
        # Links first: an envelope's link to an account has a column account_id and is bound by none.
        if model._meta.auto_created:
            yield from _guards_of_link(model)
        else:
            yield from _guards_of_row(model)


def _bound_columns(model: type[models.Model]) -> list[str]:
    # An Account's own account_id is AWS's number and binds nothing; only foreign keys do.
    return [
        field.attname
        for field in model._meta.concrete_fields
        if field.attname in BOUND_COLUMNS and isinstance(field, models.ForeignKey)
    ]


def _foreign_keys(model: type[models.Model]) -> Iterator[Any]:
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model._meta.model_name != "organization":
            yield field


def _guards_of_row(model: type[models.Model]) -> Iterator[Guard]:
    own = _bound_columns(model)
    for bound in own:
        yield fixed(model._meta.db_table, bound)
    for field in _foreign_keys(model):
        target = field.related_model
        for bound in sorted(set(own) & set(_bound_columns(target))):
            yield same(model._meta.db_table, field.column, target._meta.db_table, bound, f"NEW.{bound}")


def _guards_of_link(model: type[models.Model]) -> Iterator[Guard]:
    """A many-to-many table has no organization of its own: its two ends must have the same one."""
    ends = [field for field in _foreign_keys(model) if "organization_id" in _bound_columns(field.related_model)]
    if len(ends) == 2:
        left, right = ends
        table = right.related_model._meta.db_table
        other = f"(SELECT organization_id FROM {table} WHERE id = NEW.{right.column})"  # noqa: S608 -- as above
        yield same(model._meta.db_table, left.column, left.related_model._meta.db_table, "organization_id", other)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every guard anew; harmless to repeat."""
    statements = _postgresql if connection.vendor == "postgresql" else _sqlite
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in guards():
            if {guard.table, guard.needs} <= existing:
                for statement in statements(guard):
                    cursor.execute(statement)


def take_down_before_migrate(*, using: str, **kwargs: object) -> None:
    """Django's pre_migrate hook: SQLite rebuilds tables by renaming, and a trigger that names one would fail."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'guard_*'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")


def install_after_migrate(*, using: str, **kwargs: object) -> None:
    """Django's post_migrate hook."""
    install(connections[using])


def _sqlite(guard: Guard) -> Iterator[str]:
    for event in guard.events:
        name = f"{guard.name}_{event.lower()}"
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield (
            f"CREATE TRIGGER {name} BEFORE {event} ON {guard.table} WHEN {guard.is_broken} "
            f"BEGIN SELECT RAISE(ABORT, '{guard.name}: {guard.refusal}'); END"
        )


def _postgresql(guard: Guard) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {guard.is_broken} THEN RAISE EXCEPTION '{guard.name}: {guard.refusal}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    yield f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}"
    yield (
        f"CREATE TRIGGER {guard.name} BEFORE {' OR '.join(guard.events)} ON {guard.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {guard.name}()"
    )
