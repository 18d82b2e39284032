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
# Whose it is stays unsaid where it is another organization's.
TAKEN = (
    "This account is connected already. If you do not find it under AWS accounts, ask whoever runs the portal: "
    "an account belongs to one organization."
)


@transaction.atomic
def connect_account(
    *, by: Person, organization: Organization, account_id: str, name: str, role_arn: str, at: datetime
) -> Account:
    """Take an AWS account into the portal. The external id is made here; nobody chooses or changes it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: by field; also when another organization has connected this account.
    """
    access.require(by=by, to=Permission.CONNECT_ACCOUNT, organization=organization)
    _check_door(account_id, role_arn)
    account = Account(
        organization=organization,
        account_id=account_id,
        name=name,
        role_arn=role_arn,
        external_id=secrets.token_urlsafe(EXTERNAL_ID_BYTES),
    )
    _check_free(account_id)
    account.full_clean(exclude=["organization"])
    _save_new(account)
    record(
        organization=organization,
        kind=Kind.ACCOUNT_CONNECTED,
        by=by,
        subject=about(account),
        at=at,
        details={"account_id": account_id, "name": name, "role_arn": role_arn},
    )
    return account


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


@transaction.atomic
def refresh_account(*, by: Person, account: Account, at: datetime) -> AccountImport:
    """Have the account read now. Nothing is decided about AWS by it, so the ledger says nothing of it.

    :raises access.NotThere: :raises access.NotAllowed: as everywhere.
    :raises ValidationError: when it is being read already.
    """
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise access.NotThere
    access.require(by=by, to=Permission.REFRESH_ACCOUNT, organization=account.organization)
    return start_import(account=account, at=at)


@transaction.atomic
def start_import(*, account: Account, at: datetime) -> AccountImport:
    """Put an import into the queue; at most one of an account is open.

    :raises ValidationError: when one is.
    """
    account_import = open_import(account=account, at=at)
    transaction.on_commit(lambda: _ring(account_import), robust=True)
    return account_import


@transaction.atomic
def open_import(*, account: Account, at: datetime) -> AccountImport:
    """Make the row of an import that the caller carries out at once; no worker is told of it.

    :raises ValidationError: when one of the account is open.
    """
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


def import_due_accounts(*, at: datetime) -> None:
    """Start an import of each account that was not read for `IMPORT_EVERY_MINUTES` and is not being read."""
    since = at - timedelta(minutes=settings.IMPORT_EVERY_MINUTES)
    AccountImport.objects.stranded(at=at).update(
        state=AccountImport.State.FAILED, error="The worker that read it ended before it was done.", finished_at=at
    )
    recent = AccountImport.objects.filter(Q(state__in=AccountImport.OPEN) | Q(created_at__gt=since))
    for account in Account.objects.exclude(pk__in=recent.values("account")).order_by("pk"):
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


def _check_free(account_id: str) -> None:
    if Account.objects.filter(account_id=account_id).exists():
        raise ValidationError({"account_id": TAKEN})


def _check_door(account_id: str, role_arn: str) -> None:
    if not arns.ACCOUNT_ID.fullmatch(account_id):
        raise ValidationError({"account_id": "An account ID has 12 digits."})
    try:
        role_account = arns.role_account(role_arn)
    except ValueError:
        raise ValidationError(
            {"role_arn": "A role's ARN looks like arn:aws:iam::111122223333:role/gatehouse."}
        ) from None
    if role_account != account_id:
        raise ValidationError({"role_arn": f"This role is in account {role_account}, not in {account_id}."})
