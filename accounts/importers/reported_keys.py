"""Which access key a column of the credential report tells of: the report bears no key ids.

Its "last rotated" is when the key was made, or when its status last changed (IAM User Guide, "Generate credential
reports"). So a key joins its column by the time at which it was made, by what it was joined by last time, or because
nothing else is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from portal.aws.iam.credential_report import CredentialReportRow, ReportedAccessKey

Joined: TypeAlias = dict[str, ReportedAccessKey]


@dataclass(frozen=True)
class KnownKey:
    """A key as the portal knows it; `last_rotated` is None where no report has told of it yet."""

    access_key_id: str
    create_date: datetime
    is_active: bool
    last_rotated: datetime | None = None


def columns(row: CredentialReportRow) -> list[ReportedAccessKey]:
    """The key columns that tell of a key."""
    return [key for key in row.access_keys if key.is_active or key.last_rotated is not None]


def are_as_known(row: CredentialReportRow, known: Iterable[KnownKey]) -> bool:
    """Whether the report tells of just the keys that are known: then nobody needs to list them.

    A key that was made, deleted, or had its status changed since has another time or status there.
    """
    told = Counter((key.last_rotated, key.is_active) for key in columns(row))
    return not row.has_additional_credentials and told == Counter((key.last_rotated, key.is_active) for key in known)


def joined(row: CredentialReportRow, keys: Sequence[KnownKey]) -> Joined:
    """The columns by key id, of those keys of which there is no doubt."""
    left, told = list(keys), columns(row)
    found: Joined = {}
    rules: tuple[Callable[[KnownKey, ReportedAccessKey], bool], ...] = (
        lambda key, column: key.last_rotated is not None and column.last_rotated == key.last_rotated,
        lambda key, column: column.last_rotated == key.create_date,
        _may_be,
    )
    for rule in rules:
        _join(left, told, rule, found)
    return found


def _may_be(key: KnownKey, column: ReportedAccessKey) -> bool:
    """A status changes after the key was made, and the report may be older than the last change."""
    return column.last_rotated is not None and column.last_rotated > key.create_date


def _join(
    left: list[KnownKey],
    told: list[ReportedAccessKey],
    rule: Callable[[KnownKey, ReportedAccessKey], bool],
    found: Joined,
) -> None:
    for key in list(left):
        fitting = [column for column in told if rule(key, column)]
        rivals = [other for other in left if other is not key and any(rule(other, column) for column in fitting)]
        if len(fitting) == 1 and not rivals:
            found[key.access_key_id] = fitting[0]
            left.remove(key)
            told.remove(fitting[0])
