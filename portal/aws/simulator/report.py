"""The credential report as AWS writes it: root first, then the users by name, and an old one kept for four hours.

IAM User Guide, "Generate credential reports for your AWS account".
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta

from moto.core.utils import utcnow
from moto.iam.models import AccessKey, IAMBackend, SigningCertificate, User

MAX_AGE = timedelta(hours=4)
ROOT = "<root_account>"
NEVER, NOTHING, UNSUPPORTED = "N/A", "no_information", "not_supported"
YES, NO = "true", "false"
ACCOUNT_MADE = datetime(2021, 3, 1, 9, 0)  # noqa: DTZ001 -- moto's times are UTC without a zone
KEY = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_1_{name}" for name in KEY),
    *(f"access_key_2_{name}" for name in KEY),
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
)


def generate(backend: IAMBackend) -> bool:
    """Write a new report where the last one is too old; whether a new one was written."""
    made_at = getattr(backend, "report_made_at", None)
    if made_at is not None and utcnow() - made_at < MAX_AGE:
        return False
    vars(backend).update(report_made_at=utcnow(), report_content=_content(backend))
    return True


def expire(backend: IAMBackend) -> None:
    """Let the next request for a report write a new one."""
    vars(backend).update(report_made_at=None)


def _content(backend: IAMBackend) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerow(_root(backend.account_id))
    rows.writerows(_user(user) for user in sorted(backend.users.values(), key=lambda user: user.name.lower()))
    return text.getvalue().rstrip("\n")


def _root(account_id: str) -> list[str]:
    made = _time(ACCOUNT_MADE)
    password = [UNSUPPORTED, NOTHING, UNSUPPORTED, UNSUPPORTED]
    return [ROOT, f"arn:aws:iam::{account_id}:root", made, *password, "true", *_key(None), *_key(None), *_certs([])]


def _user(user: User) -> list[str]:
    keys: Sequence[AccessKey | None] = [*user.access_keys, None, None]
    mfa = _flag(user.mfa_devices)
    certificates = list(user.signing_certificates.values())
    made = _time(user.create_date)
    return [user.name, user.arn, made, *_password(user), mfa, *_key(keys[0]), *_key(keys[1]), *_certs(certificates)]


def _password(user: User) -> list[str]:
    if not user.password:
        return [NO, NEVER, NEVER, NEVER]
    last_used = user.password_last_used
    changed = getattr(user, "password_last_changed", user.create_date)
    return [YES, _time(last_used) if last_used else NOTHING, _time(changed), NEVER]


def _key(key: AccessKey | None) -> list[str]:
    if key is None:
        return [NO, NEVER, NEVER, NEVER, NEVER]
    rotated = [_flag(key.status == "Active"), _time(key.create_date)]
    if key.last_used is None:
        return [*rotated, NEVER, NEVER, NEVER]
    return [*rotated, _time(key.last_used.timestamp), key.last_used.region, key.last_used.service]


def _certs(certificates: Sequence[SigningCertificate]) -> list[str]:
    cells = [cell for found in certificates[:2] for cell in (_flag(found.status == "Active"), _time(found.upload_date))]
    return [*cells, *[NO, NEVER] * 2][:4]


def _time(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _flag(value: object) -> str:
    return YES if value else NO
