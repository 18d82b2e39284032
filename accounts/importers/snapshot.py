"""Fetching: everything that one account holds, read completely or not at all.

One call per thousand entities and a report, instead of several per IAM user (IAM API reference,
GetAccountAuthorizationDetails and GetCredentialReport).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata
from portal.aws.iam.account import AccountAuthorizationDetails, EntityType, UserDetail
from portal.aws.iam.credential_report import CredentialReport, CredentialReportRow, ReportState
from portal.ledger.clock import database_now

ENTITIES = (EntityType.USER, EntityType.GROUP, EntityType.ROLE, EntityType.LOCAL_MANAGED_POLICY)
REPORT_TRIES = 15
REPORT_PAUSE_SECONDS = 1.0

# A user's name and the time at which it was made: a name alone may have passed to another user since.
Identity: TypeAlias = tuple[str, datetime]


@dataclass(frozen=True)
class Known:
    """Unique ids of users that had keys, or MFA devices that are not virtual, when the account was last read.

    They are asked about whatever the report says: it may be four hours old, and its names may be others' by now.
    """

    with_access_keys: frozenset[str]
    with_hardware_mfa: frozenset[str]


@dataclass(frozen=True)
class Snapshot:
    """What an account held at `read_at`; `access_keys` and `mfa_serial_numbers` are by user name.

    Where they say nothing of a user, nothing is known: the user was not asked about, or had gone before that.
    """

    read_at: datetime
    alias: str
    details: AccountAuthorizationDetails
    report: CredentialReport
    access_keys: dict[str, tuple[AccessKeyMetadata, ...]]
    mfa_serial_numbers: dict[str, tuple[str, ...]]

    @cached_property
    def report_rows(self) -> dict[Identity, CredentialReportRow]:
        """The report's rows; one for nobody who is younger than the report or has another name since."""
        return {identity_of(row): row for row in self.report.rows}


def identity_of(row: CredentialReportRow) -> Identity:
    """Of whom the row tells."""
    return row.user, row.user_creation_time


def fetch(iam: IAM, *, known: Known) -> Snapshot:
    """Read the account.

    :raises portal.aws.errors.AWSError: when any part could not be read; then nothing is known.
    """
    read_at = database_now()
    details = iam.get_account_authorization_details(filter=ENTITIES)
    report = _report(iam)
    return Snapshot(
        read_at=read_at,
        alias=next(iter(iam.list_account_aliases()), ""),
        details=details,
        report=report,
        access_keys=_access_keys(iam, details, report, known.with_access_keys),
        mfa_serial_numbers=_mfa_serial_numbers(iam, details, report, known.with_hardware_mfa),
    )


def _report(iam: IAM) -> CredentialReport:
    for _ in range(REPORT_TRIES):
        if iam.generate_credential_report() == ReportState.COMPLETE:
            return iam.get_credential_report()
        time.sleep(REPORT_PAUSE_SECONDS)
    raise errors.TryLater(
        operation="GenerateCredentialReport", code="ReportInProgress", message="AWS is still making the report."
    )


def _access_keys(
    iam: IAM, details: AccountAuthorizationDetails, report: CredentialReport, known: Collection[str]
) -> dict[str, tuple[AccessKeyMetadata, ...]]:
    without = {identity_of(row) for row in report.rows if not _has_keys(row)}
    found: dict[str, tuple[AccessKeyMetadata, ...]] = {}
    for user in _without_those(details, without, known):
        with suppress(errors.NotFound):
            found[user.user_name] = iam.list_access_keys(user_name=user.user_name)
    return found


def _has_keys(row: CredentialReportRow) -> bool:
    return any(key.is_active or key.last_rotated is not None for key in row.access_keys)


def _mfa_serial_numbers(
    iam: IAM, details: AccountAuthorizationDetails, report: CredentialReport, known: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Virtual devices come in one list; users with MFA and no virtual device have another kind and are asked for."""
    virtual: dict[str, tuple[str, ...]] = {}
    for device in iam.list_virtual_mfa_devices():
        if device.user_name:
            virtual[device.user_name] = (*virtual.get(device.user_name, ()), device.serial_number)
    found = {user.user_name: virtual.get(user.user_name, ()) for user in details.user_detail_list}
    without = {identity_of(row) for row in report.rows if not row.mfa_active}
    for user in _without_those(details, without, known):
        if user.user_name not in virtual or user.user_id in known:
            del found[user.user_name]
            with suppress(errors.NotFound):
                devices = iam.list_mfa_devices(user_name=user.user_name)
                found[user.user_name] = tuple(device.serial_number for device in devices)
    return found


def _without_those(
    details: AccountAuthorizationDetails, without: Collection[Identity], known: Collection[str]
) -> Iterator[UserDetail]:
    """Those of whom the report does not say that they have none, and those who were seen with one."""
    for user in details.user_detail_list:
        if user.user_id in known or (user.user_name, user.create_date) not in without:
            yield user
