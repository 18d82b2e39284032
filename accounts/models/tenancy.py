"""Guards in the database: a row may point only at rows of its own organization, and of its own AWS account.

Derived from the models, so that a new foreign key is guarded without anybody remembering it. Triggers and not composite
foreign keys: SQLite cannot add those, and both databases must refuse alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

BOUND_COLUMNS = ("organization_id", "account_id")


@dataclass(frozen=True)
class Guard:
    """That `table.column` points at a row of `target` whose `bound` column equals `expected`, an SQL expression."""

    table: str
    column: str
    target: str
    bound: str
    expected: str

    @property
    def name(self) -> str:
        return f"guard_{self.table}_{self.column}_{self.bound}"[:60]

    @property
    def is_broken(self) -> str:
        """SQL that is true where the new row breaks the guard; nothing to compare breaks nothing."""
        return f"(SELECT {self.bound} FROM {self.target} WHERE id = NEW.{self.column}) <> {self.expected}"  # noqa: S608 -- names of our own tables


def guards() -> Iterator[Guard]:
    """Every guard that the models of all our apps ask for."""
    for model in apps.get_models(include_auto_created=True):
        if _bound_columns(model):
            yield from _guards_of_row(model)
        elif model._meta.auto_created:
            yield from _guards_of_link(model)


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
    for field in _foreign_keys(model):
        target = field.related_model
        for bound in set(own) & set(_bound_columns(target)):
            yield Guard(model._meta.db_table, field.column, target._meta.db_table, bound, f"NEW.{bound}")


def _guards_of_link(model: type[models.Model]) -> Iterator[Guard]:
    """A many-to-many table has no organization of its own: its two ends must have the same one."""
    ends = [field for field in _foreign_keys(model) if "organization_id" in _bound_columns(field.related_model)]
    if len(ends) == 2:
        left, right = ends
        table = right.related_model._meta.db_table
        other = f"(SELECT organization_id FROM {table} WHERE id = NEW.{right.column})"  # noqa: S608 -- as above
        yield Guard(model._meta.db_table, left.column, left.related_model._meta.db_table, "organization_id", other)


def install(connection: BaseDatabaseWrapper) -> None:
    """Make every guard anew; harmless to repeat."""
    statements = _postgresql if connection.vendor == "postgresql" else _sqlite
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in guards():
            if {guard.table, guard.target} <= existing:
                for statement in statements(guard):
                    cursor.execute(statement)


def install_after_migrate(*, using: str, **kwargs: object) -> None:
    """Django's post_migrate hook."""
    install(connections[using])


def _sqlite(guard: Guard) -> Iterator[str]:
    for event in ("INSERT", "UPDATE"):
        name = f"{guard.name}_{event.lower()}"
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield (
            f"CREATE TRIGGER {name} BEFORE {event} ON {guard.table} WHEN {guard.is_broken} "
            f"BEGIN SELECT RAISE(ABORT, '{guard.name}: another organization or account'); END"
        )


def _postgresql(guard: Guard) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {guard.is_broken} THEN RAISE EXCEPTION '{guard.name}: another organization or account' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
    )
    yield f"DROP TRIGGER IF EXISTS {guard.name} ON {guard.table}"
    yield (
        f"CREATE TRIGGER {guard.name} BEFORE INSERT OR UPDATE ON {guard.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {guard.name}()"
    )
