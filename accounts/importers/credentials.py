"""Applying what a snapshot says of one IAM user's password, access keys and MFA devices."""

from __future__ import annotations

from accounts.importers.snapshot import Snapshot
from accounts.models import AccessKey, IAMUser, LoginProfile, MFADevice, Source
from portal.aws.iam.access_keys import AccessKeyMetadata
from portal.aws.iam.credential_report import CredentialReportRow, ReportedAccessKey


def write(row: IAMUser, snapshot: Snapshot) -> None:
    """Everything about the user's credentials; a user younger than the report has only what was asked for directly."""
    reported = None if row.create_date is None else snapshot.report_rows.get((row.user_name, row.create_date))
    if reported is not None:
        _write_login_profile(row, snapshot, reported)
    _write_access_keys(row, snapshot, reported)
    _write_mfa_devices(row, snapshot)


def _write_login_profile(row: IAMUser, snapshot: Snapshot, reported: CredentialReportRow) -> None:
    if not reported.password_enabled:
        LoginProfile.objects.filter(iam_user=row).delete()
        return
    LoginProfile.objects.update_or_create(
        iam_user=row,
        defaults={
            "organization": row.organization,
            "account": row.account,
            "password_last_used": reported.password_last_used,
            "password_last_changed": reported.password_last_changed,
            "source": Source.CREDENTIAL_REPORT,
            "read_at": snapshot.report.generated_time,
        },
    )


def _write_access_keys(row: IAMUser, snapshot: Snapshot, reported: CredentialReportRow | None) -> None:
    keys = snapshot.access_keys.get(row.user_name)
    if keys is None:
        return
    row.access_keys.present().exclude(access_key_id__in=[key.access_key_id for key in keys]).update(
        gone_at=snapshot.read_at
    )
    for key in keys:
        AccessKey.objects.update_or_create(
            access_key_id=key.access_key_id,
            defaults={
                "iam_user": row,
                "organization": row.organization,
                "account": row.account,
                "status": key.status,
                "create_date": key.create_date,
                "gone_at": None,
                "source": Source.LIST_ACCESS_KEYS,
                "read_at": snapshot.read_at,
                **_last_used(key, snapshot, reported),
            },
        )


def _last_used(key: AccessKeyMetadata, snapshot: Snapshot, reported: CredentialReportRow | None) -> dict[str, object]:
    """The report bears no key ids: its rows join by the time at which the key was made."""
    found = _reported_key(key, reported)
    if found is None:
        return {}
    return {
        "last_used_date": found.last_used_date,
        "last_used_region": found.last_used_region or "",
        "last_used_service": found.last_used_service or "",
        "last_used_source": Source.CREDENTIAL_REPORT,
        "last_used_read_at": snapshot.report.generated_time,
    }


def _reported_key(key: AccessKeyMetadata, reported: CredentialReportRow | None) -> ReportedAccessKey | None:
    candidates = () if reported is None else reported.access_keys
    matches = [candidate for candidate in candidates if candidate.last_rotated == key.create_date]
    return matches[0] if len(matches) == 1 else None


def _write_mfa_devices(row: IAMUser, snapshot: Snapshot) -> None:
    serial_numbers = snapshot.mfa_serial_numbers.get(row.user_name)
    if serial_numbers is None:
        return
    row.mfa_devices.exclude(serial_number__in=serial_numbers).delete()
    for serial_number in serial_numbers:
        MFADevice.objects.update_or_create(
            account=row.account,
            serial_number=serial_number,
            defaults={
                "iam_user": row,
                "organization": row.organization,
                "source": Source.LIST_MFA_DEVICES,
                "read_at": snapshot.read_at,
            },
        )
