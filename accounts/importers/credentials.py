"""Applying what was read of IAM users' passwords, access keys, MFA devices and other credentials, many users at once.

A row that was read later than the fact stays: the credential report may be four hours old, and a delivery may have
read a user back meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from accounts.importers.facts import Credentials, Fact, LastUse, Password
from accounts.importers.staging import batches
from accounts.importers.writing import create, differences, fill, update
from accounts.models import AccessKey, Account, IAMCredential, LoginProfile, MFADevice
from accounts.models.facts import FactFromAWS
from portal.aws.iam.access_keys import AccessKeyMetadata

Row = TypeVar("Row", bound=FactFromAWS)
# What is told of users, by the primary keys of their rows.
ToldOfUsers = Mapping[int, Credentials]


@dataclass(frozen=True)
class Writing:
    """Into which account, and whether rows that say it already get the new time: where no reading of the whole does."""

    account: Account
    with_times: bool = False


def write(writing: Writing, told: ToldOfUsers) -> None:
    """Everything about these users' credentials."""
    _write_passwords(writing, told)
    _write_last_uses(writing, told, but_of=_write_access_keys(writing, told))
    _write_mfa_devices(writing, told)
    for kind in IAMCredential.Kind:
        _write_others(writing, told, kind)


class _Set:
    """Rows of one model that are to be written: what is new, what has changed, and what is there no longer."""

    def __init__(self, model: type[Row], writing: Writing) -> None:
        self._model: Any = model
        self._account, self._with_times = writing.account, writing.with_times
        self._new: list[Any] = []
        self._changed: list[Any] = []
        self._names: set[str] = set()

    def put(
        self, row: Any, fields: Mapping[str, object], fact: Fact[Any], *, when_new: Mapping[str, object] | None = None
    ) -> None:
        """The row, or a new one where it is None, shall hold this; a later row stays."""
        reading = {"source": fact.source, "read_at": fact.read_at}
        if row is None:
            whose = {"organization_id": self._account.organization_id, "account_id": self._account.pk}
            self._new.append(self._model(**whose, **fields, **reading, **(when_new or {})))
        elif not _is_later(row, fact.read_at) and (self._with_times or differences(row, fields)):
            fill(row, {**fields, **reading})
            self._changed.append(row)
        self._names |= {*fields, *reading}

    def write(self) -> None:
        """All of it."""
        create(self._model, self._new)
        update(self._model, self._changed, names=self._names)


def _is_later(row: FactFromAWS, read_at: datetime) -> bool:
    return row.read_at is not None and row.read_at > read_at


def _write_passwords(writing: Writing, told: ToldOfUsers) -> None:
    rows = {row.iam_user_id: row for row in LoginProfile.objects.filter(iam_user__in=list(told))}
    facts = {pk: credentials.password for pk, credentials in told.items() if credentials.password is not None}
    rows_to_write = _Set(LoginProfile, writing)
    for pk, fact in facts.items():
        if fact.told is not None:
            rows_to_write.put(rows.get(pk), _password_fields(pk, fact.told), fact)
    ended = [
        rows[pk].pk
        for pk, fact in facts.items()
        if fact.told is None and pk in rows and not _is_later(rows[pk], fact.read_at)
    ]
    LoginProfile.objects.filter(pk__in=ended).delete()
    rows_to_write.write()


def _password_fields(iam_user: int, password: Password) -> dict[str, object]:
    """The report knows when it was changed, GetLoginProfile whether it must be; each leaves the other's alone."""
    fields: dict[str, object] = {"iam_user_id": iam_user, "password_last_used": password.last_used}
    if password.last_changed is not None:
        fields["password_last_changed"] = password.last_changed
    if password.reset_required is not None:
        fields["password_reset_required"] = password.reset_required
    return fields


def _write_access_keys(writing: Writing, told: ToldOfUsers) -> set[str]:
    """Write them, each new one with its last use already; the ids of those."""
    lists = {pk: credentials.access_keys for pk, credentials in told.items() if credentials.access_keys is not None}
    ids = [key.access_key_id for fact in lists.values() for key in fact.told]
    rows = {
        row.access_key_id: row for batch in batches(ids) for row in AccessKey.objects.filter(access_key_id__in=batch)
    }
    rows_to_write = _Set(AccessKey, writing)
    for pk, fact in lists.items():
        for key in fact.told:
            use = told[pk].last_uses.get(key.access_key_id)
            last_use = None if use is None else _last_use_as_read(use)
            rows_to_write.put(rows.get(key.access_key_id), _key_fields(pk, key), fact, when_new=last_use)
    rows_to_write.write()
    _conclude_gone(lists, set(ids))
    return set(ids) - set(rows)


