"""Deciding about AWS accounts: connect one, have it read again."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import access, arns
from accounts.access import Permission
from accounts.kinds import Kind
from accounts.models import Account, AccountImport, Organization, Person
from accounts.usecases.records import about
from portal.ledger.record import record

IMPORT_TASK = "accounts.tasks.import_account"
# How long a reader may be silent before another may begin.
IMPORT_LEASE = timedelta(minutes=10)
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
    :raises ValidationError: for a pace at which nothing would ever be called.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=account.organization)
    before = {"calls_per_second": account.calls_per_second, "calls_burst": account.calls_burst}
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


@transaction.atomic
def refresh_account(*, by: Person, account: Account, at: datetime) -> AccountImport:
    """Have the account read now. Nothing is decided about AWS by it, so the ledger says nothing of it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is being read already, or its connection was not tested, or is refused.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.REFRESH_ACCOUNT, organization=account.organization)
    return start_import(account=account, at=at)


@transaction.atomic
def start_import(*, account: Account, at: datetime) -> AccountImport:
    """Put an import into the queue; at most one of an account is open.

    :raises ValidationError: when one is, or the account may not be read.
    """
    account_import = open_import(account=account, at=at)
    transaction.on_commit(lambda: _ring(account_import), robust=True)
    return account_import


@transaction.atomic
def open_import(*, account: Account, at: datetime) -> AccountImport:
    """Make the row of an import that the caller carries out at once; no worker is told of it.

    :raises ValidationError: when one of the account is open, or the account may not be read.
    """
    require_importable(account=account)
    AccountImport.objects.stranded(at=at).filter(account=account).update(
        state=AccountImport.State.FAILED, error="The worker that read it ended before it was done.", finished_at=at
    )
    account_import = AccountImport(
        organization=account.organization, account=account, created_at=at, lease_until=at + IMPORT_LEASE
    )
    try:
        with transaction.atomic():
            account_import.save(force_insert=True)
    except IntegrityError:
        raise ValidationError("This account is being read already.") from None
    return account_import


def require_importable(*, account: Account) -> None:
    """Return when the account's connection was tested and is not refused.

    :raises ValidationError: says what must be done first.
    """
    if Account.objects.importable().filter(pk=account.pk).exists():
        return
    if Account.objects.filter(pk=account.pk, state=Account.State.REFUSED).exists():
        raise ValidationError(f"The portal refuses to enter {account}: mend its role, then test the connection.")
    raise ValidationError(f"The connection to {account} was not tested yet: test it first.")


def import_due_accounts(*, at: datetime) -> None:
    """Start an import of each account that was not read for `IMPORT_EVERY_MINUTES` and is not being read."""
    since = at - timedelta(minutes=settings.IMPORT_EVERY_MINUTES)
    AccountImport.objects.stranded(at=at).update(
        state=AccountImport.State.FAILED, error="The worker that read it ended before it was done.", finished_at=at
    )
    recent = AccountImport.objects.filter(Q(state__in=AccountImport.OPEN) | Q(created_at__gt=since))
    for account in Account.objects.importable().exclude(pk__in=recent.values("account")).order_by("pk"):
        start_import(account=account, at=at)


def _ring(account_import: AccountImport) -> None:
    current_app.send_task(IMPORT_TASK, args=[account_import.pk], queue="import", retry=False, ignore_result=True)


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
