"""What happens to the registration of an MFA device without anybody deciding it: it is shown, its time is over."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import IAMUser, MFARegistration
from accounts.models.sealed import Bond, Purpose
from accounts.usecases import mfa_devices

# What one run of beat looks at; the next goes on.
FOLLOWED_AT_ONCE = 200

State = MFARegistration.State


def shown(*, bond: Bond) -> None:
    """The owner opened the device's seed, in the transaction that says so: from now on it can show codes."""
    if bond.purpose is Purpose.MFA_DEVICE:
        MFARegistration.objects.filter(pk=int(bond.id), state=State.MADE).update(state=State.SHOWN)


def follow_registrations(*, at: datetime) -> int:
    """Wipe the codes that are too old to be of use, and end what was not finished in time; how many ended."""
    MFARegistration.objects.with_old_codes(at=at).update(codes="")
    overdue = MFARegistration.objects.overdue(at=at).order_by("expires_at", "pk").values_list("pk", flat=True)
    return sum(_lapse(registration_id, at) for registration_id in list(overdue[:FOLLOWED_AT_ONCE]))


@transaction.atomic
def _lapse(registration_id: int, at: datetime) -> bool:
    """One, in a transaction of its own; False where it went on at the last moment."""
    related = ("iam_user__account", "iam_user__organization", "organization")
    registration = MFARegistration.objects.select_related(*related).get(pk=registration_id)
    # Locked, so that codes that are given at this moment are seen here, or are refused.
    registration.iam_user.refresh_from_db(from_queryset=IAMUser.objects.select_for_update(no_key=True))
    if not MFARegistration.objects.overdue(at=at).filter(pk=registration_id).exists():
        return False
    mfa_devices.end(registration=registration, state=State.LAPSED, by=None, at=at)
    return True