def _conclude_gone(lists: Mapping[int, Fact[Any]], listed: Set[str]) -> None:
    for fact_read_at, users in _by_time(lists).items():
        present = AccessKey.objects.present().filter(iam_user__in=users, read_at__lte=fact_read_at)
        gone = [pk for pk, key_id in present.values_list("pk", "access_key_id") if key_id not in listed]
        AccessKey.objects.filter(pk__in=gone).update(gone_at=fact_read_at)


def _key_fields(iam_user: int, key: AccessKeyMetadata) -> dict[str, object]:
    return {
        "iam_user_id": iam_user,
        "access_key_id": key.access_key_id,
        "status": key.status,
        "create_date": key.create_date,
        "gone_at": None,
    }


def _by_time(lists: Mapping[int, Fact[Any]]) -> dict[datetime, list[int]]:
    """The users by the time at which their keys were listed: it is one for all of them, or theirs alone."""
    found: dict[datetime, list[int]] = {}
    for pk, fact in lists.items():
        found.setdefault(fact.read_at, []).append(pk)
    return found


def _write_last_uses(writing: Writing, told: ToldOfUsers, *, but_of: Set[str]) -> None:
    uses = {key_id: fact for credentials in told.values() for key_id, fact in credentials.last_uses.items()}
    changed: list[AccessKey] = []
    for row in _keys(uses.keys() - but_of):
        fact = uses[row.access_key_id]
        known_at = row.last_used_read_at
        if known_at is None or (
            known_at <= fact.read_at and (writing.with_times or differences(row, _last_use_fields(fact.told)))
        ):
            fill(row, _last_use_as_read(fact))
            changed.append(row)
    names = ("last_used_date", "last_used_region", "last_used_service", "last_rotated", "last_used_source")
    update(AccessKey, changed, names=[*names, "last_used_read_at"])


def _last_use_fields(use: LastUse) -> dict[str, object]:
    fields: dict[str, object] = {
        "last_used_date": use.date,
        "last_used_region": use.region,
        "last_used_service": use.service,
    }
    return fields if use.last_rotated is None else fields | {"last_rotated": use.last_rotated}


def _last_use_as_read(fact: Fact[LastUse]) -> dict[str, object]:
    return _last_use_fields(fact.told) | {"last_used_source": fact.source, "last_used_read_at": fact.read_at}


def _keys(access_key_ids: Iterable[str]) -> Iterator[AccessKey]:
    for batch in batches(access_key_ids):
        yield from AccessKey.objects.filter(access_key_id__in=batch)


def _write_mfa_devices(writing: Writing, told: ToldOfUsers) -> None:
    lists = {pk: credentials.mfa_devices for pk, credentials in told.items() if credentials.mfa_devices is not None}
    wanted = {device.serial_number: (pk, device, fact) for pk, fact in lists.items() for device in fact.told}
    ended = [
        row.pk
        for row in MFADevice.objects.filter(iam_user__in=list(lists))
        if row.serial_number not in {device.serial_number for device in lists[row.iam_user_id].told}
        and row.serial_number not in wanted
        and not _is_later(row, lists[row.iam_user_id].read_at)
    ]
    MFADevice.objects.filter(pk__in=ended).delete()
    rows = {
        row.serial_number: row
        for batch in batches(wanted)
        for row in MFADevice.objects.filter(account=writing.account, serial_number__in=batch)
    }
    rows_to_write = _Set(MFADevice, writing)
    for serial_number, (pk, device, fact) in wanted.items():
        fields = {"iam_user_id": pk, "serial_number": serial_number, "enable_date": device.enable_date}
        rows_to_write.put(rows.get(serial_number), fields, fact)
    rows_to_write.write()


def _write_others(writing: Writing, told: ToldOfUsers, kind: IAMCredential.Kind) -> None:
    lists = {pk: credentials.others[kind] for pk, credentials in told.items() if kind in credentials.others}
    rows = {
        (row.iam_user_id, row.credential_id): row
        for row in IAMCredential.objects.filter(iam_user__in=list(lists), kind=kind)
    }
    rows_to_write = _Set(IAMCredential, writing)
    seen = set()
    for pk, fact in lists.items():
        for each in fact.told:
            fields = {
                "iam_user_id": pk,
                "kind": kind,
                "credential_id": each.credential_id,
                "status": each.status,
                "create_date": each.create_date,
                "service_name": each.service_name,
            }
            rows_to_write.put(rows.get((pk, each.credential_id)), fields, fact)
            seen.add((pk, each.credential_id))
    ended = [
        row.pk for key, row in rows.items() if key not in seen and not _is_later(row, lists[row.iam_user_id].read_at)
    ]
    IAMCredential.objects.filter(pk__in=ended).delete()
    rows_to_write.write()
