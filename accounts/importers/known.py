"""What the portal knows of an account before it is read again."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts import arns
from accounts.importers.reported_keys import KnownKey
from accounts.importers.snapshot import Known
from accounts.models import AccessKey, Account, IAMCredential, MFADevice
from portal.ledger.clock import database_now

# No list of the account tells of MFA devices that are not virtual, and the report only that there is one: whose device
# was exchanged for another is seen when they are listed again.
HARDWARE_IS_KNOWN_FOR = timedelta(days=1)


def known(account: Account) -> Known:
    """By the unique ids of the IAM users; in a fixed number of queries."""
    return Known(
        access_keys=_access_keys(account),
        with_hardware_mfa=_with_hardware_mfa(account),
        certificates=_certificates(account),
    )


def _access_keys(account: Account) -> dict[str, tuple[KnownKey, ...]]:
    found: dict[str, tuple[KnownKey, ...]] = {}
    keys = AccessKey.objects.present().filter(account=account).order_by("create_date", "pk")
    for user_id, key_id, create_date, status, last_rotated in keys.values_list(
        "iam_user__user_id", "access_key_id", "create_date", "status", "last_rotated"
    ):
        key = KnownKey(key_id, create_date, status == AccessKey.Status.ACTIVE, last_rotated)
        found[user_id] = (*found.get(user_id, ()), key)
    return found


def _with_hardware_mfa(account: Account) -> frozenset[str]:
    lately = database_now() - HARDWARE_IS_KNOWN_FOR
    devices = MFADevice.objects.filter(account=account, read_at__gt=lately)
    hardware = devices.exclude(serial_number__contains=arns.VIRTUAL_MFA)
    return frozenset(hardware.values_list("iam_user__user_id", flat=True))


def _certificates(account: Account) -> dict[str, frozenset[datetime]]:
    found: dict[str, frozenset[datetime]] = {}
    rows = IAMCredential.objects.filter(account=account, kind=IAMCredential.Kind.SIGNING_CERTIFICATE)
    for user_id, create_date in rows.values_list("iam_user__user_id", "create_date"):
        if create_date is not None:
            found[user_id] = found.get(user_id, frozenset()) | {create_date}
    return found
