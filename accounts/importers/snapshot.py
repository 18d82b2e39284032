"""Fetching: everything that one account holds, read completely or not at all.

One call per thousand entities and a report, instead of several per IAM user (IAM API reference,
GetAccountAuthorizationDetails and GetCredentialReport).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyMetadata
from portal.aws.iam.account import AccountAuthorizationDetails, EntityType
from portal.aws.iam.credential_report import CredentialReport, CredentialReportRow, ReportState
from portal.ledger.clock import database_now

ENTITIES = (EntityType.USER, EntityType.GROUP, EntityType.ROLE, EntityType.LOCAL_MANAGED_POLICY)
REPORT_TRIES = 15
REPORT_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Snapshot:
    """What an account held at `read_at`; `access_keys` and `mfa_serial_numbers` are by user name.

    A user of whom `access_keys` says nothing was not asked about: the report says that they have none.
    """

    read_at: datetime
    alias: str
    details: AccountAuthorizationDetails
    report: CredentialReport
    access_keys: dict[str, tuple[AccessKeyMetadata, ...]]
    mfa_serial_numbers: dict[str, tuple[str, ...]]

    def report_row(self, user_name: str) -> CredentialReportRow | None:
        """The user's row; None for a user who is younger than the report."""
        return next((row for row in self.report.rows if row.user == user_name), None)


def fetch(iam: IAM, *, may_have_keys: Collection[str]) -> Snapshot:
    """Read the account. `may_have_keys` names users whose keys are asked for whatever the report says.

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
        access_keys=_access_keys(iam, details, report, may_have_keys),
        mfa_serial_numbers=_mfa_serial_numbers(iam, report),
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
    iam: IAM, details: AccountAuthorizationDetails, report: CredentialReport, may_have_keys: Collection[str]
) -> dict[str, tuple[AccessKeyMetadata, ...]]:
    without = {row.user for row in report.rows if not _has_keys(row)} - set(may_have_keys)
    asked = [user.user_name for user in details.user_detail_list if user.user_name not in without]
    return {name: keys for name in asked if (keys := _keys_of(iam, name)) is not None}


def _keys_of(iam: IAM, user_name: str) -> tuple[AccessKeyMetadata, ...] | None:
    # Deleted between the two readings: the next import sees it gone.
    try:
        return iam.list_access_keys(user_name=user_name)
    except errors.NotFound:
        return None


def _has_keys(row: CredentialReportRow) -> bool:
    return any(key.is_active or key.last_rotated is not None for key in row.access_keys)


def _mfa_serial_numbers(iam: IAM, report: CredentialReport) -> dict[str, tuple[str, ...]]:
    """Virtual devices come in one list; users with MFA and no virtual device have another kind and are asked for."""
    found: dict[str, tuple[str, ...]] = {}
    for device in iam.list_virtual_mfa_devices():
        if device.user_name:
            found[device.user_name] = (*found.get(device.user_name, ()), device.serial_number)
    for row in report.rows:
        if row.mfa_active and not row.is_root and row.user not in found:
            found[row.user] = tuple(device.serial_number for device in iam.list_mfa_devices(user_name=row.user))
    return found
