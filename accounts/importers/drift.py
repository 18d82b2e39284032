"""Drift, concluded from a complete reading of an account: where AWS differs from what was decided here.

An IAM user that the portal manages is compared with its record, attribute by attribute, and a difference waits for
somebody's decision. What is new or not managed is adopted by itself, and kept so that people can read what changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from accounts import arns
from accounts.delivery.held import QUIET_TIME
from accounts.importers.staging import batches
from accounts.kinds import Kind
from accounts.models import Account, Drift, GroupMembership, IAMUserRecord, Source
from accounts.models.attributes import Attributes, are_same
from portal.ledger.models import Delivery

Changes = Mapping[int, Mapping[str, tuple[object, object]]]
Difference = tuple[object, object]


@dataclass(frozen=True)
class Reading:
    """One complete reading of an account: which, where from, and when it began."""

    account: Account
    source: Source
    read_at: datetime

    def drift(self, iam_user: int, kind: Drift.Kind, **what: Any) -> Drift:
        """A row that tells of this reading."""
        return Drift(
            organization_id=self.account.organization_id,
            account=self.account,
            iam_user_id=iam_user,
            kind=kind,
            source=self.source,
            read_at=self.read_at,
            **what,
        )

    def adopted(self, iam_user: int, kind: Drift.Kind, **what: Any) -> Drift:
        """One that nobody has to decide about."""
        return self.drift(iam_user, kind, state=Drift.State.ADOPTED, ended_at=self.read_at, **what)


@dataclass
class Conclusion:
    """What is to be written of one batch."""

    opened: list[Drift] = field(default_factory=list)
    told: list[Drift] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def save(self, reading: Reading) -> None:
        """In three questions at most."""
        Drift.objects.bulk_create(self.opened)
        if self.told:
            Drift.objects.bulk_update(self.told, ["decided", "held", "source", "read_at"])
        if self.ended:
            ended = Drift.objects.filter(pk__in=self.ended)
            ended.update(state=Drift.State.ENDED, ended_at=reading.read_at)


def conclude(
    account: Account,
    *,
    read_at: datetime,
    source: Source,
    new: Collection[int],
    gone: Collection[int],
    changed: Changes,
    first_reading: bool,
) -> None:
    """Write down what a reading says beside what was decided; inside the import's transaction, after its rows.

    `new` and `gone` are keys of the account's IAM users that were found new, and concluded gone. `changed` maps keys of
    those whose rows the reading changed to what each attribute (`Drift.Attribute`) was before and is now. Of the first
    reading of an account all is new, and nothing of it is told.
    """
    reading = Reading(account, source, read_at)
    managed = set(IAMUserRecord.objects.filter(iam_user__account=account).values_list("iam_user_id", flat=True))
    for batch in batches(sorted(managed)):
        _compare(reading, batch)
    if not first_reading:
        unmanaged = {pk: changes for pk, changes in changed.items() if pk not in managed}
        _tell(reading, new=set(new) - managed, gone=set(gone) - managed, changed=unmanaged)


def _compare(reading: Reading, iam_users: Collection[int]) -> None:
    """Compare the rows with the records. Whatever is on its way, or has just arrived, is left for another reading."""
    records = list(IAMUserRecord.objects.filter(iam_user__in=iam_users).select_related("iam_user"))
    group_names = _group_names(iam_users)
    # Asked last: what was decided since the records were read is seen here.
    pending = _pending(reading, iam_users)
    found: dict[int, dict[str, Drift]] = {}
    for drift in Drift.objects.open().filter(iam_user__in=iam_users):
        found.setdefault(drift.iam_user_id, {})[drift.attribute] = drift
    conclusion = Conclusion()
    for record in records:
        if record.iam_user_id not in pending:
            differences = _differences(record, group_names.get(record.iam_user_id, ()))
            _set_against(reading, record.iam_user_id, differences, found.get(record.iam_user_id, {}), conclusion)
    conclusion.save(reading)


def _differences(record: IAMUserRecord, group_names: Iterable[str]) -> dict[str, Difference]:
    """By attribute; by none where AWS no longer holds the IAM user at all."""
    if record.iam_user.gone_at is not None:
        return {Drift.Attribute.NONE.value: (record.attributes.stored(), None)}
    return record.attributes.differences(Attributes.held(record.iam_user, group_names))


def _set_against(
    reading: Reading, iam_user: int, differences: Mapping[str, Difference], found: dict[str, Drift], to: Conclusion
) -> None:
    for attribute, difference in differences.items():
        drift, (decided, held) = found.pop(attribute, None), difference
        if drift is None:
            kind = Drift.Kind.CHANGED if attribute else Drift.Kind.GONE
            to.opened.append(reading.drift(iam_user, kind, attribute=attribute, decided=decided, held=held))
        elif drift.is_news(difference):
            drift.decided, drift.held = difference
            drift.source, drift.read_at = reading.source, reading.read_at
            to.told.append(drift)
    to.ended += [drift.pk for drift in found.values()]


def _group_names(iam_users: Collection[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    memberships = GroupMembership.objects.filter(iam_user__in=iam_users)
    for iam_user, name in memberships.values_list("iam_user_id", "iam_group__group_name"):
        names.setdefault(iam_user, []).append(name)
    return names


def _pending(reading: Reading, iam_users: Collection[int]) -> set[int]:
    """Those of whom something decided has not arrived, or so lately that the reading may not have seen it."""
    arrived = Q(state=Delivery.State.DONE, done_at__gt=reading.read_at - QUIET_TIME)
    deliveries = _about(reading, iam_users).filter(Q(state__in=Delivery.OPEN) | arrived)
    return {int(pk) for pk in deliveries.values_list("entry__subject_id", flat=True)}


def _deleted_here(reading: Reading, iam_users: Collection[int]) -> set[int]:
    """Those of whom it was decided here that they go."""
    deletions = _about(reading, iam_users).filter(entry__kind=Kind.IAM_USER_DELETED)
    kept = deletions.exclude(state=Delivery.State.GIVEN_UP)
    return {int(pk) for pk in kept.values_list("entry__subject_id", flat=True)}


def _about(reading: Reading, iam_users: Collection[int]) -> Any:
    return Delivery.objects.of(reading.account.organization).filter(
        entry__organization=reading.account.organization,
        entry__subject_type="iam_user",
        entry__subject_id__in=[str(pk) for pk in iam_users],
    )


def _tell(reading: Reading, *, new: Collection[int], gone: Collection[int], changed: Changes) -> None:
    """What happened to IAM users that the portal does not manage: the rows follow AWS, and people can read it."""
    for batch in batches(sorted(new)):
        Drift.objects.bulk_create(reading.adopted(pk, Drift.Kind.NEW) for pk in batch)
    for batch in batches(sorted(gone)):
        here = _deleted_here(reading, batch)
        Drift.objects.bulk_create(reading.adopted(pk, Drift.Kind.GONE) for pk in batch if pk not in here)
    for batch in batches(sorted(pk for pk in changed if pk not in new)):
        Drift.objects.bulk_create(drift for pk in batch for drift in _changes(reading, pk, changed[pk]))


def _changes(reading: Reading, iam_user: int, changes: Mapping[str, tuple[object, object]]) -> Iterator[Drift]:
    # A row also says since when it is gone and when it was made; those are no attributes that people decide.
    for attribute, (before, now) in changes.items():
        if attribute not in Drift.Attribute.values:
            continue
        was, is_now = _plain(attribute, before), _plain(attribute, now)
        if not are_same(attribute, was, is_now):
            yield reading.adopted(iam_user, Drift.Kind.CHANGED, attribute=attribute, decided=was, held=is_now)


def _plain(attribute: str, value: Any) -> Any:
    if attribute == Drift.Attribute.TAGS:
        return arns.peoples_tags(dict(value))
    if attribute in (Drift.Attribute.GROUPS, Drift.Attribute.ATTACHED_POLICIES):
        return sorted(value)
    return value
