"""Writing rows set by set: what is new and what has changed, and nothing else.

A row that says already what AWS holds is not written; since when that is known is said by the account's last reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import models

from accounts.importers.staging import BATCH
from accounts.models import Account, Source

Row = TypeVar("Row", bound=models.Model)
# What a row held before, and what it holds now, by field.
Differences = dict[str, tuple[Any, Any]]


@dataclass
class Written(Generic[Row]):
    """What one set of rows came to; `changed` is by primary key."""

    new: list[Row] = field(default_factory=list)
    changed: dict[int, Differences] = field(default_factory=dict)


def differences(row: models.Model, wanted: Mapping[str, object]) -> Differences:
    """Where the row differs from what it should hold."""
    held = {name: getattr(row, name) for name in wanted}
    return {name: (held[name], value) for name, value in wanted.items() if held[name] != value}


def read_from(account: Account, source: Source, read_at: datetime) -> dict[str, Any]:
    """What each row that is written says of its reading and of whose it is."""
    return {
        "organization_id": account.organization_id,
        "account_id": account.pk,
        "source": source,
        "read_at": read_at,
    }


def upsert(
    model: type[Row],
    rows: Mapping[str, Row],
    wanted: Mapping[str, Mapping[str, object]],
    reading: Mapping[str, object],
) -> Written[Row]:
    """Make the rows hold what is wanted of them; both are by the same keys, and a key without a row gets a new one."""
    written: Written[Row] = Written()
    changed: list[Row] = []
    for key, fields in wanted.items():
        row = rows.get(key)
        if row is None:
            written.new.append(model(**fields, **reading))
            continue
        found = differences(row, fields)
        if found:
            fill(row, {**fields, **reading})
            changed.append(row)
            written.changed[row.pk] = found
    create(model, written.new)
    update(model, changed, names=_names(wanted, reading))
    return written


def fill(row: models.Model, fields: Mapping[str, object]) -> None:
    """Set the fields on the row, without saving it."""
    for name, value in fields.items():
        setattr(row, name, value)


def create(model: type[Row], rows: Sequence[Row]) -> None:
    """Insert the rows, a batch in one statement."""
    model._default_manager.bulk_create(rows, batch_size=BATCH)


def update(model: type[Row], rows: Sequence[Row], *, names: Iterable[str]) -> None:
    """Write these fields of rows that exist, a batch in one statement (INSERT … ON CONFLICT DO UPDATE)."""
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=["pk"], update_fields=list(names), batch_size=BATCH
    )


def _names(wanted: Mapping[str, Mapping[str, object]], reading: Mapping[str, object]) -> list[str]:
    """Neither the organization nor the account of a row ever changes."""
    fields = next(iter(wanted.values()), {})
    return [*fields, *(name for name in reading if name not in ("organization_id", "account_id"))]
