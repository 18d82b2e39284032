"""The credential report: one row per IAM user and root, at most four hours old.

Columns and values: IAM User Guide, "Generate credential reports". Columns are found by name, so that one more
or another order changes nothing.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.aws.calls import Calls
from portal.aws.errors import Unknown

ROOT = "<root_account>"
NOTHING = frozenset({"", "N/A", "no_information", "not_supported"})


class ReportState(StrEnum):
    """How far GenerateCredentialReport is."""

    STARTED = "STARTED"
    INPROGRESS = "INPROGRESS"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True)
class ReportedAccessKey:
    """One of the two key columns; the report holds no key id.

    `last_rotated` is the key's CreateDate, or when its status last changed; None where there is no key.
    """

    is_active: bool
    last_rotated: datetime | None
    last_used_date: datetime | None
    last_used_region: str | None
    last_used_service: str | None


@dataclass(frozen=True)
class CredentialReportRow:
    """One IAM user, or root as `<root_account>`; None where the report says N/A, no_information or not_supported."""

    user: str
    arn: str
    user_creation_time: datetime
    password_enabled: bool | None
    password_last_used: datetime | None
    password_last_changed: datetime | None
    password_next_rotation: datetime | None
    mfa_active: bool
    access_keys: tuple[ReportedAccessKey, ReportedAccessKey]
    cert_active: tuple[bool, bool]
    cert_last_rotated: tuple[datetime | None, datetime | None]
    # A key beyond the second, or another credential: AWS documents the column, and not every report has it.
    has_additional_credentials: bool

    @property
    def is_root(self) -> bool:
        """Whether the row tells of the account's root."""
        return self.user == ROOT


@dataclass(frozen=True)
class CredentialReport:
    """The rows, and the time at which they were true."""

    generated_time: datetime
    rows: tuple[CredentialReportRow, ...]


class CredentialReports(Calls):
    """Operations on the credential report."""

    def generate_credential_report(self) -> ReportState:
        """Ask for a report; AWS makes a new one only where the last is older than four hours.

        :raises TryLater: when AWS throttles, as it does here sooner than elsewhere.
        """
        return ReportState(self._read("GenerateCredentialReport")["State"])

    def get_credential_report(self) -> CredentialReport:
        """The last report that was completed.

        :raises NotFound: when there is none, or it has expired.
        :raises TryLater: while it is being made.
        :raises Unknown: when a column is missing or a value cannot be read.
        """
        answer = self._read("GetCredentialReport")
        return CredentialReport(generated_time=answer["GeneratedTime"], rows=parse(answer["Content"].decode()))


def parse(content: str) -> tuple[CredentialReportRow, ...]:
    """The rows of a report in CSV.

    :raises Unknown: when a column is missing or a value cannot be read.
    """
    try:
        return tuple(_row(values) for values in csv.DictReader(io.StringIO(content)))
    except KeyError as error:
        raise _unreadable(f"it has no column {error}", "Column") from error
    except (ValueError, TypeError, csv.Error) as error:
        raise _unreadable(f"it holds {error}", "Value") from error


def _unreadable(what: str, code: str) -> Unknown:
    message = (
        f"the credential report is not what AWS documents: {what}. Nothing was changed. Download the report in the AWS "
        "console to see what it says; a new one can be made four hours after the last."
    )
    return Unknown(operation="GetCredentialReport", code=code, message=message)


def _row(values: Mapping[str, str]) -> CredentialReportRow:
    return CredentialReportRow(
        user=values["user"],
        arn=values["arn"],
        user_creation_time=datetime.fromisoformat(values["user_creation_time"]),
        password_enabled=_flag(values["password_enabled"]),
        password_last_used=_time(values["password_last_used"]),
        password_last_changed=_time(values["password_last_changed"]),
        password_next_rotation=_time(values["password_next_rotation"]),
        mfa_active=bool(_flag(values["mfa_active"])),
        access_keys=(_access_key(values, 1), _access_key(values, 2)),
        cert_active=(bool(_flag(values["cert_1_active"])), bool(_flag(values["cert_2_active"]))),
        cert_last_rotated=(_time(values["cert_1_last_rotated"]), _time(values["cert_2_last_rotated"])),
        has_additional_credentials=_text(values.get("additional_credentials_info") or "") is not None,
    )


def _access_key(values: Mapping[str, str], number: int) -> ReportedAccessKey:
    column = f"access_key_{number}_"
    return ReportedAccessKey(
        is_active=bool(_flag(values[f"{column}active"])),
        last_rotated=_time(values[f"{column}last_rotated"]),
        last_used_date=_time(values[f"{column}last_used_date"]),
        last_used_region=_text(values[f"{column}last_used_region"]),
        last_used_service=_text(values[f"{column}last_used_service"]),
    )


def _text(value: str) -> str | None:
    return None if value in NOTHING else value


def _time(value: str) -> datetime | None:
    """AWS writes `Z` or `+00:00`."""
    return None if value in NOTHING else datetime.fromisoformat(value)


def _flag(value: str) -> bool | None:
    """AWS writes `true` and `TRUE`; root's password_enabled is `not_supported`."""
    if value in NOTHING:
        return None
    return {"true": True, "false": False}[value.lower()]
