"""Deciding about AWS accounts: connect one, set its pace."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import access, arns
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, Organization, Person
from accounts.usecases.records import about
from portal.ledger.record import record

EXTERNAL_ID_BYTES = 24
TAKEN = (
    "This account cannot be connected here, because it is connected already. Check the number; "
    "if the account is yours, ask whoever runs this portal."
)


@transaction.atomic
def connect_account(
    *, by: Person, organization: Organization, account_id: str, name: str, role_name: str, at: datetime
) -> Account:
    """Take an AWS account into the portal; it is read once its connection was tested.

    The external id is made here; nobody chooses or changes it. The role lies in the partition of the portal's own.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field; also when another organization has connected this account.
    """
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=organization)
    _check_door(account_id, role_name)
    _check_is_free(organization, account_id)
    account = new_account(organization=organization, account_id=account_id, name=name, role_name=role_name)
    account.full_clean(exclude=["organization"])
    _save_new(account)
    record(
        organization=organization,
        kind=Kind.ACCOUNT_CONNECTED,
        by=by,
        subject=about(account),
        at=at,
        details={"account_id": account_id, "name": name, "role_arn": account.role_arn},
    )
    return account


def new_account(*, organization: Organization, account_id: str, name: str, role_name: str) -> Account:
    """The row of an account that nothing is known of yet, with an external id of its own; it is not saved."""
    return Account(
        organization=organization,
        account_id=account_id,
        name=name,
        role_arn=arns.role_arn(account_id=account_id, role_name=role_name, partition=_partition()),
        external_id=secrets.token_urlsafe(EXTERNAL_ID_BYTES),
    )


@transaction.atomic
def set_pace(
    *, by: Person, account: Account, calls_per_second: int | None, calls_burst: int | None, at: datetime
) -> Account:
    """Decide how fast the portal may call AWS in this account; None is the portal's usual pace.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: for a pace at which nothing would ever be called, and for the one that it has.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=account.organization)
    # Locked and read again, so that the entry says what was there before this decision and not before another.
    account.refresh_from_db(from_queryset=Account.objects.select_for_update(no_key=True))
    before = {"calls_per_second": account.calls_per_second, "calls_burst": account.calls_burst}
    if before == {"calls_per_second": calls_per_second, "calls_burst": calls_burst}:
        raise ValidationError("This is the pace that it has.")
    account.calls_per_second, account.calls_burst = calls_per_second, calls_burst
    account.full_clean(exclude=["organization"])
    account.save(update_fields=["calls_per_second", "calls_burst"])
    record(
        organization=account.organization,
        kind=Kind.ACCOUNT_PACE_SET,
        by=by,
        subject=about(account),
        at=at,
        details={"calls_per_second": calls_per_second, "calls_burst": calls_burst, "before": before},
    )
    return account


def _save_new(account: Account) -> None:
    # Two organizations may name the same account in the same second: both pass the check, one of them passes here.
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise ValidationError({"account_id": TAKEN}) from None


def _check_door(account_id: str, role_name: str) -> None:
    if not arns.ACCOUNT_ID.fullmatch(account_id):
        raise ValidationError({"account_id": "An account ID has 12 digits."})
    if not arns.ROLE_NAME.fullmatch(role_name):
        words = "A role's name has 1 to 64 letters, digits or any of + = , . @ - _ and no spaces."
        raise ValidationError({"role_name": words})


def _check_is_free(organization: Organization, account_id: str) -> None:
    """An account is one organization's. Whose it is elsewhere is nobody's business here."""
    taken = Account.objects.filter(account_id=account_id).first()
    if taken is None:
        return
    is_own = taken.organization_id == organization.pk
    raise ValidationError({"account_id": f"You have connected this account already: {taken}." if is_own else TAKEN})


def _partition() -> str:
    """A role is assumed from its own partition alone, so that of the hub is everybody's."""
    return arns.partition_of(settings.HUB_PRINCIPAL_ARN or "arn:aws:")
